"""A vendor's stock as it is shown."""

from typing import Any, Self
from uuid import UUID

from sqlalchemy import ColumnElement, not_, select
from sqlalchemy.orm import Session

from shared.catalog.models import Category, Product, Unit
from shared.inventory.models import InventoryItem
from shared.kit.pagination import Order, Page, PageQuery, page_of
from shared.kit.schemas import Response

NEWEST_FIRST = Order((Product.created_at, Product.id))


class StockResponse(Response):
    """The stock of one product: what can be ordered, and what open orders hold.

    `low_stock` is at the threshold or below; `version` goes up by one with every change.
    """

    available_qty: int
    reserved_qty: int
    low_stock_threshold: int
    low_stock: bool
    version: int

    @classmethod
    def of(cls, row: Any) -> Self:
        """From a row with the columns of the stock."""
        return cls(
            available_qty=row.available_qty,
            reserved_qty=row.reserved_qty,
            low_stock_threshold=row.low_stock_threshold,
            low_stock=row.available_qty <= row.low_stock_threshold,
            version=row.version,
        )


class StockedProductResponse(Response):
    """Of what there is stock."""

    id: UUID
    sku: str
    title: str
    category: Category
    unit: Unit
    is_active: bool
    thumbnail_url: str | None


class InventoryResponse(StockResponse):
    """One row of a vendor's inventory."""

    product: StockedProductResponse


class InventoryQuery(PageQuery):
    """`low_stock=true` leaves what has run low, `false` what has not."""

    low_stock: bool | None = None


def is_low() -> ColumnElement[bool]:
    """The stock is at its threshold or below."""
    return InventoryItem.available_qty <= InventoryItem.low_stock_threshold


def list_inventory(session: Session, vendor_store_id: UUID, query: InventoryQuery) -> Page[InventoryResponse]:
    """A vendor's stock without archived products, the newest product first."""
    statement = (
        select(*_COLUMNS)
        .join(Product, Product.id == InventoryItem.product_id)
        .where(Product.vendor_store_id == vendor_store_id, Product.deleted_at.is_(None))
    )
    if query.low_stock is not None:
        statement = statement.where(is_low() if query.low_stock else not_(is_low()))
    page = page_of(session, statement, query, NEWEST_FIRST)
    return page.of([_shown(row) for row in page.items])


def _shown(row: Any) -> InventoryResponse:
    stock = StockResponse.of(row)
    return InventoryResponse(**stock.model_dump(), product=StockedProductResponse.of_row(dict(row._mapping)))


STOCK = (
    InventoryItem.available_qty,
    InventoryItem.reserved_qty,
    InventoryItem.low_stock_threshold,
    InventoryItem.version,
)
"""The columns of which a `StockResponse` is made."""

_COLUMNS: tuple[Any, ...] = (
    *STOCK,
    Product.id,
    Product.sku,
    Product.title,
    Product.category,
    Product.unit,
    Product.is_active,
    Product.thumbnail_url,
)
