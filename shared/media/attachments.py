"""What uses a media: one way to bring the attachments of a thing to what they should be."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.kit import clock
from shared.kit.errors import InvalidRequest, StateConflict
from shared.media.kinds import MediaKind
from shared.media.models import USABLE, EntityType, Media, MediaAttachment, MediaNotFound


@dataclass(frozen=True)
class AttachmentRule:
    """Which kinds fit, how many there may be, and whether a media in use this way cannot be deleted until released."""

    kinds: frozenset[MediaKind]
    is_single: bool = True
    is_protected: bool = False


RULES: Mapping[EntityType, AttachmentRule] = {
    EntityType.LICENSE: AttachmentRule(frozenset({MediaKind.LICENSE_DOC}), is_protected=True),
    EntityType.PRODUCT_GALLERY: AttachmentRule(frozenset({MediaKind.PRODUCT}), is_single=False),
    EntityType.PRODUCT_COA: AttachmentRule(frozenset({MediaKind.COA})),
    EntityType.STORE_LOGO: AttachmentRule(frozenset({MediaKind.STORE})),
    EntityType.STORE_BANNER: AttachmentRule(frozenset({MediaKind.STORE})),
    EntityType.USER_AVATAR: AttachmentRule(frozenset({MediaKind.USER})),
    EntityType.AD_CREATIVE: AttachmentRule(frozenset({MediaKind.ADS}), is_single=False, is_protected=True),
    EntityType.ORDER_MANIFEST: AttachmentRule(frozenset({MediaKind.MANIFEST, MediaKind.PDF}), is_protected=True),
    # A person's hand is nothing for everybody to see.
    EntityType.ORDER_SIGNATURE: AttachmentRule(frozenset({MediaKind.PDF, MediaKind.OTHER}), is_protected=True),
}

PROTECTED = frozenset(entity_type for entity_type, rule in RULES.items() if rule.is_protected)


class MediaNotAttachable(StateConflict):
    default_message = "The file is not uploaded yet, has failed, or is being deleted."


@dataclass(frozen=True)
class Changes:
    """Which media a thing began and ceased to use."""

    added: tuple[UUID, ...]
    removed: tuple[UUID, ...]


def reconcile(
    session: Session, store_id: UUID, entity_type: EntityType, entity_id: UUID, wanted: Sequence[UUID]
) -> Changes:
    """Make `wanted`, in this order, the media of a thing: adds, removes and reorders by four statements at most.

    The caller holds a lock on the thing. Media newly attached are held against deletion until the
    transaction ends; those attached before stay whatever became of them. Raises MediaNotFound for media
    that are not the store's, InvalidRequest for an unfit kind, a repeat or too many, MediaNotAttachable.
    """
    _refuse_odd_list(entity_type, wanted)
    present = _present(session, entity_type, entity_id)
    added = [media_id for media_id in wanted if media_id not in present]
    removed = [media_id for media_id in present if media_id not in wanted]
    _hold(session, store_id, entity_type, added)
    if removed:
        session.execute(
            delete(MediaAttachment).where(_of(entity_type, entity_id), MediaAttachment.media_id.in_(removed))
        )
    placed = {media_id: place for place, media_id in enumerate(wanted) if present.get(media_id) != place}
    if placed:
        _place(session, store_id, entity_type, entity_id, placed)
    return Changes(tuple(added), tuple(removed))


def list_protecting(session: Session, media_id: UUID) -> list[MediaAttachment]:
    """The attachments for whose sake this media may not be deleted."""
    found = session.scalars(
        select(MediaAttachment)
        .where(
            MediaAttachment.media_id == media_id,
            MediaAttachment.entity_type.in_(PROTECTED),
            MediaAttachment.released_at.is_(None),
        )
        .order_by(MediaAttachment.entity_type, MediaAttachment.entity_id)
    )
    return list(found)


def list_users(session: Session, media_id: UUID) -> list[MediaAttachment]:
    """Everything that uses this media."""
    return list(session.scalars(select(MediaAttachment).where(MediaAttachment.media_id == media_id)))


def is_used(session: Session, media_id: UUID) -> bool:
    """Whether anything at all uses this media."""
    return bool(session.scalar(select(exists().where(MediaAttachment.media_id == media_id))))


def used_among(session: Session, media_ids: Collection[UUID]) -> set[UUID]:
    """Those of these media that anything at all uses."""
    used = select(MediaAttachment.media_id).where(MediaAttachment.media_id.in_(media_ids))
    return set(session.scalars(used.distinct()))


def release(session: Session, entity_type: EntityType, entity_ids: Collection[UUID]) -> None:
    """These things protect no more what they use, as an ad that is archived; it stays theirs until it is deleted.

    The context of the things says so in the transaction of what happens to them.
    """
    those = (MediaAttachment.entity_type == entity_type, MediaAttachment.entity_id.in_(entity_ids))
    session.execute(update(MediaAttachment).where(*those).values(released_at=clock.now()))


def drop_all(session: Session, entity_type: EntityType, entity_ids: Collection[UUID]) -> None:
    """Let go of every media of things that are no more."""
    those = (MediaAttachment.entity_type == entity_type, MediaAttachment.entity_id.in_(entity_ids))
    session.execute(delete(MediaAttachment).where(*those))


def drop_media(session: Session, media_id: UUID) -> None:
    """Nothing uses this media any more; what stood behind it in a list moves up. The caller holds those lists."""
    gone = (
        delete(MediaAttachment)
        .where(MediaAttachment.media_id == media_id)
        .returning(MediaAttachment.entity_type, MediaAttachment.entity_id, MediaAttachment.position)
        .cte("gone")
    )
    behind = (
        MediaAttachment.entity_type == gone.c.entity_type,
        MediaAttachment.entity_id == gone.c.entity_id,
        MediaAttachment.position > gone.c.position,
    )
    moved = update(MediaAttachment).where(*behind).values(position=MediaAttachment.position - 1)
    session.execute(moved.execution_options(synchronize_session=False))


def _refuse_odd_list(entity_type: EntityType, wanted: Sequence[UUID]) -> None:
    if len(set(wanted)) != len(wanted):
        raise InvalidRequest.field(_field(entity_type), "A file is listed twice.")
    if RULES[entity_type].is_single and len(wanted) > 1:
        raise InvalidRequest.field(_field(entity_type), "Only one file fits here.")


def _field(entity_type: EntityType) -> str:
    return "media_id" if RULES[entity_type].is_single else "media_ids"


def _of(entity_type: EntityType, entity_id: UUID) -> ColumnElement[bool]:
    return and_(MediaAttachment.entity_type == entity_type, MediaAttachment.entity_id == entity_id)


def _present(session: Session, entity_type: EntityType, entity_id: UUID) -> dict[UUID, int]:
    rows = session.execute(
        select(MediaAttachment.media_id, MediaAttachment.position)
        .where(_of(entity_type, entity_id))
        .order_by(MediaAttachment.position)
    )
    return {row.media_id: row.position for row in rows}


def _hold(session: Session, store_id: UUID, entity_type: EntityType, media_ids: Sequence[UUID]) -> None:
    """Lock media in id order and refuse those that may not be attached."""
    if not media_ids:
        return
    rows = session.execute(
        select(Media.id, Media.kind, Media.status)
        .where(Media.id.in_(media_ids), Media.store_id == store_id)
        .order_by(Media.id)
        .with_for_update(read=True)
    )
    held = {media_id: (kind, status) for media_id, kind, status in rows}
    for media_id in media_ids:
        if media_id not in held:
            raise MediaNotFound(details={"media_id": str(media_id)})
        kind, status = held[media_id]
        if kind not in RULES[entity_type].kinds:
            raise InvalidRequest.field(_field(entity_type), f"A file of kind {kind} does not fit here.")
        if status not in USABLE:
            raise MediaNotAttachable(details={"reason": f"media_{status}", "media_id": str(media_id)})


def _place(
    session: Session, store_id: UUID, entity_type: EntityType, entity_id: UUID, placed: Mapping[UUID, int]
) -> None:
    """Add attachments at their places, and move those that are there to theirs."""
    rows = [
        {
            "entity_type": entity_type,
            "entity_id": entity_id,
            "media_id": media_id,
            "store_id": store_id,
            "position": position,
            "created_at": clock.now(),
        }
        for media_id, position in placed.items()
    ]
    statement = insert(MediaAttachment).values(rows)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["entity_type", "entity_id", "media_id"], set_={"position": statement.excluded.position}
        )
    )
