"""The identity that must always hold: a product's stock is the sum of its movements."""

from uuid import UUID

from sqlalchemy import func, select

from shared.inventory.models import InventoryItem, InventoryMovement
from shared.kit.db import read_only


def stock_of(product_id: UUID) -> tuple[int, int]:
    """(available, reserved) of a product, after checking that its movements add up to just that."""
    with read_only() as session:
        held = session.execute(
            select(InventoryItem.available_qty, InventoryItem.reserved_qty).where(
                InventoryItem.product_id == product_id
            )
        ).one()
        moved = session.execute(
            select(
                func.coalesce(func.sum(InventoryMovement.delta_available_qty), 0),
                func.coalesce(func.sum(InventoryMovement.delta_reserved_qty), 0),
            ).where(InventoryMovement.product_id == product_id)
        ).one()
    assert tuple(held) == tuple(moved)
    return held[0], held[1]
