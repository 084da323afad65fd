"""Stores that were deleted a month ago are erased by the nightly job, one by one."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from functions.cron_retention import stores
from shared.events.media import MediaDeleted
from shared.identity.deletion import delete_store
from shared.identity.erasure import KEPT_AFTER
from shared.identity.models import Store
from shared.kit import clock, stopping
from shared.kit.db import read_only, transaction
from shared.media.kinds import MediaKind
from shared.media.models import EntityType
from tests.builders.media import a_media, attached
from tests.builders.orders import an_order
from tests.builders.stores import a_buyer, a_vendor
from tests.jobs import fire_job

MOMENT = timedelta(microseconds=1)


@pytest.fixture
def fire():
    # Imported here, because a function reads its settings when it is imported, and the servers come first.
    from functions.cron_retention.main import main

    def outcomes() -> dict[str, int]:
        done = fire_job(main).items()
        return {name.removeprefix("stores_"): count for name, count in done if name.startswith("stores_") and count}

    return outcomes


@pytest.fixture(autouse=True)
def now(freeze):
    moment = clock.now()
    freeze(moment)
    return moment


def deleted(store: Store, *, ago: timedelta = KEPT_AFTER) -> Store:
    with transaction() as session:
        delete_store(session, store.id)
        session.execute(update(Store).where(Store.id == store.id).values(deleted_at=clock.now() - ago))
    return store


def name_of(store: Store) -> str | None:
    with read_only() as session:
        left = session.get(Store, store.id)
        return left and left.company_name


def test_each_store_goes_as_far_as_it_may(fire, events):
    empty, fresh, open_store = deleted(a_buyer()), deleted(a_buyer(), ago=KEPT_AFTER - MOMENT), a_buyer()
    seller = a_vendor()
    an_order(vendor=seller)
    deleted(seller)
    pictured = a_vendor()
    logo = a_media(pictured, MediaKind.STORE)
    attached(logo, EntityType.STORE_LOGO, pictured.id)
    deleted(pictured)

    assert fire() == {"deleted": 1, "anonymised": 1, "waiting": 1}
    assert (name_of(empty), name_of(seller)) == (None, "Deleted store")
    assert [name_of(store) for store in (fresh, open_store, pictured)] == [
        store.company_name for store in (fresh, open_store, pictured)
    ]
    assert [event.media_id for event in events.emitted(MediaDeleted)] == [logo.id]


def test_a_second_run_takes_up_only_what_waits(fire, events):
    deleted(a_buyer())
    pictured = a_vendor()
    attached(a_media(pictured, MediaKind.STORE), EntityType.STORE_LOGO, pictured.id)
    deleted(pictured)

    assert [fire(), fire()] == [{"deleted": 1, "waiting": 1}, {"waiting": 1}]
    assert len(events.emitted(MediaDeleted)) == 1


def test_one_that_fails_stops_no_other(fire, monkeypatch):
    first, second = deleted(a_buyer(), ago=2 * KEPT_AFTER), deleted(a_buyer())
    erase = stores.erase

    def fails_for_the_first(session, store_id, traces):
        if store_id == first.id:
            raise RuntimeError("told to fail")
        return erase(session, store_id, traces)

    monkeypatch.setattr(stores, "erase", fails_for_the_first)

    assert fire() == {"deleted": 1, "failed": 1}
    assert (name_of(first), name_of(second)) == (first.company_name, None)


def test_one_that_a_rival_erased_is_passed_over(fire, monkeypatch):
    gone = deleted(a_buyer())
    stale = [gone.id, gone.id]
    monkeypatch.setattr(stores, "list_due", lambda *_: stale)

    assert fire() == {"deleted": 1, "skipped": 1}


def test_asked_to_stop_it_begins_no_other_store(fire, monkeypatch):
    store = deleted(a_buyer())
    monkeypatch.setattr(stopping, "_asked", True)

    assert fire() == {}
    assert name_of(store) == store.company_name
