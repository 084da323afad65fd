"""Tables of stock: what there is now, and every movement that made it so."""

from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.kit.tables import Created, Table, enum_type


class MovementReason(StrEnum):
    INITIAL = "initial"
    SET = "set"
    RESERVED = "reserved"
    RELEASED = "released"
    SOLD = "sold"


class InventoryItem(Table):
    """Stock of one product: what can be ordered, and what is promised to open lines."""

    __tablename__ = "inventory_items"
    __table_args__ = (
        CheckConstraint("available_qty >= 0", name="available_qty"),
        CheckConstraint("reserved_qty >= 0", name="reserved_qty"),
        CheckConstraint("low_stock_threshold >= 0", name="low_stock_threshold"),
        # Room within pages lets the hottest rows of the system be updated in place (HOT).
        {"postgresql_with": {"fillfactor": "70"}},
    )

    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id", ondelete="RESTRICT"), primary_key=True)
    available_qty: Mapped[int]
    reserved_qty: Mapped[int] = mapped_column(server_default=text("0"))
    low_stock_threshold: Mapped[int] = mapped_column(server_default=text("0"))
    low_stock_told: Mapped[bool] = mapped_column(server_default=text("false"))
    version: Mapped[int] = mapped_column(BigInteger, server_default=text("1"))


class InventoryMovement(Table):
    """One change of stock. Append-only; the sums of both deltas always equal the item's quantities."""

    __tablename__ = "inventory_movements"
    __table_args__ = (
        Index("ix_inventory_movements_product", "product_id", "id"),
        Index("ix_inventory_movements_order", "order_id", postgresql_where=text("order_id IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    product_id: Mapped[UUID]
    delta_available_qty: Mapped[int]
    delta_reserved_qty: Mapped[int]
    reason: Mapped[MovementReason] = mapped_column(enum_type(MovementReason, "movement_reason"))
    order_id: Mapped[UUID | None]
    line_item_id: Mapped[UUID | None]
    actor: Mapped[str]
    created_at: Mapped[Created]
