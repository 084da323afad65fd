"""Noticing that stock fell to its threshold: told once, until it is refilled."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from shared.catalog.models import Product
from shared.events.products import InventoryLow
from shared.inventory.models import InventoryItem


def notice_low_stock(session: Session, product_ids: Sequence[UUID]) -> list[InventoryLow]:
    """Mark which of these products are at or under their threshold; what there is to announce of it.

    One statement, which locks in product order. A product that was marked before is not announced again,
    nor is one that is archived.
    """
    low = (
        select(InventoryItem.product_id)
        .where(
            InventoryItem.product_id.in_(product_ids),
            InventoryItem.available_qty <= InventoryItem.low_stock_threshold,
            ~InventoryItem.low_stock_told,
        )
        .order_by(InventoryItem.product_id)
        .with_for_update()
        .cte("low")
    )
    told = (
        update(InventoryItem)
        .where(InventoryItem.product_id == low.c.product_id)
        .values(low_stock_told=True)
        .returning(InventoryItem.product_id, InventoryItem.available_qty, InventoryItem.low_stock_threshold)
        .cte("told")
    )
    news = select(told, Product.vendor_store_id).join(Product, Product.id == told.c.product_id)
    rows = session.execute(news.where(Product.deleted_at.is_(None)).order_by(told.c.product_id))
    return [InventoryLow.model_validate(row._asdict()) for row in rows]
