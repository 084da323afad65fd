"""Noticing that stock fell to its threshold: told once, until it is refilled."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.events.products import InventoryLow

_NOTICE = text(
    """
    WITH low AS (
        SELECT product_id FROM inventory_items
        WHERE product_id = ANY(:product_ids) AND available_qty <= low_stock_threshold AND NOT low_stock_told
        ORDER BY product_id FOR UPDATE
    ), told AS (
        UPDATE inventory_items AS item SET low_stock_told = true
        FROM low WHERE item.product_id = low.product_id
        RETURNING item.product_id, item.available_qty, item.low_stock_threshold
    )
    SELECT told.product_id, product.vendor_store_id, told.available_qty, told.low_stock_threshold
    FROM told JOIN products AS product ON product.id = told.product_id
    WHERE product.deleted_at IS NULL
    ORDER BY told.product_id
    """
)


def notice_low_stock(session: Session, product_ids: Sequence[UUID]) -> list[InventoryLow]:
    """Mark which of these products are at or under their threshold; what there is to announce of it.

    One statement. A product that was marked before is not announced again, nor is one that is archived.
    """
    rows = session.execute(_NOTICE, {"product_ids": list(product_ids)}).mappings()
    return [InventoryLow.model_validate(dict(row)) for row in rows]
