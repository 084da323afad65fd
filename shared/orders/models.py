"""Tables from cart to payout.

A checkout group is only an id, kept on the cart and on every vendor order born from it.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Numeric, Sequence, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from shared.identity.addresses import WrittenAddressColumns
from shared.kit.tables import Created, Id, Table, enum_type

FIRST_ORDER_NUMBER = 1001


class CartStatus(StrEnum):
    ACTIVE = "active"
    CONVERTED = "converted"


class ItemStatus(StrEnum):
    OK = "ok"
    NOT_AVAILABLE = "not_available"
    INVALID = "invalid"


class GroupStatus(StrEnum):
    OK = "ok"
    INVALID = "invalid"


class PaymentMethod(StrEnum):
    CASH = "cash"
    ACH = "ach"


class OrderStatus(StrEnum):
    CREATED_PENDING = "created_pending"
    ACCEPTED = "accepted"
    PARTIALLY_ACCEPTED = "partially_accepted"
    REJECTED = "rejected"
    READY_FOR_DISPATCH = "ready_for_dispatch"
    HOLD = "hold"
    IN_TRANSIT = "in_transit"
    DELIVERED = "delivered"
    CLOSED = "closed"
    CANCELED = "canceled"
    EXPIRED = "expired"


class FulfillmentStatus(StrEnum):
    PENDING = "pending"
    PARTIAL = "partial"
    FULFILLED = "fulfilled"


class ShippingStatus(StrEnum):
    PENDING = "pending"
    DISPATCHED = "dispatched"
    IN_TRANSIT = "in_transit"
    DELIVERED = "delivered"


class RefundStatus(StrEnum):
    NONE = "none"
    PARTIAL = "partial"
    FULL = "full"


class LineStatus(StrEnum):
    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    FULFILLED = "fulfilled"


class IntentStatus(StrEnum):
    UNPAID = "unpaid"
    PENDING = "pending"
    SETTLED = "settled"
    PAID = "paid"
    FAILED = "failed"
    REJECTED = "rejected"


class LedgerType(StrEnum):
    CASH_COLLECTED = "cash_collected"
    VENDOR_PAYOUT = "vendor_payout"
    ADJUSTMENT = "adjustment"
    REFUND = "refund"


_METHOD = enum_type(PaymentMethod, "payment_method")


class SnapshotColumns:
    """A product as it was quoted, kept on cart items and, unchanged, on order lines."""

    product_id: Mapped[UUID]
    title: Mapped[str]
    sku: Mapped[str]
    category: Mapped[str | None]
    strain: Mapped[str | None]
    classification: Mapped[str | None]
    unit: Mapped[str | None]
    thumbnail_url: Mapped[str | None]
    thc_percent: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    cbd_percent: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    moq: Mapped[int]
    max_qty: Mapped[int | None]
    qty: Mapped[int]
    unit_price_cents: Mapped[int]
    tier_min_qty: Mapped[int | None]
    tier_percent: Mapped[Decimal | None] = mapped_column(Numeric(7, 4))
    line_subtotal_cents: Mapped[int] = mapped_column(BigInteger)
    line_discount_cents: Mapped[int] = mapped_column(BigInteger)
    line_total_cents: Mapped[int] = mapped_column(BigInteger)
    warnings: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))


class TotalsColumns:
    """The sums of a vendor's part. `total = subtotal - line_discounts - promo_discount`, never negative."""

    subtotal_cents: Mapped[int] = mapped_column(BigInteger)
    line_discounts_cents: Mapped[int] = mapped_column(BigInteger)
    promo_discount_cents: Mapped[int] = mapped_column(BigInteger)
    total_cents: Mapped[int] = mapped_column(BigInteger)
    promo_id: Mapped[UUID | None]
    promo_code: Mapped[str | None]


class Cart(Table):
    """The server's priced answer to a buyer's intent; a new quote is a new cart in place of the former."""

    __tablename__ = "cart_records"
    __table_args__ = (
        Index("uq_cart_records_active", "buyer_store_id", unique=True, postgresql_where=text("status = 'active'")),
        Index("ix_cart_records_buyer_store_id", "buyer_store_id"),
        CheckConstraint("total_cents >= 0", name="total"),
        CheckConstraint("total_cents = subtotal_cents - discounts_cents", name="sums"),
    )

    id: Mapped[Id]
    buyer_store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id", ondelete="CASCADE"))
    status: Mapped[CartStatus] = mapped_column(enum_type(CartStatus, "cart_status"))
    currency: Mapped[str] = mapped_column(server_default=text("'USD'"))
    subtotal_cents: Mapped[int] = mapped_column(BigInteger)
    discounts_cents: Mapped[int] = mapped_column(BigInteger)
    total_cents: Mapped[int] = mapped_column(BigInteger)
    valid_until: Mapped[datetime]
    intent: Mapped[dict[str, Any]] = mapped_column(JSONB)
    warnings: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))
    attribution_tokens: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))
    shipping_address: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    payment_method: Mapped[PaymentMethod | None] = mapped_column(_METHOD)
    shipping_line: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    buyer_notes: Mapped[str | None]
    rejected_vendors: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))
    checkout_group_id: Mapped[UUID | None] = mapped_column(unique=True)
    converted_at: Mapped[datetime | None]
    created_at: Mapped[Created]


class CartItem(SnapshotColumns, Table):
    """One product of a cart. `requested_qty` is what the buyer wanted, `qty` what is priced."""

    __tablename__ = "cart_items"
    __table_args__ = (UniqueConstraint("cart_id", "product_id"),)

    id: Mapped[Id]
    cart_id: Mapped[UUID] = mapped_column(ForeignKey("cart_records.id", ondelete="CASCADE"))
    position: Mapped[int]
    vendor_store_id: Mapped[UUID | None]
    status: Mapped[ItemStatus] = mapped_column(enum_type(ItemStatus, "cart_item_status"))
    requested_qty: Mapped[int]


class CartVendorGroup(TotalsColumns, Table):
    """One vendor's part of a cart, over its `ok` items."""

    __tablename__ = "cart_vendor_groups"
    __table_args__ = (CheckConstraint("total_cents >= 0", name="total"),)

    cart_id: Mapped[UUID] = mapped_column(ForeignKey("cart_records.id", ondelete="CASCADE"), primary_key=True)
    vendor_store_id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_name: Mapped[str]
    status: Mapped[GroupStatus] = mapped_column(enum_type(GroupStatus, "cart_group_status"))
    warnings: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))


class Order(TotalsColumns, WrittenAddressColumns, Table):
    """One vendor's part of a checkout. The address columns are where it shall be delivered, on the map if told."""

    __tablename__ = "vendor_orders"
    __table_args__ = (
        UniqueConstraint("cart_id", "vendor_store_id"),
        CheckConstraint("buyer_store_id <> vendor_store_id", name="two_stores"),
        CheckConstraint("total_cents >= 0", name="total"),
        CheckConstraint("balance_due_cents >= 0", name="balance_due"),
        Index("ix_vendor_orders_buyer", "buyer_store_id", "created_at", "id"),
        Index("ix_vendor_orders_vendor", "vendor_store_id", "created_at", "id"),
        Index("ix_vendor_orders_pair", "buyer_store_id", "vendor_store_id", "created_at", "id"),
        Index("ix_vendor_orders_checkout_group_id", "checkout_group_id"),
        Index("ix_vendor_orders_pending", "pending_until", postgresql_where=text("status = 'created_pending'")),
        Index("ix_vendor_orders_open", "status", "created_at", "id"),
        Index("ix_vendor_orders_created_at", "created_at", "id"),
        # An expired order is placed again once.
        Index(
            "uq_vendor_orders_retry",
            "retry_of_order_id",
            unique=True,
            postgresql_where=text("retry_of_order_id IS NOT NULL"),
        ),
    )

    id: Mapped[Id]
    order_number: Mapped[int] = mapped_column(
        BigInteger,
        Sequence("order_number_seq", start=FIRST_ORDER_NUMBER),
        server_default=text("nextval('order_number_seq')"),
        unique=True,
    )
    lat: Mapped[float | None]
    lng: Mapped[float | None]
    checkout_group_id: Mapped[UUID]
    cart_id: Mapped[UUID | None] = mapped_column(ForeignKey("cart_records.id", ondelete="RESTRICT"))
    buyer_store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id", ondelete="RESTRICT"))
    vendor_store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id", ondelete="RESTRICT"))
    status: Mapped[OrderStatus] = mapped_column(enum_type(OrderStatus, "order_status"))
    held_from: Mapped[OrderStatus | None] = mapped_column(enum_type(OrderStatus, "order_status"))
    fulfillment_status: Mapped[FulfillmentStatus] = mapped_column(
        enum_type(FulfillmentStatus, "fulfillment_status"), server_default=FulfillmentStatus.PENDING.value
    )
    shipping_status: Mapped[ShippingStatus] = mapped_column(
        enum_type(ShippingStatus, "shipping_status"), server_default=ShippingStatus.PENDING.value
    )
    refund_status: Mapped[RefundStatus] = mapped_column(
        enum_type(RefundStatus, "refund_status"), server_default=RefundStatus.NONE.value
    )
    balance_due_cents: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(server_default=text("'USD'"))
    payment_method: Mapped[PaymentMethod] = mapped_column(_METHOD)
    shipping_line: Mapped[dict[str, Any]] = mapped_column(JSONB)
    buyer_notes: Mapped[str | None]
    attribution: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    pending_until: Mapped[datetime]
    ttl_nudged_at: Mapped[datetime | None]
    last_nudged_at: Mapped[datetime | None]
    retry_of_order_id: Mapped[UUID | None] = mapped_column(ForeignKey("vendor_orders.id", ondelete="RESTRICT"))
    signature_media_id: Mapped[UUID | None]
    recipient_name: Mapped[str | None]
    accepted_at: Mapped[datetime | None]
    fulfilled_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    canceled_at: Mapped[datetime | None]
    expired_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    created_at: Mapped[Created]

    lines: Mapped[list["OrderLine"]] = relationship(order_by="OrderLine.position", lazy="raise", viewonly=True)
    intent: Mapped["PaymentIntent"] = relationship(lazy="raise", viewonly=True)


class OrderLine(SnapshotColumns, Table):
    """One product within an order, as it was quoted."""

    __tablename__ = "order_line_items"
    __table_args__ = (
        UniqueConstraint("order_id", "position"),
        CheckConstraint("qty >= 1", name="qty"),
        Index("ix_order_line_items_product_id", "product_id"),
    )

    id: Mapped[Id]
    order_id: Mapped[UUID] = mapped_column(ForeignKey("vendor_orders.id", ondelete="CASCADE"))
    position: Mapped[int]
    cart_item_id: Mapped[UUID | None]
    status: Mapped[LineStatus] = mapped_column(enum_type(LineStatus, "line_status"))
    rejection_reason: Mapped[str | None]
    notes: Mapped[str | None]
    attribution: Mapped[dict[str, Any] | None] = mapped_column(JSONB)


class PaymentIntent(Table):
    """How, and how far, an order is paid. One for each order."""

    __tablename__ = "payment_intents"
    __table_args__ = (
        CheckConstraint("amount_cents >= 0", name="amount"),
        Index("ix_payment_intents_status", "status", "order_id"),
    )

    id: Mapped[Id]
    order_id: Mapped[UUID] = mapped_column(ForeignKey("vendor_orders.id", ondelete="CASCADE"), unique=True)
    method: Mapped[PaymentMethod] = mapped_column(_METHOD)
    status: Mapped[IntentStatus] = mapped_column(enum_type(IntentStatus, "intent_status"))
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    failure_reason: Mapped[str | None]
    cash_collected_at: Mapped[datetime | None]
    vendor_paid_at: Mapped[datetime | None]
    created_at: Mapped[Created]


class OrderAssignment(Table):
    """That an agent shall deliver an order. At most one is open per order."""

    __tablename__ = "order_assignments"
    __table_args__ = (
        Index("uq_order_assignments_open", "order_id", unique=True, postgresql_where=text("closed_at IS NULL")),
        Index("ix_order_assignments_agent", "agent_user_id", "assigned_at"),
    )

    id: Mapped[Id]
    order_id: Mapped[UUID] = mapped_column(ForeignKey("vendor_orders.id", ondelete="CASCADE"))
    agent_user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    assigned_by: Mapped[str]
    assigned_at: Mapped[Created]
    picked_up_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    cash_collected_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]


class LedgerEvent(Table):
    """Money that moved. Append-only: a trigger refuses UPDATE and DELETE."""

    __tablename__ = "ledger_events"
    __table_args__ = (
        Index(
            "uq_ledger_events_once",
            "order_id",
            "type",
            unique=True,
            postgresql_where=text("type IN ('cash_collected', 'vendor_payout')"),
        ),
        Index("ix_ledger_events_created_at", "created_at", "id"),
        Index("ix_ledger_events_order_id", "order_id"),
    )

    id: Mapped[Id]
    order_id: Mapped[UUID] = mapped_column(ForeignKey("vendor_orders.id", ondelete="RESTRICT"))
    type: Mapped[LedgerType] = mapped_column(enum_type(LedgerType, "ledger_type"))
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    actor: Mapped[str]
    memo: Mapped[str | None]
    created_at: Mapped[Created]
