"""A product as lists show it to a buyer, with who sells it."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from sqlalchemy import ColumnElement, func

from shared.catalog.filters import Availability, availability_of, has_promo
from shared.catalog.models import Category, Classification, Product, Unit
from shared.catalog.visibility import Standpoint, distance_meters
from shared.identity.models import Store
from shared.identity.pictures import picture_url
from shared.inventory.models import InventoryItem
from shared.kit.schemas import Response


class RatingResponse(Response):
    """`average` has two decimals and is missing without reviews."""

    count: int
    average: Decimal | None

    @classmethod
    def of(cls, count: int, total: int) -> Self:
        """The rating of something with these sums."""
        return cls(count=count, average=round(Decimal(total) / count, 2) if count else None)


class VendorSummaryResponse(Response):
    """Who sells; `distance_meters` from the buyer's store, along the earth's surface."""

    id: UUID
    name: str
    slug: str
    city: str
    logo_url: str | None
    distance_meters: int


class ProductSummaryResponse(Response):
    """One row of the grid."""

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
    is_featured: bool
    has_promo: bool
    thumbnail_url: str | None
    availability: Availability
    rating: RatingResponse
    vendor: VendorSummaryResponse
    created_at: datetime

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """From a row with `summary_columns`."""
        return cls.of_row(row, **composed(row))


def composed(row: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a summary that are made of several columns."""
    return {
        "availability": availability_of(row["available_qty"], row["low_stock_threshold"], row["moq"]),
        "rating": RatingResponse.of(row["rating_count"], row["rating_sum"]),
        "vendor": VendorSummaryResponse(
            id=row["vendor_store_id"],
            name=row["vendor_name"],
            slug=row["vendor_slug"],
            city=row["vendor_city"],
            logo_url=row["vendor_logo_url"],
            distance_meters=round(row["distance_meters"]),
        ),
    }


def summary_columns(buyer: Standpoint, at: datetime) -> list[ColumnElement[Any]]:
    """What a summary is made of; `Product`, `Store` and `InventoryItem` are to be joined."""
    plain = [name for name in ProductSummaryResponse.model_fields if name in Product.__table__.columns]
    return [
        *(Product.__table__.columns[name] for name in plain),
        *(Product.__table__.columns[name] for name in ("vendor_store_id", "vendor_name", "rating_count", "rating_sum")),
        has_promo(at).label("has_promo"),
        InventoryItem.available_qty.expression,
        InventoryItem.low_stock_threshold.expression,
        Store.slug.label("vendor_slug"),
        Store.city.label("vendor_city"),
        picture_url(Store.logo_media_id).label("vendor_logo_url"),
        func.round(distance_meters(buyer)).label("distance_meters"),
    ]
