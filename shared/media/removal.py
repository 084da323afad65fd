"""A media goes: first what used it does without it, then its bytes are removed, and its row last.

Whatever stops in between is taken up again: every step finds done what is done.
"""

from uuid import UUID

from sqlalchemy.orm import Session

from shared.integrations.gcs import object_store
from shared.kit.db import read_only, transaction
from shared.kit.errors import ApiError
from shared.kit.logging import log
from shared.media import attachments, queries
from shared.media.deletion import MediaInUse
from shared.media.models import Media, MediaStatus
from shared.media.storage import MediaSettings, derived_prefix
from shared.operations.audit import audit

_GOING = frozenset({MediaStatus.DELETE_REQUESTED, MediaStatus.DELETE_FAILED})


def lock_if_going(session: Session, media_id: UUID) -> Media | None:
    """A media that shall go and may, held until the transaction ends.

    When something must keep it since it was asked to go, that is refused: it returns to its former status.
    Raises MediaInUse when something must keep a media of which parts may be gone already.
    """
    media = queries.lock_by_id(session, media_id)
    if media is None or media.status not in _GOING:
        log.info("media_not_going", media_id=str(media_id), status=media and media.status)
        return None
    protecting = attachments.list_protecting(session, media_id)
    if not protecting:
        return media
    kept_by = [f"{held.entity_type}:{held.entity_id}" for held in protecting]
    if media.status is MediaStatus.DELETE_FAILED:
        raise MediaInUse(details={"reason": "media_in_use", "attachments": kept_by})
    media.refuse_deletion()
    audit(session, "media.deletion_refused", "media", media_id, after={"status": media.status, "kept_by": kept_by})
    return None


def remove(media_id: UUID) -> None:
    """Remove the bytes and then the row of a media that shall go and that nothing uses any more.

    One that is gone, that need not go, or that is still used stays as it is. A failure leaves it
    `delete_failed` with the reason, and is raised.
    """
    with read_only() as session:
        media = queries.find_by_id(session, media_id)
        if media is None or not _is_free(session, media):
            return
    try:
        _remove_bytes(media)
        _remove_row(media_id)
    except Exception as error:
        _note(media_id, error)
        raise


def _is_free(session: Session, media: Media) -> bool:
    return media.status in _GOING and not attachments.is_used(session, media.id)


def _remove_bytes(media: Media) -> None:
    """The original last: while it is there, everything else can be made again."""
    settings, store = MediaSettings.current(), object_store()
    for bucket in (settings.public_media_bucket, settings.media_bucket):
        for listed in store.list_objects(bucket, prefix=derived_prefix(media.id)):
            store.delete(bucket, listed.key)
    store.delete(settings.media_bucket, media.object_key)


def _remove_row(media_id: UUID) -> None:
    with transaction() as session:
        media = queries.lock_by_id(session, media_id)
        if media is None or not _is_free(session, media):
            return
        audit(session, "media.deleted", "media", media_id, before=_shown(media))
        session.delete(media)


def _note(media_id: UUID, error: Exception) -> None:
    reason = error.message if isinstance(error, ApiError) else f"Unexpected: {type(error).__name__}."
    with transaction() as session:
        media = queries.lock_by_id(session, media_id)
        if media is not None and media.status in _GOING:
            media.fail_deletion(reason)
            audit(session, "media.deletion_failed", "media", media_id, after={"reason": reason})


def _shown(media: Media) -> dict[str, str | int]:
    return {
        "store_id": str(media.store_id),
        "kind": media.kind,
        "mime_type": media.mime_type,
        "size_bytes": media.size_bytes,
        "object_key": media.object_key,
    }
