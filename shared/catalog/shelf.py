"""A vendor's own products, visible to buyers or not, with their stock."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, Select, case, cast, not_, select
from sqlalchemy.orm import Session

from shared.catalog.details import TierResponse, list_tiers
from shared.catalog.filters import ProductFilters, conditions, has_promo
from shared.catalog.gallery import list_gallery
from shared.catalog.models import Category, Classification, Product, Unit
from shared.catalog.sorting import Sort, order_by
from shared.catalog.spelling import respelled
from shared.catalog.summaries import RatingResponse
from shared.catalog.words import anywhere, in_name, wanted_words
from shared.inventory.listing import STOCK, StockResponse, is_low
from shared.inventory.models import InventoryItem
from shared.kit import clock
from shared.kit.errors import InvalidRequest, NotFound
from shared.kit.pagination import Order, Page, page_of
from shared.kit.schemas import Response
from shared.media.models import Media, MediaStatus
from shared.media.storage import find_link


class ShelfStatus(StrEnum):
    """`active` is offered, `inactive` is kept back, `archived` was deleted."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    ARCHIVED = "archived"


_STATUS = case(
    (Product.deleted_at.is_not(None), ShelfStatus.ARCHIVED.value),
    (Product.is_active, ShelfStatus.ACTIVE.value),
    else_=ShelfStatus.INACTIVE.value,
)


class ShelfQuery(ProductFilters):
    """Without `status`, everything but what is archived."""

    status: list[ShelfStatus] = [ShelfStatus.ACTIVE, ShelfStatus.INACTIVE]
    low_stock: bool | None = None
    sort: Sort | None = None

    @property
    def sorted_by(self) -> Sort:
        """The sort that applies. Raises InvalidRequest for relevance without words, and for distance."""
        if self.sort is Sort.DISTANCE or (self.sort is Sort.RELEVANCE and self.q is None):
            raise InvalidRequest.field("sort", "Your own products have no distance, and no relevance without words.")
        return self.sort or (Sort.RELEVANCE if self.q else Sort.NEWEST)


class ShelfRowResponse(Response):
    """One row of the vendor's table."""

    id: UUID
    sku: str
    title: str
    subtitle: str | None
    category: Category
    classification: Classification | None
    strain: str | None
    unit: Unit
    moq: int
    max_qty: int | None
    price_cents: int
    compare_at_price_cents: int | None
    thc_percent: Decimal | None
    cbd_percent: Decimal | None
    feelings: list[str]
    flavors: list[str]
    usage: list[str]
    tags: list[str]
    is_active: bool
    is_featured: bool
    has_promo: bool
    status: ShelfStatus
    thumbnail_url: str | None
    rating: RatingResponse
    inventory: StockResponse
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


class OwnPictureResponse(Response):
    """A picture or video of the gallery; it has addresses once it is `ready`."""

    media_id: UUID
    status: MediaStatus
    mime_type: str
    url: str | None
    thumbnail_url: str | None


class OwnProductResponse(ShelfRowResponse):
    """A product as its vendor edits it. `coa_url` reads the lab report for ten minutes."""

    body_html: str | None
    volume_discounts: list[TierResponse]
    gallery: list[OwnPictureResponse]
    coa_media_id: UUID | None
    coa_url: str | None


def list_products(session: Session, vendor_store_id: UUID, query: ShelfQuery) -> Page[ShelfRowResponse]:
    """One page of a vendor's own products. Raises InvalidRequest."""
    order = order_by(query.sorted_by)
    statement = _products(vendor_store_id).where(_STATUS.in_(query.status), *conditions(query, clock.now()))
    if query.low_stock is not None:
        statement = statement.where(is_low() if query.low_stock else not_(is_low()))
    if query.q is not None:
        words = wanted_words(respelled(query.q))
        statement = statement.where(anywhere(words))
        if query.sorted_by is Sort.RELEVANCE:
            order = Order((cast(in_name(words), Integer), *order.keys))
    page = page_of(session, statement, query, order)
    return page.of([ShelfRowResponse.of_row(dict(row._mapping), **_composed(row)) for row in page.items])


class OwnProduct:
    """What is read of a product before the link to its lab report is signed, which may take a request."""

    def __init__(self, row: Any, tiers: list[TierResponse], gallery: list[Media], coa: Media | None) -> None:
        self._row, self._tiers, self._gallery, self._coa = row, tiers, gallery, coa

    def signed(self) -> OwnProductResponse:
        """The product as it is shown; call it outside of a transaction."""
        link = find_link(self._coa) if self._coa else None
        return OwnProductResponse.of_row(
            dict(self._row._mapping),
            **_composed(self._row),
            volume_discounts=self._tiers,
            gallery=[_own_picture(media) for media in self._gallery],
            coa_url=link and link.url,
        )


def get_product(session: Session, vendor_store_id: UUID, product_id: UUID) -> OwnProduct:
    """One of the vendor's products, archived or not. Raises NotFound."""
    statement = _products(vendor_store_id).add_columns(Product.body_html, Product.coa_media_id)
    row = session.execute(statement.where(Product.id == product_id)).one_or_none()
    if row is None:
        raise NotFound
    coa = session.get(Media, row.coa_media_id) if row.coa_media_id else None
    return OwnProduct(row, list_tiers(session, product_id), list_gallery(session, product_id), coa)


def _products(vendor_store_id: UUID) -> Select[Any]:
    plain = [name for name in ShelfRowResponse.model_fields if name in Product.__table__.columns]
    return (
        select(
            *(Product.__table__.columns[name] for name in (*plain, "rating_count", "rating_sum")),
            has_promo(clock.now()).label("has_promo"),
            _STATUS.label("status"),
            *STOCK,
        )
        .select_from(Product)
        .join(InventoryItem, InventoryItem.product_id == Product.id)
        .where(Product.vendor_store_id == vendor_store_id)
    )


def _composed(row: Any) -> dict[str, Any]:
    return {"inventory": StockResponse.of(row), "rating": RatingResponse.of(row.rating_count, row.rating_sum)}


def _own_picture(media: Media) -> OwnPictureResponse:
    return OwnPictureResponse(
        media_id=media.id,
        status=media.status,
        mime_type=media.mime_type,
        url=media.public_url,
        thumbnail_url=media.thumbnail_url,
    )
