"""A conversion on paper: the orders, lines and intents that a cart becomes, before stock is asked for.

Pure but for new ids: the same cart, groups and items give the same figures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from uuid import UUID

from shared.identity.addresses import WrittenAddress
from shared.kit.ids import new_id
from shared.orders.attribution import attribute
from shared.orders.carts import Row
from shared.orders.models import (
    CartStatus,
    FulfillmentStatus,
    IntentStatus,
    LineStatus,
    OrderStatus,
    PaymentMethod,
    RefundStatus,
    ShippingStatus,
    SnapshotColumns,
)
from shared.orders.shipping import ShippingOption
from shared.orders.windows import PENDING_WINDOW

PRODUCT_UNAVAILABLE = "product_unavailable"
"""Why a line is rejected whose product is not offered any more."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What the buyer confirms at checkout, and whether lines without an ad are owed to their order's."""

    shipping_address: WrittenAddress
    payment_method: PaymentMethod
    shipping: ShippingOption
    buyer_notes: str | None
    lines_fall_back: bool = True


@dataclass(frozen=True)
class Conversion:
    """A converted cart and all that was born from it, as rows."""

    cart: Row
    orders: list[Row]
    lines: list[Row]
    intents: list[Row]

    def lines_of(self, order: Row) -> list[Row]:
        """The lines of one of the orders, in their order."""
        return self._by_order.get(order["id"], [])

    @cached_property
    def _by_order(self) -> dict[UUID, list[Row]]:
        by_order: dict[UUID, list[Row]] = {}
        for line in self.lines:
            by_order.setdefault(line["order_id"], []).append(line)
        return by_order


def drafted(cart: Row, groups: Sequence[Row], items: Sequence[Row], confirmed: Confirmed, now: datetime) -> Conversion:
    """Steps 2, 4 to 7 on paper: the confirmed cart, and orders, lines and intents before stock is asked for."""
    vendors = {item["vendor_store_id"] for item in items}
    cart = cart | {
        "status": CartStatus.CONVERTED,
        "checkout_group_id": new_id(),
        "shipping_address": confirmed.shipping_address.model_dump(),
        "payment_method": confirmed.payment_method,
        "shipping_line": confirmed.shipping.snapshot(),
        "buyer_notes": confirmed.buyer_notes,
        "converted_at": now,
        "rejected_vendors": [_rejected_vendor(group) for group in groups if group["vendor_store_id"] not in vendors],
    }
    ordered = [group for group in groups if group["vendor_store_id"] in vendors]
    orders = [_order_row(cart, group, now) for group in ordered]
    lines = [
        _line_row(order["id"], position, item)
        for order in orders
        for position, item in enumerate(item for item in items if item["vendor_store_id"] == order["vendor_store_id"])
    ]
    intents = [_intent_row(order, now) for order in orders]
    attribute(cart["attribution_tokens"], orders, lines, lines_fall_back=confirmed.lines_fall_back)
    return Conversion(cart, orders, lines, intents)


def _rejected_vendor(group: Row) -> Row:
    """A vendor that gets no order, with its reason: lost since the quote, or invalid in it."""
    told = [warned["type"] for warned in group["warnings"]]
    reason = group["refusal"] or next(iter(told), "nothing_orderable")
    return {"vendor_store_id": str(group["vendor_store_id"]), "vendor_name": group["vendor_name"], "reason": reason}


def _order_row(cart: Row, group: Row, now: datetime) -> Row:
    return {
        "id": new_id(),
        "order_number": group["order_number"],
        "checkout_group_id": cart["checkout_group_id"],
        "cart_id": cart["id"],
        "buyer_store_id": cart["buyer_store_id"],
        "vendor_store_id": group["vendor_store_id"],
        "status": OrderStatus.CREATED_PENDING,
        "fulfillment_status": FulfillmentStatus.PENDING,
        "shipping_status": ShippingStatus.PENDING,
        "refund_status": RefundStatus.NONE,
        "subtotal_cents": group["subtotal_cents"],
        "line_discounts_cents": group["line_discounts_cents"],
        "promo_discount_cents": group["promo_discount_cents"],
        "total_cents": group["total_cents"],
        "balance_due_cents": group["total_cents"],
        "promo_id": group["promo_id"],
        "promo_code": group["promo_code"],
        "currency": cart["currency"],
        "payment_method": cart["payment_method"],
        "shipping_line": cart["shipping_line"],
        "buyer_notes": cart["buyer_notes"],
        "pending_until": now + PENDING_WINDOW,
        "created_at": now,
        **cart["shipping_address"],
    }


_SNAPSHOT = tuple(SnapshotColumns.__annotations__)


def _line_row(order_id: UUID, position: int, item: Row) -> Row:
    return {
        "id": new_id(),
        "order_id": order_id,
        "position": position,
        "cart_item_id": item["id"],
        "status": LineStatus.PENDING if item["is_offered"] else LineStatus.REJECTED,
        "rejection_reason": None if item["is_offered"] else PRODUCT_UNAVAILABLE,
        **{name: item[name] for name in _SNAPSHOT},
    }


def _intent_row(order: Row, now: datetime) -> Row:
    by_cash = order["payment_method"] is PaymentMethod.CASH
    return {
        "id": new_id(),
        "order_id": order["id"],
        "method": order["payment_method"],
        "status": IntentStatus.UNPAID if by_cash else IntentStatus.PENDING,
        "amount_cents": order["total_cents"],
        "created_at": now,
    }
