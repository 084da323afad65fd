"""The KYC mirror, exhaustively, and set under a lock for any number of stores."""

import itertools
import threading
from datetime import UTC, date, datetime

import pytest

from shared.identity.models import KycStatus, Store
from shared.kit.context import Work, working
from shared.kit.db import read_only, transaction
from shared.kit.ids import new_id
from shared.licensing.kyc import Standing, mirror, mirrored
from shared.licensing.models import LicenseStatus
from tests.builders.media import a_license
from tests.builders.stores import a_buyer, a_vendor

TODAY = date(2026, 11, 20)
YESTERDAY, TOMORROW = date(2026, 11, 19), date(2026, 11, 21)
VERIFIED, PENDING, EXPIRED, REJECTED = (
    LicenseStatus.VERIFIED,
    LicenseStatus.PENDING,
    LicenseStatus.EXPIRED,
    LicenseStatus.REJECTED,
)
# Every license that a store may have: each status, run out or not.
LICENSES = [Standing(status, day) for status in LicenseStatus for day in (YESTERDAY, TODAY, TOMORROW)]


def expected(current: KycStatus, licenses: tuple[Standing, ...]) -> KycStatus:
    """The sentence of the specification, clause by clause."""
    if current is KycStatus.SUSPENDED:
        return KycStatus.SUSPENDED
    if any(each.status is VERIFIED and each.expires_on >= TODAY for each in licenses):
        return KycStatus.VERIFIED
    if any(each.status is PENDING for each in licenses):
        return KycStatus.PENDING_VERIFICATION
    if any(each.status is EXPIRED or (each.status is VERIFIED and each.expires_on < TODAY) for each in licenses):
        return KycStatus.EXPIRED
    if any(each.status is REJECTED for each in licenses):
        return KycStatus.REJECTED
    return KycStatus.PENDING_VERIFICATION


def test_every_set_of_licenses_in_every_state_of_the_store():
    checked = 0
    for current in KycStatus:
        for count in range(len(LICENSES) + 1):
            for licenses in itertools.combinations(LICENSES, count):
                assert mirrored(current, licenses, TODAY) is expected(current, licenses)
                checked += 1

    assert checked == 5 * 2**12


@pytest.mark.parametrize(
    ("licenses", "status"),
    [
        ([], KycStatus.PENDING_VERIFICATION),
        ([(VERIFIED, TODAY)], KycStatus.VERIFIED),
        ([(VERIFIED, YESTERDAY)], KycStatus.EXPIRED),
        ([(PENDING, TOMORROW)], KycStatus.PENDING_VERIFICATION),
        ([(EXPIRED, YESTERDAY)], KycStatus.EXPIRED),
        ([(REJECTED, TOMORROW)], KycStatus.REJECTED),
        ([(REJECTED, TOMORROW), (EXPIRED, YESTERDAY)], KycStatus.EXPIRED),
        ([(REJECTED, TOMORROW), (PENDING, TOMORROW)], KycStatus.PENDING_VERIFICATION),
        ([(EXPIRED, YESTERDAY), (PENDING, TOMORROW)], KycStatus.PENDING_VERIFICATION),
        ([(PENDING, TOMORROW), (VERIFIED, TOMORROW)], KycStatus.VERIFIED),
        ([(VERIFIED, YESTERDAY), (REJECTED, TOMORROW)], KycStatus.EXPIRED),
        ([(VERIFIED, YESTERDAY), (PENDING, TOMORROW)], KycStatus.PENDING_VERIFICATION),
        (list(itertools.product(LicenseStatus, [TOMORROW])), KycStatus.VERIFIED),
    ],
)
def test_the_best_standing_decides(licenses, status):
    standings = [Standing(*license) for license in licenses]

    assert mirrored(KycStatus.REJECTED, standings, TODAY) is status
    assert mirrored(KycStatus.SUSPENDED, standings, TODAY) is KycStatus.SUSPENDED


def kyc_of(*stores: Store) -> list[KycStatus]:
    with read_only() as session:
        return [session.get(Store, store.id).kyc_status for store in stores]


def test_many_stores_are_set_by_a_handful_of_statements():
    stores = [a_vendor(kyc_status=KycStatus.REJECTED) for _ in range(12)]
    for store, status in zip(stores, itertools.cycle(LicenseStatus), strict=False):
        a_license(store, status=status)
    suspended = a_buyer(kyc_status=KycStatus.SUSPENDED)
    a_license(suspended)
    unasked = a_vendor(kyc_status=KycStatus.REJECTED)
    a_license(unasked)

    with working(Work(function="test", request_id="test")) as work, transaction() as session:
        told = mirror(session, [*(store.id for store in stores), suspended.id, new_id()])

    by_license = [KycStatus.PENDING_VERIFICATION, KycStatus.VERIFIED, KycStatus.REJECTED, KycStatus.EXPIRED]
    assert kyc_of(*stores) == by_license * 3
    assert kyc_of(suspended, unasked) == [KycStatus.SUSPENDED, KycStatus.REJECTED]
    assert told == dict(zip([store.id for store in stores], by_license * 3, strict=True)) | {
        suspended.id: KycStatus.SUSPENDED
    }
    assert work.sql_statements == 2 + 3


def test_a_store_that_stands_as_it_should_is_not_written():
    store = a_vendor(kyc_status=KycStatus.VERIFIED)
    a_license(store)

    with working(Work(function="test", request_id="test")) as work, transaction() as session:
        told = mirror(session, [store.id])

    assert (told, work.sql_statements) == ({store.id: KycStatus.VERIFIED}, 2)


@pytest.mark.parametrize(
    ("moment", "status"),
    [
        # The last day of the license is the 20th; Oklahoma is six hours behind UTC in November.
        (datetime(2026, 11, 20, 23, 0, tzinfo=UTC), KycStatus.VERIFIED),
        (datetime(2026, 11, 21, 5, 59, tzinfo=UTC), KycStatus.VERIFIED),
        (datetime(2026, 11, 21, 6, 0, tzinfo=UTC), KycStatus.EXPIRED),
    ],
)
def test_the_day_ends_where_the_license_was_issued(freeze, moment, status):
    store = a_vendor()
    a_license(store, issued_on=date(2026, 1, 1), expires_on=date(2026, 11, 20))
    freeze(moment)

    with transaction() as session:
        told = mirror(session, [store.id])

    assert told == {store.id: status}
    assert kyc_of(store) == [status]


@pytest.mark.usefixtures("committed_database")
def test_two_changes_at_once_end_in_the_sum_of_both():
    """One verifies and one expires a license of the same store; whoever comes last has seen the other."""
    store = a_vendor(kyc_status=KycStatus.PENDING_VERIFICATION)
    first, second = a_license(store, status=PENDING), a_license(store, status=PENDING)
    together = threading.Barrier(2)

    def change(license, status):
        from shared.licensing.models import License

        together.wait()
        with transaction() as session:
            session.get(License, license.id).status = status
            mirror(session, [store.id])

    rivals = [
        threading.Thread(target=change, args=(first, REJECTED)),
        threading.Thread(target=change, args=(second, EXPIRED)),
    ]
    for rival in rivals:
        rival.start()
    for rival in rivals:
        rival.join()

    assert kyc_of(store) == [KycStatus.EXPIRED]


@pytest.mark.usefixtures("committed_database")
def test_while_its_status_is_set_orders_may_refer_to_a_store_and_nobody_changes_it():
    from sqlalchemy import select

    store = a_vendor()
    a_license(store)

    def found(*, to_change):
        wanted = select(Store.id).where(Store.id == store.id)
        with transaction() as other:
            return other.scalar(wanted.with_for_update(read=not to_change, key_share=True, skip_locked=True))

    with transaction() as session:
        mirror(session, [store.id])
        meanwhile = found(to_change=False), found(to_change=True)

    assert (meanwhile, found(to_change=True)) == ((store.id, None), store.id)
