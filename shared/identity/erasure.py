"""Deleted stores are erased a month later.

What other contexts keep of a store is theirs to judge: each tells its `Traces` in its own `erasure`, and the
job that erases brings them together. With orders or money that must stay, the store stays too, but nameless.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from shared.identity.models import Store, StoreMembership
from shared.kit import clock
from shared.kit.errors import NotFound
from shared.media import deletion as media_deletion
from shared.media.models import EntityType, Media, MediaAttachment, MediaStatus
from shared.operations.audit import audit

KEPT_AFTER = timedelta(days=30)


class Erasure(StrEnum):
    """How far a store is erased; one that waits for its files to be deleted is taken up again."""

    DELETED = "deleted"
    ANONYMISED = "anonymised"
    WAITING = "waiting"


_KEPT_FOR_ORDERS = (EntityType.ORDER_MANIFEST, EntityType.ORDER_SIGNATURE)
"""What uses the files that stay with the orders of both sides."""


@dataclass(frozen=True)
class Traces:
    """What a context keeps of a store.

    `must_stay` says whether something has to outlive it, and `forget` deletes the rest by a number of
    statements that does not depend on the rows.
    """

    must_stay: Callable[[Session, UUID], bool]
    forget: Callable[[Session, UUID], None]


def list_due(session: Session, limit: int) -> list[UUID]:
    """Stores that were deleted a month ago and are not erased yet, the longest first."""
    due = select(Store.id).where(*_due())
    return list(session.scalars(due.order_by(Store.deleted_at, Store.id).limit(limit)))


def erase(session: Session, store_id: UUID, traces: Sequence[Traces]) -> Erasure:
    """Erase a store that is due. Its files go first, by an event for each, and the store when they are gone.

    Raises NotFound for one that is not due, or that a rival was faster with.
    """
    store = _lock_due(session, store_id)
    must_stay = any(trace.must_stay(session, store_id) for trace in traces)
    for trace in traces:
        trace.forget(session, store_id)
    if _let_files_go(session, store_id):
        return Erasure.WAITING
    if must_stay:
        _anonymise(session, store)
        return Erasure.ANONYMISED
    audit(session, "store.erased", "store", store_id, after={"outcome": Erasure.DELETED})
    session.execute(delete(Media).where(Media.store_id == store_id))
    session.execute(delete(Store).where(Store.id == store_id))
    return Erasure.DELETED


def _lock_due(session: Session, store_id: UUID) -> Store:
    store = session.scalar(select(Store).where(Store.id == store_id, *_due()).with_for_update())
    if store is None:
        raise NotFound
    return store


def _due() -> tuple[ColumnElement[bool], ...]:
    return (
        Store.deleted_at.is_not(None),
        Store.deleted_at <= clock.now() - KEPT_AFTER,
        Store.anonymised_at.is_(None),
    )


def _let_files_go(session: Session, store_id: UUID) -> int:
    """Detach the files of a store, those of orders aside, and ask for their deletion; how many are still there."""
    theirs = (MediaAttachment.store_id == store_id, MediaAttachment.entity_type.not_in(_KEPT_FOR_ORDERS))
    session.execute(delete(MediaAttachment).where(*theirs))
    in_use = select(MediaAttachment.media_id).where(MediaAttachment.store_id == store_id)
    going = (Media.store_id == store_id, Media.id.not_in(in_use))
    media_deletion.request_unused(session, list(session.scalars(select(Media.id).where(*going))))
    left = select(func.count()).select_from(Media).where(*going, Media.status != MediaStatus.DELETED)
    return session.scalar(left) or 0


def _anonymise(session: Session, store: Store) -> None:
    """Leave of a store its id, its type and its state, for the orders and the money that refer to it."""
    nothing = {
        **dict.fromkeys(("dba_name", "description", "phone", "email", "line2", "square_customer_id")),
        **dict.fromkeys(("logo_media_id", "banner_media_id", "suspended_reason")),
        **dict.fromkeys(("line1", "city", "postal_code"), ""),
        **dict.fromkeys(("lat", "lng"), 0),
    }
    for field, value in nothing.items():
        setattr(store, field, value)
    store.company_name, store.slug = "Deleted store", f"deleted-{store.id.hex}"
    store.social_links, store.categories, store.subscription_active = {}, [], False
    store.anonymised_at = clock.now()
    session.execute(delete(StoreMembership).where(StoreMembership.store_id == store.id))
    audit(session, "store.erased", "store", store.id, after={"outcome": Erasure.ANONYMISED})
