"""One product as a buyer sees it."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from shared.catalog.gallery import list_gallery
from shared.catalog.models import Product, VolumeDiscount
from shared.catalog.summaries import ProductSummaryResponse, composed, summary_columns
from shared.catalog.visibility import visible_product
from shared.catalog.wishlist import is_wished
from shared.identity.models import Store
from shared.inventory.models import InventoryItem
from shared.kit import clock
from shared.kit.errors import NotFound
from shared.kit.schemas import Response
from shared.media.models import Media, MediaStatus
from shared.media.storage import find_link


class TierResponse(Response):
    """From `min_qty` on, the whole line is `discount_percent` cheaper."""

    min_qty: int
    discount_percent: Decimal


class PictureResponse(Response):
    """A picture or video of the gallery, at addresses that last."""

    media_id: UUID
    mime_type: str
    url: str
    thumbnail_url: str | None


class ProductResponse(ProductSummaryResponse):
    """The whole offer. `coa_url` reads the lab report for ten minutes."""

    body_html: str | None
    volume_discounts: list[TierResponse]
    gallery: list[PictureResponse]
    coa_url: str | None
    is_wishlisted: bool


class SeenProduct:
    """What is read of a product before the link to its lab report is signed, which may take a request."""

    def __init__(self, row: dict[str, Any], tiers: list[TierResponse], gallery: list[Media], coa: Media | None) -> None:
        self._row, self._tiers, self._gallery, self._coa = row, tiers, gallery, coa

    def signed(self) -> ProductResponse:
        """The product as it is shown; call it outside of a transaction."""
        link = find_link(self._coa) if self._coa else None
        return ProductResponse.of_row(
            self._row,
            **composed(self._row),
            volume_discounts=self._tiers,
            gallery=pictures_of(self._gallery),
            coa_url=link and link.url,
        )


def get_visible_product(session: Session, buyer_store_id: UUID, product_id: UUID) -> SeenProduct:
    """A product that this buyer sees. Raises NotFound for every other."""
    buyer: Any = aliased(Store, name="buyer_store")
    row = session.execute(
        select(
            *summary_columns(buyer, clock.now()),
            Product.body_html,
            Product.coa_media_id,
            is_wished(buyer_store_id).label("is_wishlisted"),
        )
        .select_from(Product)
        .join(Store, Store.id == Product.vendor_store_id)
        .join(InventoryItem, InventoryItem.product_id == Product.id)
        .join(buyer, buyer.id == buyer_store_id)
        .where(Product.id == product_id, visible_product(buyer), buyer.deleted_at.is_(None))
    ).one_or_none()
    if row is None:
        raise NotFound
    coa = session.get(Media, row.coa_media_id) if row.coa_media_id else None
    return SeenProduct(dict(row._mapping), list_tiers(session, product_id), list_gallery(session, product_id), coa)


def list_tiers(session: Session, product_id: UUID) -> list[TierResponse]:
    """The volume discounts of a product, from the smallest quantity on."""
    held = select(VolumeDiscount).where(VolumeDiscount.product_id == product_id).order_by(VolumeDiscount.min_qty)
    return [TierResponse.model_validate(tier) for tier in session.scalars(held)]


def pictures_of(gallery: list[Media]) -> list[PictureResponse]:
    """Those pictures that have a rendition for everybody to see."""
    return [
        PictureResponse(
            media_id=media.id, mime_type=media.mime_type, url=media.public_url, thumbnail_url=media.thumbnail_url
        )
        for media in gallery
        if media.status is MediaStatus.READY and media.public_url
    ]
