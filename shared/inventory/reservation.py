"""Taking stock for orders, giving it back, and handing it over: one statement each, however many lines.

Rows are locked in product order, so that two callers sharing products in any order never deadlock,
and the quantity is checked on the locked row, so that no unit is promised twice. Each change
appends its movements in the same statement.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from shared.inventory.models import MovementReason
from shared.kit import clock
from shared.kit.context import work
from shared.kit.db import planned_once
from shared.kit.tables import as_json


@dataclass(frozen=True)
class StockLine:
    """A quantity of a product for one order line."""

    product_id: UUID
    qty: int
    order_id: UUID
    line_item_id: UUID


_LINES = """
    WITH lines AS (
        SELECT * FROM json_to_recordset(CAST(:lines AS json))
            AS t(product_id uuid, qty int, order_id uuid, line_item_id uuid)
    ), locked AS (
        SELECT product_id FROM inventory_items
        WHERE product_id IN (SELECT product_id FROM lines)
        ORDER BY product_id FOR UPDATE
    ), sums AS (
        SELECT product_id, sum(qty)::int AS qty FROM lines JOIN locked USING (product_id) GROUP BY product_id
    ), changed AS (
        UPDATE inventory_items AS item SET {change}, version = version + 1
        FROM sums WHERE item.product_id = sums.product_id AND {condition}
        RETURNING item.product_id
    ), moved AS (
        INSERT INTO inventory_movements
            (product_id, delta_available_qty, delta_reserved_qty, reason, order_id, line_item_id, actor, created_at)
        SELECT product_id, {delta_available}, {delta_reserved}, CAST(:reason AS movement_reason),
               order_id, line_item_id, :actor, :at
        FROM lines JOIN changed USING (product_id) ORDER BY product_id
    )
    SELECT line_item_id FROM lines JOIN changed USING (product_id)
"""

_RESERVE = planned_once(
    text(
        _LINES.format(
            change="available_qty = available_qty - sums.qty, reserved_qty = reserved_qty + sums.qty",
            condition="item.available_qty >= sums.qty",
            delta_available="-qty",
            delta_reserved="qty",
        )
    )
)
_RELEASE = planned_once(
    text(
        _LINES.format(
            # Stock that comes back over the threshold makes the next fall news again.
            change="available_qty = available_qty + sums.qty, reserved_qty = reserved_qty - sums.qty, "
            "low_stock_told = low_stock_told AND available_qty + sums.qty <= low_stock_threshold",
            condition="true",
            delta_available="qty",
            delta_reserved="-qty",
        )
    )
)
_CONSUME = planned_once(
    text(
        _LINES.format(
            change="reserved_qty = reserved_qty - sums.qty",
            condition="true",
            delta_available="0",
            delta_reserved="-qty",
        )
    )
)


def reserve(session: Session, lines: Sequence[StockLine]) -> set[UUID]:
    """Take stock for lines of distinct products; the ids of the lines that got theirs, whole.

    A line whose product has too little left takes nothing.
    """
    if len({line.product_id for line in lines}) != len(lines):
        raise ValueError("each product may appear in one line only")
    return _apply(session, _RESERVE, lines, MovementReason.RESERVED)


def release(session: Session, lines: Sequence[StockLine]) -> None:
    """Give reserved stock back, so that others can order it."""
    _apply(session, _RELEASE, lines, MovementReason.RELEASED)


def consume(session: Session, lines: Sequence[StockLine]) -> None:
    """Reserved stock has left the house."""
    _apply(session, _CONSUME, lines, MovementReason.SOLD)


def _apply(session: Session, statement: TextClause, lines: Sequence[StockLine], reason: MovementReason) -> set[UUID]:
    if not lines:
        return set()
    parameters = {
        "lines": as_json([vars(line) for line in lines]),
        "reason": reason.value,
        "actor": work().actor,
        "at": clock.now(),
    }
    return set(session.scalars(statement, parameters))
