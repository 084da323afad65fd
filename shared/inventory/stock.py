"""How much a vendor has: opened with a product, and set by hand. A refill ends what was told of running low.

Every change of a quantity appends its movement in the same statement.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from shared.inventory.models import MovementReason
from shared.kit import clock
from shared.kit.context import work
from shared.kit.errors import Conflict, NotFound
from shared.kit.tables import as_json


class ProductsUnknown(NotFound):
    default_message = "Some of these products are not here."


class StockChanged(Conflict):
    default_message = "The stock was changed in the meantime."


@dataclass(frozen=True)
class OpeningStock:
    """The stock with which a product begins."""

    product_id: UUID
    available_qty: int
    low_stock_threshold: int


@dataclass(frozen=True)
class StockLevel:
    """What the stock of a product shall be. Without a threshold it stays; a version must be the present one."""

    product_id: UUID
    available_qty: int
    low_stock_threshold: int | None = None
    expected_version: int | None = None


# A product that begins low is not news: `low_stock_told` waits for its first refill.
_OPEN = text(
    """
    WITH opened AS (
        INSERT INTO inventory_items (product_id, available_qty, low_stock_threshold, low_stock_told)
        SELECT product_id, available_qty, low_stock_threshold, available_qty <= low_stock_threshold
        FROM json_to_recordset(CAST(:levels AS json))
            AS t(product_id uuid, available_qty int, low_stock_threshold int)
        RETURNING product_id, available_qty
    )
    INSERT INTO inventory_movements
        (product_id, delta_available_qty, delta_reserved_qty, reason, actor, created_at)
    SELECT product_id, available_qty, 0, CAST(:reason AS movement_reason), :actor, :at
    FROM opened WHERE available_qty <> 0 ORDER BY product_id
    """
)

_LOCK = text(
    """
    SELECT item.product_id, item.version
    FROM inventory_items AS item JOIN products AS product ON product.id = item.product_id
    WHERE product.vendor_store_id = :vendor_store_id AND product.deleted_at IS NULL
        AND item.product_id = ANY(CAST(:product_ids AS uuid[]))
    ORDER BY item.product_id FOR UPDATE OF item
    """
)

_SET = text(
    """
    WITH wanted AS (
        SELECT * FROM json_to_recordset(CAST(:levels AS json))
            AS t(product_id uuid, available_qty int, low_stock_threshold int)
    ), before AS (
        SELECT product_id, available_qty FROM inventory_items WHERE product_id IN (SELECT product_id FROM wanted)
    ), changed AS (
        UPDATE inventory_items AS item SET
            available_qty = wanted.available_qty,
            low_stock_threshold = coalesce(wanted.low_stock_threshold, item.low_stock_threshold),
            low_stock_told = item.low_stock_told AND wanted.available_qty
                <= coalesce(wanted.low_stock_threshold, item.low_stock_threshold),
            version = item.version + 1
        FROM wanted WHERE item.product_id = wanted.product_id
        RETURNING item.*
    ), moved AS (
        INSERT INTO inventory_movements
            (product_id, delta_available_qty, delta_reserved_qty, reason, actor, created_at)
        SELECT product_id, changed.available_qty - before.available_qty, 0,
               CAST(:reason AS movement_reason), :actor, :at
        FROM changed JOIN before USING (product_id)
        WHERE changed.available_qty <> before.available_qty ORDER BY product_id
    )
    SELECT changed.product_id, changed.available_qty, reserved_qty, low_stock_threshold, version,
           before.available_qty AS available_qty_before
    FROM changed JOIN before USING (product_id)
    """
)


def open_stock(session: Session, levels: Sequence[OpeningStock]) -> None:
    """Begin the stock of new products, by one statement however many."""
    session.flush()
    if levels:
        session.execute(_OPEN, {"levels": _json(levels), **_signature(MovementReason.INITIAL)})


def set_stock(session: Session, vendor_store_id: UUID, levels: Sequence[StockLevel]) -> dict[UUID, Row[Any]]:
    """Set the stock of distinct products of a vendor, all or none, by two statements however many.

    The rows by product: the stock as it is now, and `available_qty_before`. Raises ProductsUnknown for
    products that are not the vendor's or are archived, StockChanged for versions that are not the present ones.
    """
    product_ids = [level.product_id for level in levels]
    locked = session.execute(_LOCK, {"vendor_store_id": vendor_store_id, "product_ids": product_ids})
    versions = {row.product_id: row.version for row in locked}
    _refuse_unknown(set(product_ids) - versions.keys())
    _refuse_stale([level for level in levels if level.expected_version not in (None, versions[level.product_id])])
    rows = session.execute(_SET, {"levels": _json(levels), **_signature(MovementReason.SET)})
    return {row.product_id: row for row in rows}


def _refuse_unknown(product_ids: set[UUID]) -> None:
    if product_ids:
        raise ProductsUnknown(details={"product_ids": sorted(str(product_id) for product_id in product_ids)})


def _refuse_stale(levels: Sequence[StockLevel]) -> None:
    if levels:
        stale = sorted(str(level.product_id) for level in levels)
        raise StockChanged(details={"reason": "stale_version", "product_ids": stale})


def _json(levels: Sequence[OpeningStock] | Sequence[StockLevel]) -> str:
    return as_json([asdict(level) for level in levels])


def _signature(reason: MovementReason) -> dict[str, Any]:
    return {"reason": reason.value, "actor": work().actor, "at": clock.now()}
