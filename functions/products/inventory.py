"""The vendors' stock: see it, set it for one product or for many.

Serves /api/v1/inventory. Publishes inventory_low when a product falls to its threshold.
"""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from pydantic import Field, field_validator
from sqlalchemy.orm import Session

from shared.catalog.fields import StockQty
from shared.identity.callers import VendorCaller, vendor
from shared.identity.permissions import Permission
from shared.inventory.listing import InventoryQuery, InventoryResponse, StockResponse, list_inventory
from shared.inventory.low_stock import notice_low_stock
from shared.inventory.stock import StockLevel, set_stock
from shared.kit.db import read_only, transaction
from shared.kit.errors import Conflict, NotFound
from shared.kit.http import Api
from shared.kit.idempotency import DAY_1
from shared.kit.outbox import emit
from shared.kit.pagination import Page
from shared.kit.schemas import Request
from shared.operations.audit import entry, record

MAX_BULK = 500

api = Api("inventory", prefix="/api/v1/inventory")

Version = Annotated[int, Field(ge=1, lt=2**63)]


class SetStockRequest(Request):
    """What can be ordered from now on. Without a threshold it stays; `expected_version` is the one last seen."""

    available_qty: StockQty
    low_stock_threshold: StockQty | None = None
    expected_version: Version | None = None

    example = {"available_qty": 120, "low_stock_threshold": 20, "expected_version": 3}


class BulkLevel(SetStockRequest):
    """The stock of one of several products."""

    product_id: UUID


class BulkStockRequest(Request):
    """Up to 500 products, each once; all are set or none."""

    items: Annotated[list[BulkLevel], Field(min_length=1, max_length=MAX_BULK)]

    example = {
        "items": [
            {"product_id": "01980000-0000-7000-8000-000000000001", "available_qty": 120},
            {"product_id": "01980000-0000-7000-8000-000000000002", "available_qty": 0, "low_stock_threshold": 10},
        ]
    }

    @field_validator("items")
    @classmethod
    def _each_once(cls, items: list[BulkLevel]) -> list[BulkLevel]:
        if len({item.product_id for item in items}) != len(items):
            raise ValueError("a product is listed twice")
        return items


class ProductStockResponse(StockResponse):
    """The stock of a product after the change."""

    product_id: UUID


@api.get("", allow=vendor(Permission.BROWSE))
def list_stock(caller: VendorCaller, query: InventoryQuery) -> Page[InventoryResponse]:
    """The vendor's stock, product by product."""
    with read_only() as session:
        return list_inventory(session, caller.store_id, query)


@api.put("/<uuid:product_id>", allow=vendor(Permission.INVENTORY_WRITE), raises=(NotFound, Conflict))
def set_one(caller: VendorCaller, product_id: UUID, body: SetStockRequest) -> ProductStockResponse:
    """Set the stock of a product: 409 when it changed since `expected_version`."""
    with transaction() as session:
        return _set(session, caller.store_id, [StockLevel(product_id, **body.model_dump())])[0]


@api.post("/bulk", allow=vendor(Permission.INVENTORY_WRITE), idempotent=DAY_1, raises=(NotFound, Conflict))
def set_many(caller: VendorCaller, body: BulkStockRequest) -> list[ProductStockResponse]:
    """Set the stock of many products, all or none: 404 naming unknown ones, 409 naming those that changed."""
    with transaction() as session:
        return _set(session, caller.store_id, [StockLevel(**item.model_dump()) for item in body.items])


def _set(session: Session, store_id: UUID, levels: Sequence[StockLevel]) -> list[ProductStockResponse]:
    now_held = set_stock(session, store_id, levels)
    emit(session, *notice_low_stock(session, list(now_held)))
    record(
        session,
        *(
            entry(
                "inventory.set",
                "product",
                product_id,
                before={"available_qty": row.available_qty_before},
                after={"available_qty": row.available_qty, "low_stock_threshold": row.low_stock_threshold},
            )
            for product_id, row in now_held.items()
        ),
    )
    rows = [now_held[level.product_id] for level in levels]
    return [ProductStockResponse(product_id=row.product_id, **StockResponse.of(row).model_dump()) for row in rows]
