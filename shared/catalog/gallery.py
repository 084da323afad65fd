"""Pictures and the lab report of a product. The first picture of the gallery is its thumbnail."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from shared.catalog.models import Product
from shared.media.attachments import reconcile
from shared.media.models import EntityType, Media, MediaAttachment, MediaStatus


def show_gallery(session: Session, product: Product, media_ids: Sequence[UUID]) -> None:
    """Make these the pictures of a locked product, in this order.

    Raises MediaNotFound, MediaNotAttachable, InvalidRequest for media of another kind.
    """
    reconcile(session, product.vendor_store_id, EntityType.PRODUCT_GALLERY, product.id, media_ids)
    product.thumbnail_url = session.scalar(_thumbnail_of(product.id))


def attach_coa(session: Session, product: Product, media_id: UUID | None) -> None:
    """Make this the lab report of a locked product, or none. Raises as `show_gallery`."""
    reconcile(session, product.vendor_store_id, EntityType.PRODUCT_COA, product.id, [media_id] if media_id else [])
    product.coa_media_id = media_id


def refresh_thumbnails(session: Session, media_id: UUID) -> None:
    """After a media became ready, or is about to go: the thumbnails of the products whose gallery has it."""
    shown = select(MediaAttachment.entity_id).where(
        MediaAttachment.entity_type == EntityType.PRODUCT_GALLERY, MediaAttachment.media_id == media_id
    )
    first = _thumbnail_of(Product.id).correlate(Product).scalar_subquery()
    session.execute(update(Product).where(Product.id.in_(shown)).values(thumbnail_url=first))


def list_gallery(session: Session, product_id: UUID) -> list[Media]:
    """The media of a product's gallery, in order."""
    return list(
        session.scalars(
            select(Media)
            .join(MediaAttachment, MediaAttachment.media_id == Media.id)
            .where(MediaAttachment.entity_type == EntityType.PRODUCT_GALLERY, MediaAttachment.entity_id == product_id)
            .order_by(MediaAttachment.position)
        )
    )


def _thumbnail_of(product_id: object) -> Select[Any]:
    """The thumbnail of the first picture that has one."""
    return (
        select(Media.thumbnail_url)
        .join(MediaAttachment, MediaAttachment.media_id == Media.id)
        .where(
            MediaAttachment.entity_type == EntityType.PRODUCT_GALLERY,
            MediaAttachment.entity_id == product_id,
            Media.status == MediaStatus.READY,
            Media.thumbnail_url.is_not(None),
        )
        .order_by(MediaAttachment.position)
        .limit(1)
    )
