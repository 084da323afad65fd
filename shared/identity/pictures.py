"""Pictures of people and stores: an uploaded file becomes the one that is shown."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from shared.identity.models import Store, User
from shared.kit.errors import Forbidden, NotFound
from shared.media.attachments import reconcile
from shared.media.models import EntityType, Media, MediaStatus

STORE_PICTURES = {
    "logo_media_id": EntityType.STORE_LOGO,
    "banner_media_id": EntityType.STORE_BANNER,
}
"""The columns of a store that show a file, with what they use it for."""


def picture_url(media_id: InstrumentedAttribute[Any]) -> ColumnElement[str | None]:
    """Where everybody finds the picture that a column names; null without one, and until it is ready."""
    shown = select(Media.public_url).where(Media.id == media_id, Media.status == MediaStatus.READY)
    return shown.scalar_subquery()


@dataclass(frozen=True)
class StoreInPublic:
    """A store with the addresses of its pictures."""

    store: Store
    logo_url: str | None
    banner_url: str | None


def get_store_in_public(session: Session, store_id: UUID) -> StoreInPublic:
    """The store with its pictures. Raises NotFound, also for a deleted one."""
    pictures = (picture_url(Store.logo_media_id), picture_url(Store.banner_media_id))
    row = session.execute(select(Store, *pictures).where(Store.id == store_id, Store.deleted_at.is_(None))).first()
    if row is None:
        raise NotFound
    return StoreInPublic(*row)


def show_store(session: Session, store: Store, column: str, media_id: UUID | None) -> None:
    """Show a file of its own as the picture of a locked store, or none.

    Raises MediaNotFound, InvalidRequest for a file of another kind, MediaNotAttachable.
    """
    reconcile(session, store.id, STORE_PICTURES[column], store.id, [media_id] if media_id else [])
    setattr(store, column, media_id)


def show_user(session: Session, user: User, media_id: UUID | None, *, from_store_id: UUID | None) -> None:
    """Show a file of the store for which a locked user acts as their picture, or none.

    Raises Forbidden when they act for no store, and what `show_store` raises.
    """
    if media_id is None:
        reconcile(session, user.id, EntityType.USER_AVATAR, user.id, [])
    elif from_store_id is None:
        raise Forbidden("Choose a store first.", details={"reason": "no_active_store"})
    else:
        reconcile(session, from_store_id, EntityType.USER_AVATAR, user.id, [media_id])
    user.avatar_media_id = media_id
