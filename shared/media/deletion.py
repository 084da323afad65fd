"""Asking for a media to be deleted; the deletion itself follows the event."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import case, select, update
from sqlalchemy.orm import Session

from shared.kit import clock
from shared.kit.errors import Conflict
from shared.kit.outbox import emit
from shared.media import attachments, queries
from shared.media.kinds import MediaKind
from shared.media.models import TRANSITIONS, Media, MediaCannotMove, MediaStatus

_DOCUMENT_DELETABLE = frozenset(
    {MediaStatus.UPLOADED, MediaStatus.READY, MediaStatus.FAILED, MediaStatus.DELETE_FAILED}
)
_DELETABLE = tuple(status for status, later in TRANSITIONS.items() if MediaStatus.DELETE_REQUESTED in later)


class MediaInUse(Conflict):
    default_message = "Something that must keep this file uses it."


def request_deletion(session: Session, store_id: UUID, media_id: UUID) -> Media:
    """Take a media out of use and announce that it shall go; asking again changes nothing.

    Raises MediaNotFound, MediaInUse naming what protects it, MediaCannotMove.
    """
    media = queries.lock_media(session, store_id, media_id)
    protecting = attachments.list_protecting(session, media_id)
    if protecting:
        named = [{"entity_type": held.entity_type, "entity_id": str(held.entity_id)} for held in protecting]
        raise MediaInUse(details={"reason": "media_in_use", "attachments": named})
    if media.status is MediaStatus.DELETE_REQUESTED:
        return media
    if not _may_go(media):
        raise MediaCannotMove(details={"reason": f"media_{media.status}"})
    emit(session, media.request_deletion())
    return media


def request_if_unused(session: Session, store_id: UUID, media_id: UUID) -> bool:
    """The same for a media that its last user let go of; whether its deletion is announced now."""
    media = queries.lock_media(session, store_id, media_id)
    if media.status is MediaStatus.DELETE_REQUESTED or not _may_go(media) or attachments.is_used(session, media_id):
        return False
    emit(session, media.request_deletion())
    return True


def request_unused(session: Session, media_ids: Collection[UUID]) -> int:
    """The same for many media of any stores, by four statements; how many deletions are announced now."""
    locked = select(Media).where(Media.id.in_(media_ids), Media.status.in_(_DELETABLE))
    held = list(session.scalars(locked.order_by(Media.id).with_for_update()))
    # Asked when all are held: whoever attaches one holds it too.
    used = attachments.used_among(session, [media.id for media in held]) if held else set()
    going = [media for media in held if _may_go(media) and media.id not in used]
    if not going:
        return 0
    values = {
        "status": MediaStatus.DELETE_REQUESTED,
        "delete_requested_at": clock.now(),
        "status_before_deletion": case(
            (Media.status == MediaStatus.DELETE_FAILED, Media.status_before_deletion), else_=Media.status
        ),
    }
    session.execute(update(Media).where(Media.id.in_([media.id for media in going])).values(values))
    emit(session, *(media.deletion() for media in going))
    return len(going)


def _may_go(media: Media) -> bool:
    """A license document is left alone while it is on its way: before it is checked, and while it is read."""
    return media.kind is not MediaKind.LICENSE_DOC or media.status in _DOCUMENT_DELETABLE
