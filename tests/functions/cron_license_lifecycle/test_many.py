"""Thousands of licenses cost a fixed number of statements for each batch, and two runs at once share them."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import func, select

from shared.identity.models import KycStatus, Store
from shared.kit import clock
from shared.kit.db import read_only, transaction
from shared.kit.ids import new_id
from shared.kit.tables import insert_all
from shared.licensing import lifecycle
from shared.licensing.models import License, LicenseStatus
from shared.media.models import Media, MediaAttachment, MediaStatus
from tests.builders.stores import a_vendor
from tests.events import audited

MORNING = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def morning(freeze):
    freeze(MORNING)


def licenses_of(stores: list[Store], count: int, *, expires_in_days: int, status: str = "verified") -> None:
    """So many licenses with their documents, dealt out to the stores."""
    at, ends = clock.now().isoformat(), (MORNING.date() + timedelta(days=expires_in_days)).isoformat()
    begins = (MORNING.date() - timedelta(days=400)).isoformat()
    licenses, media, used = [], [], []
    for n in range(count):
        store, license_id, media_id = stores[n % len(stores)], new_id(), new_id()
        media.append(
            {
                "id": media_id,
                "store_id": store.id,
                "kind": "license_doc",
                "status": "ready",
                "mime_type": "application/pdf",
                "file_name": "license.pdf",
                "size_bytes": 1_234,
                "object_key": f"{store.id}/license_doc/{media_id}.pdf",
                "created_at": at,
            }
        )
        licenses.append(
            {
                "id": license_id,
                "store_id": store.id,
                "type": "grower",
                "number": f"GAAA-{license_id}",
                "issuing_state": "OK",
                "issued_on": begins,
                "expires_on": ends,
                "status": status,
                "media_id": media_id,
                "created_at": at,
            }
        )
        used.append(
            {
                "entity_type": "license",
                "entity_id": license_id,
                "media_id": media_id,
                "store_id": store.id,
                "position": 0,
                "created_at": at,
            }
        )
    with transaction() as session:
        insert_all(session, Media, media)
        insert_all(session, License, licenses)
        insert_all(session, MediaAttachment, used)


def count(model, *where) -> int:
    with read_only() as session:
        return session.scalar(select(func.count()).select_from(model).where(*where))


def test_five_thousand_expire_in_batches_of_five_hundred(fire, events, statements):
    stores = [a_vendor() for _ in range(40)]
    licenses_of(stores, 5_000, expires_in_days=-1)

    with statements() as cost:
        done = fire()

    assert done == {"warned": 0, "expired": 5_000, "purged": 0}
    assert count(License, License.status == LicenseStatus.EXPIRED) == 5_000
    assert count(Store, Store.kyc_status == KycStatus.EXPIRED) == 40
    assert len({event.license_id for event in events.emitted()}) == 5_000
    assert len(audited("license.expired")) == 5_000
    # Ten batches: lock, expire, audit, announce; lock the stores and read their licenses, and once their status.
    # The first of them changes all stores. Then an eleventh look, and one each for what there is none of.
    assert cost.sql == 10 * 6 + 1 + 1 + 2


@pytest.mark.parametrize(
    ("expires_in_days", "status", "statement_count"),
    [
        (7, "verified", 3 + 2),  # lock, mark, announce
        (-1, "verified", 7 + 2),  # as above
        (-31, "expired", 11 + 2),  # lock, delete, let go; documents: 4; mirror: 3, audit: 1
    ],
)
def test_statements_do_not_grow_with_the_batch(fire, statements, expires_in_days, status, statement_count):
    costs = []
    for size in (1, 400):
        licenses_of([a_vendor() for _ in range(min(size, 20))], size, expires_in_days=expires_in_days, status=status)
        with statements() as cost:
            done = fire()
        assert sum(done.values()) == size
        costs.append(cost.sql)

    assert costs == [statement_count, statement_count]


def test_two_runs_at_once_share_the_work(committed_database, fire, events, monkeypatch):
    monkeypatch.setattr(lifecycle, "BATCH", 20)
    stores = [a_vendor() for _ in range(7)]
    licenses_of(stores, 150, expires_in_days=7)
    licenses_of(stores, 150, expires_in_days=-1)
    licenses_of(stores, 150, expires_in_days=-31, status="expired")
    together = Barrier(2)

    def run():
        together.wait()
        return fire()

    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(run) for _ in range(2)]
        done = [run.result() for run in runs]
    rest = fire()

    assert sum((Counter(counts) for counts in (*done, rest)), Counter()) == {
        "warned": 150,
        "expired": 150,
        "purged": 150,
    }
    assert Counter(events.types()) == {
        "license_expiring_soon": 150,
        "license_status_changed": 150,
        "media_deleted": 150,
    }
    assert len({row.aggregate_id for row in events.rows()}) == 450
    assert Counter(action for action, _, _ in audited()) == {"license.expired": 150, "license.purged": 150}
    assert (count(License), count(MediaAttachment)) == (300, 300)
    assert count(Media, Media.status == MediaStatus.DELETE_REQUESTED) == 150
    assert {store.kyc_status for store in stores_now(stores)} == {KycStatus.VERIFIED}


def stores_now(stores: list[Store]) -> list[Store]:
    with read_only() as session:
        return list(session.scalars(select(Store).where(Store.id.in_([store.id for store in stores]))))


def test_what_somebody_holds_is_left_for_the_next_run(committed_database, fire, events):
    vendor = a_vendor()
    licenses_of([vendor], 3, expires_in_days=7)

    with transaction() as session:
        held = session.scalars(select(License).order_by(License.id).limit(1).with_for_update()).one()
        beside = fire()
    after = fire()

    assert (beside["warned"], after["warned"]) == (2, 1)
    assert events.rows()[-1].aggregate_id == held.id
