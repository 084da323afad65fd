"""An expired order is placed again, at the prices of its snapshot: another order, in a checkout group of its own.

What stood when the order expired is ordered again. Stock is reserved anew; a line that gets none, or
whose product is not offered any more, is rejected. The promo of the first order is given again as far
as the lines leave room, and is not counted a second time: its first use came to nothing. What was owed to an
ad still is.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from shared.ads.attribution import carried_over
from shared.catalog.models import Product
from shared.catalog.visibility import product_offered, vendor_refusal
from shared.events.orders import OrderRetried
from shared.identity.models import KycStatus
from shared.inventory.reservation import StockLine, reserve
from shared.kit import clock
from shared.kit.errors import Conflict, StateConflict
from shared.kit.ids import new_id
from shared.kit.tables import insert_together
from shared.operations.audit import AuditLog, entry
from shared.orders.cancellation import ORDER_EXPIRED
from shared.orders.carts import BuyerNotVerified, Row
from shared.orders.checkout import INSUFFICIENT_INVENTORY, OutOfStock
from shared.orders.drafting import PRODUCT_UNAVAILABLE
from shared.orders.history import TARGET, Happened
from shared.orders.lifecycle import status_at_checkout
from shared.orders.listing import Buyer, Vendor
from shared.orders.models import (
    FulfillmentStatus,
    IntentStatus,
    LineStatus,
    Order,
    OrderLine,
    OrderStatus,
    PaymentIntent,
    PaymentMethod,
    RefundStatus,
    ShippingStatus,
    SnapshotColumns,
)
from shared.orders.pricing import Totals
from shared.orders.totals import LineFigures, totals_of
from shared.orders.windows import PENDING_WINDOW

_KEPT = (
    *("buyer_store_id", "vendor_store_id", "currency", "payment_method", "shipping_line", "buyer_notes"),
    *("promo_id", "promo_code", "line1", "line2", "city", "state", "postal_code", "country", "lat", "lng"),
)
_SNAPSHOT = tuple(SnapshotColumns.__annotations__)

# A retried order has no cart of its own; the first of its line of descent has.
_PROMO_OF_FIRST = text(
    """
    WITH RECURSIVE descent AS (
        SELECT cart_id, vendor_store_id, retry_of_order_id FROM vendor_orders WHERE id = :order_id
        UNION ALL
        SELECT former.cart_id, former.vendor_store_id, former.retry_of_order_id
        FROM vendor_orders AS former JOIN descent ON former.id = descent.retry_of_order_id
    )
    SELECT part.promo_discount_cents
    FROM descent JOIN cart_vendor_groups AS part USING (cart_id, vendor_store_id)
    WHERE retry_of_order_id IS NULL
    """
)


class VendorLost(Conflict):
    default_message = "The vendor does not sell to you any more."


def retry(session: Session, order: Order) -> tuple[UUID, Happened]:
    """Place a locked, expired order again; the id of the new order, or of the one that came of it before.

    Raises StateConflict, BuyerNotVerified, VendorLost, OutOfStock.
    """
    if order.status is not OrderStatus.EXPIRED:
        raise StateConflict(
            "Only an expired order is placed again.",
            details={"from": order.status, "action": "retry", "allowed": []},
        )
    made_before = session.scalar(select(Order.id).where(Order.retry_of_order_id == order.id))
    return (made_before, ()) if made_before else _place_again(session, order)


def _place_again(session: Session, order: Order) -> tuple[UUID, Happened]:
    order_number = _number_if_they_may_trade(session, order)
    lines = _lines_to_retry(session, order)
    placed = {name: getattr(order, name) for name in _KEPT} | {"id": new_id(), "order_number": order_number}
    rows = [_line_row(placed["id"], position, line) for position, line in enumerate(lines)]
    _reserve(session, rows)
    promo_cents = session.scalar(_PROMO_OF_FIRST, {"order_id": order.id}) or 0
    totals = totals_of(map(LineFigures.of, rows), promo_cents)
    placed |= _beginning(order, totals, [row["status"] for row in rows])
    insert_together(
        session,
        (Order, [placed]),
        (OrderLine, rows),
        (PaymentIntent, [_intent_row(placed)]),
        (AuditLog, _audits(order, placed)),
    )
    return placed["id"], (_retried(order, placed),)


def _number_if_they_may_trade(session: Session, order: Order) -> int:
    """A number for the new order. Raises BuyerNotVerified, VendorLost, as a checkout would now."""
    standpoint: Any = Buyer
    row = session.execute(
        select(
            Buyer.kyc_status,
            vendor_refusal(standpoint, Vendor).label("refusal"),
            func.nextval("order_number_seq").label("order_number"),
        )
        .select_from(Order)
        .join(Buyer, Buyer.id == Order.buyer_store_id)
        .join(Vendor, Vendor.id == Order.vendor_store_id)
        .where(Order.id == order.id)
    ).one()
    if row.kyc_status is not KycStatus.VERIFIED:
        raise BuyerNotVerified(row.kyc_status)
    if row.refusal is not None:
        raise VendorLost(details={"reason": row.refusal})
    return int(row.order_number)


def _lines_to_retry(session: Session, order: Order) -> list[Row]:
    """What stood when the order expired, each line with whether its product is still offered."""
    statement = (
        select(*OrderLine.__table__.columns, product_offered().label("is_offered"))
        .join(Product, Product.id == OrderLine.product_id)
        .where(OrderLine.order_id == order.id, OrderLine.rejection_reason == ORDER_EXPIRED)
        .order_by(OrderLine.position)
    )
    return [dict(row) for row in session.execute(statement).mappings()]


def _line_row(order_id: UUID, position: int, line: Row) -> Row:
    return {
        "id": new_id(),
        "order_id": order_id,
        "position": position,
        "cart_item_id": line["cart_item_id"],
        "status": LineStatus.PENDING if line["is_offered"] else LineStatus.REJECTED,
        "rejection_reason": None if line["is_offered"] else PRODUCT_UNAVAILABLE,
        **{name: line[name] for name in _SNAPSHOT},
        "attribution": carried_over(line["attribution"]),
    }


def _reserve(session: Session, rows: list[Row]) -> None:
    """Take stock for the lines; what gets none is rejected. Raises OutOfStock when nothing does."""
    wanted = [row for row in rows if row["status"] is LineStatus.PENDING]
    reserved = reserve(
        session, [StockLine(row["product_id"], row["qty"], row["order_id"], row["id"]) for row in wanted]
    )
    for row in wanted:
        if row["id"] not in reserved:
            row["status"], row["rejection_reason"] = LineStatus.REJECTED, INSUFFICIENT_INVENTORY
    if not reserved:
        lines = [{"product_id": str(row["product_id"]), "requested_qty": row["qty"]} for row in rows]
        raise OutOfStock(details={"reason": "out_of_stock", "lines": lines})


def _beginning(former: Order, totals: Totals, lines: list[LineStatus]) -> Row:
    """The columns with which an order begins."""
    return {
        "checkout_group_id": new_id(),
        "retry_of_order_id": former.id,
        "attribution": carried_over(former.attribution),
        "status": status_at_checkout(lines),
        "fulfillment_status": FulfillmentStatus.PENDING,
        "shipping_status": ShippingStatus.PENDING,
        "refund_status": RefundStatus.NONE,
        "subtotal_cents": totals.subtotal_cents,
        "line_discounts_cents": totals.line_discounts_cents,
        "promo_discount_cents": totals.promo_discount_cents,
        "total_cents": totals.total_cents,
        "balance_due_cents": totals.total_cents,
        "pending_until": clock.now() + PENDING_WINDOW,
        "created_at": clock.now(),
    }


def _intent_row(placed: Row) -> Row:
    by_cash = placed["payment_method"] is PaymentMethod.CASH
    return {
        "id": new_id(),
        "order_id": placed["id"],
        "method": placed["payment_method"],
        "status": IntentStatus.UNPAID if by_cash else IntentStatus.PENDING,
        "amount_cents": placed["total_cents"],
        "created_at": placed["created_at"],
    }


def _audits(former: Order, placed: Row) -> list[dict[str, Any]]:
    created = {"status": placed["status"], "total_cents": placed["total_cents"], "retry_of": str(former.id)}
    return [
        entry("order.retried", TARGET, former.id, after={"status": former.status, "retried_as": str(placed["id"])}),
        entry("order.created", TARGET, placed["id"], after=created),
    ]


def _retried(former: Order, placed: Row) -> OrderRetried:
    return OrderRetried(
        order_id=placed["id"],
        order_number=placed["order_number"],
        buyer_store_id=former.buyer_store_id,
        vendor_store_id=former.vendor_store_id,
        retry_of_order_id=former.id,
    )
