"""What each kind of thing is without a file that it used: galleries close their gaps, single places become empty."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from shared.catalog.gallery import refresh_thumbnails
from shared.catalog.models import Product
from shared.identity.models import Store, User
from shared.media.attachments import drop_media
from shared.media.models import EntityType, MediaAttachment
from shared.operations.audit import audit

_PLACES: Mapping[EntityType, tuple[type[Product | Store | User], InstrumentedAttribute[UUID | None]]] = {
    EntityType.PRODUCT_COA: (Product, Product.coa_media_id),
    EntityType.STORE_LOGO: (Store, Store.logo_media_id),
    EntityType.STORE_BANNER: (Store, Store.banner_media_id),
    EntityType.USER_AVATAR: (User, User.avatar_media_id),
}
"""The columns that hold the one file of a kind that a thing may use."""

_LOCKED: Mapping[type[Product | Store | User], frozenset[EntityType]] = {
    Product: frozenset({EntityType.PRODUCT_GALLERY, EntityType.PRODUCT_COA}),
    Store: frozenset({EntityType.STORE_LOGO, EntityType.STORE_BANNER}),
    User: frozenset({EntityType.USER_AVATAR}),
}


def lock_all(session: Session, users: Sequence[MediaAttachment]) -> None:
    """Hold the things that use a file, as whoever edits them does: before the file itself."""
    for model, entity_types in _LOCKED.items():
        ids = {user.entity_id for user in users if user.entity_type in entity_types}
        if ids:
            held = select(model.id).where(model.id.in_(ids)).order_by(model.id)
            session.execute(held.with_for_update(key_share=True))


def detach(session: Session, media_id: UUID, users: Sequence[MediaAttachment]) -> None:
    """Make all of them do without the file; they are held."""
    if not users:
        return
    for entity_type, (model, column) in _PLACES.items():
        ids = [user.entity_id for user in users if user.entity_type is entity_type]
        if ids:
            session.execute(update(model).where(model.id.in_(ids), column == media_id).values({column: None}))
    # As long as the gallery still tells which products they are.
    refresh_thumbnails(session, media_id)
    drop_media(session, media_id)
    used_by = sorted(f"{user.entity_type}:{user.entity_id}" for user in users)
    audit(session, "media.detached", "media", media_id, before={"used_by": used_by})
