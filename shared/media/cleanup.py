"""What uploads and deletions leave behind when they stop half way, put right every day.

Each function goes through everything that is due now, batch by batch, and ends early when asked to stop.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, literal, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from shared.integrations.gcs import ListedObject, StoredObject, object_store
from shared.kit import clock, stopping
from shared.kit.db import read_only, transaction
from shared.kit.object_trigger import FinalizedObject
from shared.kit.outbox import emit
from shared.media.finalize import finalize
from shared.media.models import Media, MediaStatus
from shared.media.storage import MediaSettings, media_id_of_derived

LEFT_ALONE = timedelta(days=7)
ASKED_AGAIN_AFTER = timedelta(days=1)
BATCH = 500


class Settled(StrEnum):
    """What became of a leave to upload that nothing was heard of."""

    REMOVED = "removed"
    FINALIZED = "finalized"


def settle_pending() -> dict[Settled, int]:
    """Remove `pending` rows of more than 7 days without an object, and finalize late those that have one."""
    is_due = (Media.status == MediaStatus.PENDING, Media.created_at < clock.now() - LEFT_ALONE)
    counts = dict.fromkeys(Settled, 0)
    for batch in _batches(Media.created_at, is_due, _read):
        stored = {media.id: object_store().stat(_bucket(), media.object_key) for media in batch}
        for media in batch:
            found = stored[media.id]
            if found is not None:
                finalize(_as_told(media, found))
                counts[Settled.FINALIZED] += 1
        counts[Settled.REMOVED] += _remove_rows([media.id for media in batch if stored[media.id] is None])
    return counts


def ask_again() -> int:
    """Announce anew the deletions that were asked for more than a day ago; how many."""
    is_due = (
        Media.status == MediaStatus.DELETE_REQUESTED,
        Media.delete_requested_at < clock.now() - ASKED_AGAIN_AFTER,
    )
    return sum(len(batch) for batch in _batches(Media.delete_requested_at, is_due, _announce))


def remove_orphans() -> int:
    """Remove objects of more than 7 days, in either bucket, that belong to no row; how many."""
    settings, count = MediaSettings.current(), 0
    for bucket in (settings.media_bucket, settings.public_media_bucket):
        old = (each for each in object_store().list_objects(bucket) if each.created_at < clock.now() - LEFT_ALONE)
        while not stopping.is_asked() and (batch := list(islice(old, BATCH))):
            orphans = _without_row(batch)
            for orphan in orphans:
                # Only what was seen: an upload of this moment stays.
                object_store().delete(bucket, orphan.key, generation=orphan.stored.generation)
            count += len(orphans)
    return count


Take = Callable[[Select[Media]], list[Media]]


def _batches(
    since: InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None],
    is_due: Sequence[ColumnElement[bool]],
    take: Take,
) -> Iterator[list[Media]]:
    """Media that are due, the oldest first; each comes once, whatever becomes of it."""
    key, after = (since, Media.id), None
    while not stopping.is_asked():
        wanted = select(Media).where(*is_due).order_by(*key).limit(BATCH)
        if after is not None:
            bounds = (literal(value, column.type) for value, column in zip(after, key, strict=True))
            wanted = wanted.where(tuple_(*key) > tuple_(*bounds))
        batch = take(wanted)
        if batch:
            yield batch
        if len(batch) < BATCH:
            return
        after = (getattr(batch[-1], since.key), batch[-1].id)


def _read(wanted: Select[Media]) -> list[Media]:
    with read_only() as session:
        return list(session.scalars(wanted))


def _announce(wanted: Select[Media]) -> list[Media]:
    """In one transaction for each batch, which passes over what is being removed at this moment."""
    with transaction() as session:
        batch = list(session.scalars(wanted.with_for_update(skip_locked=True)))
        emit(session, *(media.deletion() for media in batch))
        return batch


def _bucket() -> str:
    return MediaSettings.current().media_bucket


def _as_told(media: Media, stored: StoredObject) -> FinalizedObject:
    """The event that was never heard, as the storage would have sent it."""
    return FinalizedObject(
        event_id=f"late-{media.id}",
        bucket=_bucket(),
        key=media.object_key,
        generation=stored.generation,
        size_bytes=stored.size_bytes,
        content_type=stored.content_type,
        md5_hash=stored.md5_hash,
    )


def _remove_rows(media_ids: Collection[UUID]) -> int:
    if not media_ids:
        return 0
    # The leave to upload ended long ago, so no object can have come since; a row may have been asked to go.
    still = (Media.id.in_(media_ids), Media.status == MediaStatus.PENDING)
    with transaction() as session:
        return len(session.scalars(delete(Media).where(*still).returning(Media.id)).all())


def _without_row(listed: Sequence[ListedObject]) -> list[ListedObject]:
    owners = {each.key: media_id_of_derived(each.key) for each in listed}
    originals = [key for key, owner in owners.items() if owner is None]
    with read_only() as session:
        known = _known(session, originals, {owner for owner in owners.values() if owner is not None})
    return [each for each in listed if (owners[each.key] or each.key) not in known]


def _known(session: Session, keys: Collection[str], media_ids: Collection[UUID]) -> set[str | UUID]:
    """Those of the keys and ids that a row has."""
    rows = session.execute(
        select(Media.id, Media.object_key).where(Media.object_key.in_(keys) | Media.id.in_(media_ids))
    )
    return {name for row in rows for name in (row.id, row.object_key)}
