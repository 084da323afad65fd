"""What stopped half way is finished or cleared away, and what is under way is left alone."""

import io
from datetime import timedelta

import pytest
from flask import Request
from sqlalchemy import select
from werkzeug.test import EnvironBuilder

from shared.events.media import MediaDeleted, MediaUploaded
from shared.integrations.gcs import object_store
from shared.kit import clock, stopping
from shared.kit.db import read_only, transaction
from shared.kit.ids import new_id
from shared.media import cleanup, deletion
from shared.media.models import Media, MediaStatus
from shared.media.storage import derived_prefix
from tests.builders.media import a_media
from tests.media import media_now, stored, uploaded_bytes
from tests.samples import sample
from tests.storage import MEDIA_BUCKET, PUBLIC_MEDIA_BUCKET

PDF = sample("application/pdf")
WEEK = timedelta(days=7)
NOTHING = {"pending_removed": 0, "finalized_late": 0, "deletions_asked_again": 0, "orphans_removed": 0}


@pytest.fixture
def fire(object_storage):
    # Imported here, because a function reads its settings when it is imported, and the servers come first.
    from functions.cron_media_cleanup.main import main

    def run():
        body, status = main(Request(EnvironBuilder(method="POST").get_environ()))
        assert status == 200
        return body["data"]

    return run


@pytest.fixture(autouse=True)
def _empty_buckets(object_storage):
    """Other tests leave objects behind, which this job would count."""
    yield
    empty_buckets()


@pytest.fixture(autouse=True)
def start(object_storage, freeze):
    empty_buckets()
    now = clock.now()
    freeze(now)
    return now


def empty_buckets():
    for bucket in (MEDIA_BUCKET, PUBLIC_MEDIA_BUCKET):
        for listed in object_store().list_objects(bucket):
            object_store().delete(bucket, listed.key)


def pending(**fields):
    return a_media(
        kind="coa", status=MediaStatus.PENDING, **{"size_bytes": len(PDF), "created_at": clock.now(), **fields}
    )


def put(bucket, key):
    object_store().upload(bucket, key, io.BytesIO(b"bytes"), content_type="text/plain")


def keys_in(bucket):
    return [listed.key for listed in object_store().list_objects(bucket)]


def rows():
    with read_only() as session:
        return set(session.scalars(select(Media.id)))


@pytest.mark.parametrize(("age", "removed"), [(WEEK, 0), (WEEK + timedelta(microseconds=1), 1), (4 * WEEK, 1)])
def test_a_leave_to_upload_that_nobody_used_is_removed_after_a_week(fire, start, freeze, events, age, removed):
    media = pending()

    freeze(start + age)

    assert fire() == NOTHING | {"pending_removed": removed}
    assert rows() == (set() if removed else {media.id})
    assert events.types() == []


@pytest.mark.parametrize("status", [status for status in MediaStatus if status not in ("pending", "delete_requested")])
def test_every_other_status_stays(fire, start, freeze, events, status):
    media = a_media(status=status, created_at=start)

    freeze(start + 4 * WEEK)

    assert fire() == NOTHING
    assert (media_now(media).status, events.types()) == (status, [])


def test_an_upload_that_nothing_was_heard_of_is_finalized_late(fire, start, freeze, events):
    media = pending()
    found = uploaded_bytes(media, PDF)

    freeze(start + 2 * WEEK)
    first, second = fire(), fire()

    now = media_now(media)
    assert (first, second) == (NOTHING | {"finalized_late": 1}, NOTHING)
    assert (now.status, now.generation) == (MediaStatus.UPLOADED, found.generation)
    assert events.emitted() == [
        MediaUploaded(media_id=media.id, store_id=media.store_id, kind="coa", generation=found.generation)
    ]
    assert stored(media) == found


def test_a_late_upload_is_checked_like_any_other(fire, start, freeze, events):
    media = pending()
    uploaded_bytes(media, PDF + b"more")

    freeze(start + 2 * WEEK)
    fire()

    assert media_now(media).failure_reason == f"It has {len(PDF) + 4} bytes instead of {len(PDF)}."
    assert (media_now(media).status, stored(media), events.types()) == (MediaStatus.FAILED, None, [])


@pytest.mark.parametrize(("age", "count"), [(timedelta(days=1), 0), (timedelta(days=1, seconds=1), 1)])
def test_a_deletion_is_asked_for_again_after_a_day(fire, start, freeze, events, age, count):
    media = a_media(status=MediaStatus.DELETE_REQUESTED, delete_requested_at=start)

    freeze(start + age)

    expected = [MediaDeleted(media_id=media.id, store_id=media.store_id, kind="product")]
    assert fire() == NOTHING | {"deletions_asked_again": count}
    assert events.emitted() == expected * count
    assert (media_now(media).status, media_now(media).delete_requested_at) == (MediaStatus.DELETE_REQUESTED, start)


def test_what_is_being_removed_at_this_moment_is_passed_over(committed_database, fire, start, freeze, events):
    media = a_media(status=MediaStatus.DELETE_REQUESTED, delete_requested_at=start)
    freeze(start + timedelta(days=2))

    with transaction() as session:
        session.scalars(select(Media).where(Media.id == media.id).with_for_update()).one()
        done = fire()

    assert (done, events.types()) == (NOTHING, [])


def test_objects_without_a_row_are_removed_after_a_week(fire, start, freeze):
    media = a_media()
    uploaded_bytes(media, b"original")
    stranger = new_id()
    theirs = [derived_prefix(media.id) + name for name in ("1/image.webp", "raw_text.txt")]
    orphans = [derived_prefix(stranger) + "1/image.webp", "derived/nobody/image.webp", "derived/loose.txt", "loose.txt"]
    for key in (*theirs, *orphans):
        put(MEDIA_BUCKET, key)
        put(PUBLIC_MEDIA_BUCKET, key)
    put(MEDIA_BUCKET, f"{media.store_id}/product/{stranger}.png")

    freeze(clock.now() + timedelta(days=6, hours=23))
    early = fire()
    freeze(clock.now() + timedelta(hours=2))
    late, again = fire(), fire()

    assert (early, late, again) == (NOTHING, NOTHING | {"orphans_removed": 9}, NOTHING)
    assert keys_in(MEDIA_BUCKET) == sorted([media.object_key, *theirs])
    assert keys_in(PUBLIC_MEDIA_BUCKET) == sorted(theirs)


def test_what_changes_while_the_storage_is_asked_stays(fire, start, freeze, monkeypatch, events):
    media, key = pending(), derived_prefix(new_id()) + "1/image.webp"
    put(MEDIA_BUCKET, key)
    freeze(clock.now() + 2 * WEEK)
    look_up, without_row = object_store().stat, cleanup._without_row

    def asked_to_go_meanwhile(*where):
        with transaction() as session:
            deletion.request_deletion(session, media.store_id, media.id)
        return look_up(*where)

    def written_anew_meanwhile(listed):
        put(MEDIA_BUCKET, key)
        return without_row(listed)

    monkeypatch.setattr(object_store(), "stat", asked_to_go_meanwhile)
    monkeypatch.setattr(cleanup, "_without_row", written_anew_meanwhile)
    fire()

    assert (media_now(media).status, events.types()) == (MediaStatus.DELETE_REQUESTED, ["media_deleted"])
    assert keys_in(MEDIA_BUCKET) == [key]


def test_everything_is_done_in_batches(fire, start, freeze, monkeypatch, events):
    monkeypatch.setattr(cleanup, "BATCH", 2)
    for _ in range(5):
        pending()
        a_media(status=MediaStatus.DELETE_REQUESTED, delete_requested_at=start)
        put(MEDIA_BUCKET, derived_prefix(new_id()) + "raw_text.txt")

    freeze(clock.now() + 2 * WEEK)

    assert fire() == {"pending_removed": 5, "finalized_late": 0, "deletions_asked_again": 5, "orphans_removed": 5}
    assert events.types() == ["media_deleted"] * 5


def test_statements_do_not_grow_with_a_batch(fire, start, freeze, statements):
    costs = []
    for size in (1, 8):
        freeze(start)
        for _ in range(size):
            pending()
            a_media(status=MediaStatus.DELETE_REQUESTED, delete_requested_at=start)
            put(PUBLIC_MEDIA_BUCKET, derived_prefix(new_id()) + "1/image.webp")
        freeze(clock.now() + 2 * WEEK)
        with statements() as cost:
            fire()
        costs.append(cost.sql)

    # Read and remove the pending, lock and announce the deletions, look up the objects.
    assert costs == [5, 5]


def test_a_job_that_is_asked_to_stop_leaves_the_rest_to_the_next(fire, start, freeze, monkeypatch):
    media = pending()
    freeze(start + 2 * WEEK)
    with monkeypatch.context() as patched:
        patched.setattr(stopping, "_asked", True)

        assert fire() == NOTHING
    assert rows() == {media.id}
