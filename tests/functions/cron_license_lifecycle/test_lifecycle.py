"""Time passes: holders are warned once, licenses expire with their stores, and a month later they are gone."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from shared.events.licenses import LicenseExpiringSoon, LicenseStatusChanged
from shared.events.media import MediaDeleted
from shared.identity.models import KycStatus, Store
from shared.kit import stopping
from shared.kit.db import read_only
from shared.licensing.models import License, LicenseStatus
from shared.media.models import EntityType, Media, MediaStatus
from shared.operations.audit import AuditLog
from tests.builders.media import a_license, a_media, attached
from tests.builders.stores import a_buyer, a_vendor
from tests.events import audited
from tests.media import media_now, users_of

# Six in the morning in Oklahoma, on the day that licenses of these tests are counted from.
MORNING = datetime(2026, 3, 2, 12, tzinfo=UTC)
TODAY = date(2026, 3, 2)
VERIFIED, PENDING, REJECTED, EXPIRED = (
    LicenseStatus.VERIFIED,
    LicenseStatus.PENDING,
    LicenseStatus.REJECTED,
    LicenseStatus.EXPIRED,
)
NOTHING = {"warned": 0, "expired": 0, "purged": 0}


@pytest.fixture(autouse=True)
def morning(freeze):
    freeze(MORNING)


def now(row):
    with read_only() as session:
        return session.get(type(row), row.id)


def kyc_of(store: Store) -> KycStatus:
    return now(store).kyc_status


def document_of(license: License) -> Media:
    with read_only() as session:
        return session.get_one(Media, license.media_id)


@pytest.mark.parametrize(("days", "is_warned"), [(0, True), (1, True), (14, True), (15, False), (300, False)])
def test_the_holder_is_warned_from_the_fourteenth_day_before_the_end(fire, events, days, is_warned):
    license = a_license(expires_in_days=days)

    done = fire()

    expected = LicenseExpiringSoon(
        license_id=license.id, store_id=license.store_id, expires_on=TODAY + timedelta(days=days)
    )
    assert done == NOTHING | {"warned": int(is_warned)}
    assert now(license).warned_at == (MORNING if is_warned else None)
    assert now(license).status is VERIFIED
    assert events.emitted() == ([expected] if is_warned else [])


@pytest.mark.parametrize(
    ("status", "is_warned"), [(PENDING, True), (VERIFIED, True), (REJECTED, False), (EXPIRED, False)]
)
def test_only_who_has_something_to_lose_is_warned(fire, events, status, is_warned):
    a_license(status=status, expires_in_days=7)

    assert fire() == NOTHING | {"warned": int(is_warned)}
    assert events.types() == ["license_expiring_soon"] * is_warned


def test_one_warning_is_enough(fire, freeze, events):
    license = a_license(expires_in_days=14)

    runs = []
    for day in (0, 0, 1, 13):
        freeze(MORNING + timedelta(days=day))
        runs.append(fire())

    assert runs == [NOTHING | {"warned": 1}, NOTHING, NOTHING, NOTHING]
    assert now(license).warned_at == MORNING
    assert events.types() == ["license_expiring_soon"]


def test_missed_days_are_caught_up(fire, freeze, events):
    license = a_license(expires_in_days=20)

    freeze(MORNING + timedelta(days=17))

    assert fire() == NOTHING | {"warned": 1}
    assert now(license).warned_at == MORNING + timedelta(days=17)
    assert events.types() == ["license_expiring_soon"]


def test_the_last_day_counts_and_the_next_does_not(fire, freeze, events):
    store = a_vendor()
    license = a_license(store, expires_in_days=0, warned_at=MORNING)

    on_the_day = fire()
    # Late in the evening of the last day in Oklahoma it is the next day in UTC.
    freeze(datetime(2026, 3, 3, 5, 59, tzinfo=UTC))
    at_night = fire()
    freeze(MORNING + timedelta(days=1))
    the_day_after = fire()

    assert (on_the_day, at_night, the_day_after) == (NOTHING, NOTHING, NOTHING | {"expired": 1})
    assert (now(license).status, kyc_of(store)) == (EXPIRED, KycStatus.EXPIRED)
    assert events.emitted() == [
        LicenseStatusChanged(
            license_id=license.id,
            store_id=store.id,
            from_status="verified",
            to_status="expired",
            reason=None,
            kyc_status="expired",
        )
    ]


@pytest.mark.parametrize(
    "last_day",
    [
        pytest.param(date(2026, 3, 7), id="before the clocks go forward"),
        pytest.param(date(2026, 3, 8), id="the clocks go forward"),
        pytest.param(date(2026, 10, 31), id="before the clocks go back"),
        pytest.param(date(2026, 11, 1), id="the clocks go back"),
        pytest.param(date(2026, 2, 28), id="a month ends"),
        pytest.param(date(2028, 2, 29), id="a leap year"),
        pytest.param(date(2026, 12, 31), id="a year ends"),
        pytest.param(date(2026, 3, 21), id="fourteen days of which one has 23 hours"),
        pytest.param(date(2026, 11, 30), id="thirty days of which one has 25 hours"),
    ],
)
def test_days_are_days_in_oklahoma_however_long(fire, freeze, last_day):
    license = a_license(issued_on=last_day - timedelta(days=365), expires_on=last_day)

    def around_midnight_before(day):
        """What is done in the last second before a day begins in Oklahoma, and in its first."""
        done = []
        begins = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("America/Chicago")).astimezone(UTC)
        for moment in (begins - timedelta(seconds=1), begins):
            freeze(moment)
            done.append(fire())
        return done

    assert around_midnight_before(last_day - timedelta(days=14)) == [NOTHING, NOTHING | {"warned": 1}]
    assert around_midnight_before(last_day + timedelta(days=1)) == [NOTHING, NOTHING | {"expired": 1}]
    assert around_midnight_before(last_day + timedelta(days=31)) == [NOTHING, NOTHING | {"purged": 1}]
    assert now(license) is None


def test_the_system_expired_it(fire):
    store = a_vendor()
    license = a_license(store, expires_in_days=-1)

    fire()

    with read_only() as session:
        (entry,) = session.query(AuditLog).all()
    assert (entry.action, entry.target_type, entry.target_id) == ("license.expired", "license", license.id)
    assert (entry.actor_role, entry.actor_user_id) == ("system", None)
    assert entry.before == {"status": "verified"}
    assert entry.after == {"status": "expired", "store_id": str(store.id), "kyc_status": "expired"}


@pytest.mark.parametrize("status", [PENDING, VERIFIED, REJECTED])
def test_every_license_ends(fire, events, status):
    license = a_license(status=status, expires_in_days=-1)

    assert fire() == NOTHING | {"expired": 1}
    assert now(license).status is EXPIRED
    assert [event.from_status for event in events.emitted()] == [status]


def test_a_store_with_another_good_license_stays_verified(fire, events):
    store = a_vendor()
    a_license(store, expires_in_days=-1)
    a_license(store, expires_in_days=100)

    fire()

    assert kyc_of(store) is KycStatus.VERIFIED
    assert [event.kyc_status for event in events.emitted()] == ["verified"]


def test_a_renewal_under_review_keeps_the_store_waiting(fire):
    store = a_buyer()
    a_license(store, expires_in_days=-1)
    a_license(store, status=PENDING, expires_in_days=100)

    fire()

    assert kyc_of(store) is KycStatus.PENDING_VERIFICATION


def test_a_suspended_store_stays_suspended(fire):
    store = a_vendor(kyc_status=KycStatus.SUSPENDED)
    a_license(store, expires_in_days=-1)

    fire()

    assert kyc_of(store) is KycStatus.SUSPENDED


def test_after_thirty_days_it_is_gone_with_its_document(fire, freeze, events):
    store = a_vendor(kyc_status=KycStatus.EXPIRED)
    license = a_license(store, status=EXPIRED, expires_in_days=-30)
    document = document_of(license)

    at_thirty = fire()
    freeze(MORNING + timedelta(days=1))
    after_thirty = fire()

    assert (at_thirty, after_thirty) == (NOTHING, NOTHING | {"purged": 1})
    assert (now(license), users_of(document)) == (None, [])
    assert (media_now(document).status, media_now(document).status_before_deletion) == (
        MediaStatus.DELETE_REQUESTED,
        MediaStatus.UPLOADED,
    )
    assert media_now(document).delete_requested_at == MORNING + timedelta(days=1)
    assert events.emitted() == [MediaDeleted(media_id=document.id, store_id=store.id, kind="license_doc")]
    assert audited() == [("license.purged", license.id, None)]
    assert kyc_of(store) is KycStatus.PENDING_VERIFICATION


def test_a_document_that_another_license_shows_stays(fire, events):
    store = a_vendor()
    shared = a_media(store, "license_doc")
    old = a_license(store, status=EXPIRED, expires_in_days=-31, media_id=shared.id)
    attached(shared, EntityType.LICENSE, old.id)
    renewed = a_license(store, media_id=shared.id)
    attached(shared, EntityType.LICENSE, renewed.id)

    assert fire() == NOTHING | {"purged": 1}

    assert users_of(shared) == [("license", renewed.id)]
    assert (media_now(shared).status, events.emitted()) == (MediaStatus.UPLOADED, [])
    assert kyc_of(store) is KycStatus.VERIFIED


def test_a_document_whose_deletion_failed_is_asked_for_again(fire, events):
    license = a_license(status=EXPIRED, expires_in_days=-31)
    from shared.kit.db import transaction

    with transaction() as session:
        document = session.get_one(Media, license.media_id)
        document.status, document.status_before_deletion = MediaStatus.DELETE_FAILED, MediaStatus.READY

    fire()

    held = media_now(document)
    assert (held.status, held.status_before_deletion) == (MediaStatus.DELETE_REQUESTED, MediaStatus.READY)
    assert events.types() == ["media_deleted"]


@pytest.mark.parametrize("status", [PENDING, VERIFIED, REJECTED])
def test_only_expired_licenses_are_purged(fire, status):
    """One that nobody has looked at for so long expires first, and goes in the same run."""
    license = a_license(status=status, expires_in_days=-31)

    assert fire() == {"warned": 0, "expired": 1, "purged": 1}
    assert now(license) is None
    assert [action for action, _, _ in audited()] == ["license.expired", "license.purged"]


def test_running_twice_does_everything_once(fire, events):
    a_license(expires_in_days=3)
    a_license(expires_in_days=-3)
    a_license(status=EXPIRED, expires_in_days=-40)

    first = fire()
    told = events.rows()
    second = fire()

    assert (first, second) == ({"warned": 1, "expired": 1, "purged": 1}, NOTHING)
    assert [row.id for row in events.rows()] == [row.id for row in told]
    assert len(audited()) == 2


def test_a_job_that_is_asked_to_stop_leaves_the_rest_to_the_next(fire, monkeypatch, events):
    a_license(expires_in_days=3)
    monkeypatch.setattr(stopping, "_asked", True)

    stopped = fire()
    monkeypatch.undo()

    assert (stopped, events.types()) == (NOTHING, [])
    assert fire() == NOTHING | {"warned": 1}
