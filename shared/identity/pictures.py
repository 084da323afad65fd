"""Pictures of people and stores: an uploaded file becomes the one that is shown."""

from uuid import UUID

from sqlalchemy.orm import Session

from shared.identity.models import Store, User
from shared.kit.errors import Forbidden
from shared.media.attachments import reconcile
from shared.media.models import EntityType

STORE_PICTURES = {
    "logo_media_id": EntityType.STORE_LOGO,
    "banner_media_id": EntityType.STORE_BANNER,
}
"""The columns of a store that show a file, with what they use it for."""


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
