"""Orders in any status, with lines, payment intent, stock and ledger as they would be after a real life."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm.attributes import set_committed_value

from shared.catalog.models import Product
from shared.identity.models import Store, User
from shared.identity.permissions import SystemRole
from shared.inventory import reservation
from shared.inventory.reservation import StockLine
from shared.kit import clock
from shared.kit.db import transaction
from shared.kit.ids import new_id
from shared.orders.lifecycle import fulfillment_of
from shared.orders.models import (
    FulfillmentStatus,
    IntentStatus,
    LedgerEvent,
    LedgerType,
    LineStatus,
    Order,
    OrderAssignment,
    OrderLine,
    OrderStatus,
    PaymentIntent,
    PaymentMethod,
    ShippingStatus,
)
from shared.orders.totals import balance_due_cents, totals_of
from tests.builders.products import a_product
from tests.builders.stores import a_buyer, a_user, a_vendor

S, L = OrderStatus, LineStatus
_ON_THE_WAY = (S.IN_TRANSIT, S.DELIVERED, S.CLOSED)
_LINE_STATUS = {
    S.CREATED_PENDING: L.PENDING,
    S.ACCEPTED: L.ACCEPTED,
    S.PARTIALLY_ACCEPTED: L.ACCEPTED,
    S.REJECTED: L.REJECTED,
    S.CANCELED: L.REJECTED,
    S.EXPIRED: L.REJECTED,
}
_REASONS = {S.CANCELED: "order_canceled", S.EXPIRED: "order_expired"}
_SHIPPING = {
    S.IN_TRANSIT: ShippingStatus.IN_TRANSIT,
    S.DELIVERED: ShippingStatus.DELIVERED,
    S.CLOSED: ShippingStatus.DELIVERED,
}
_REACHED = {
    "accepted_at": (S.ACCEPTED, S.PARTIALLY_ACCEPTED, S.READY_FOR_DISPATCH, S.HOLD, *_ON_THE_WAY),
    "fulfilled_at": (S.READY_FOR_DISPATCH, *_ON_THE_WAY),
    "delivered_at": (S.DELIVERED, S.CLOSED),
    "closed_at": (S.CLOSED,),
    "canceled_at": (S.CANCELED,),
    "expired_at": (S.EXPIRED,),
}


@dataclass(frozen=True)
class A:
    """A line to build: `qty` units at a price; without a product, one of the vendor's is made with 100 in stock.

    Without a status, the order's status gives it one.
    """

    qty: int = 4
    unit_price_cents: int = 2_500
    discount_cents: int = 0
    status: LineStatus | None = None
    product: Product | None = None
    more: dict[str, Any] = field(default_factory=dict)


TWO_LINES = (A(qty=4, unit_price_cents=2_500), A(qty=2, unit_price_cents=4_000))
"""$100.00 and $80.00."""


def an_order(
    status: OrderStatus = S.CREATED_PENDING,
    *,
    buyer: Store | None = None,
    vendor: Store | None = None,
    lines: tuple[A, ...] = TWO_LINES,
    promo_cents: int = 0,
    payment: IntentStatus | None = None,
    agent: User | None = None,
    **fields: Any,
) -> Order:
    """An order of $180.00 in two lines. It carries `lines`, `intent`, `buyer`, `vendor` and `agent`.

    A partially accepted order has its last line rejected. One that is on its way has an agent; `agent`
    gives one to any other. A closed order is paid, a delivered one is `payment`, unpaid by default.
    """
    vendor = vendor or a_vendor()
    buyer = buyer or a_buyer()
    order = _order(status, buyer, vendor, fields)
    built = [_line(order, position, spec, vendor, len(lines)) for position, spec in enumerate(lines)]
    intent = _intent(order, payment)
    _price(order, intent, built, promo_cents)
    if agent is None and status in _ON_THE_WAY:
        agent = an_agent()
    with transaction() as session:
        session.add(order)
        session.flush()
        session.add_all([intent, *built])
        session.flush()
        _keep_stock(session, order, built)
        if agent is not None:
            _assign(session, order, intent, agent)
        _write_ledger(session, order, intent)
    set_committed_value(order, "lines", built)
    set_committed_value(order, "intent", intent)
    order.buyer, order.vendor, order.agent = buyer, vendor, agent
    return order


def an_agent(**fields: Any) -> User:
    """An active driver."""
    return a_user(**{"system_role": SystemRole.AGENT, "first_name": "Sam", "last_name": "Ortiz", **fields})


def _order(status: OrderStatus, buyer: Store, vendor: Store, fields: dict[str, Any]) -> Order:
    created_at = fields.pop("created_at", clock.now())
    return Order(
        **{
            "id": new_id(),
            "checkout_group_id": new_id(),
            "buyer_store_id": buyer.id,
            "vendor_store_id": vendor.id,
            "status": status,
            "held_from": S.ACCEPTED if status is S.HOLD else None,
            "shipping_status": _SHIPPING.get(status, ShippingStatus.PENDING),
            "fulfillment_status": FulfillmentStatus.PENDING,
            "currency": "USD",
            "payment_method": PaymentMethod.CASH,
            "shipping_line": {"code": "agent_standard", "price_cents": 0},
            "pending_until": created_at + timedelta(days=5),
            "created_at": created_at,
            "line1": buyer.line1,
            "city": buyer.city,
            "state": buyer.state,
            "postal_code": buyer.postal_code,
            "country": "US",
            "lat": buyer.lat,
            "lng": buyer.lng,
            **{stamp: created_at for stamp, reached in _REACHED.items() if status in reached},
            **fields,
        }
    )


def _line(order: Order, position: int, spec: A, vendor: Store, count: int) -> OrderLine:
    product = spec.product or a_product(vendor, price_cents=spec.unit_price_cents)
    status = spec.status or _status_of_line(order, is_last=position == count - 1)
    subtotal_cents = spec.qty * spec.unit_price_cents
    reason = _REASONS.get(order.status, "vendor_rejected") if status is L.REJECTED else None
    return OrderLine(
        **{
            "id": new_id(),
            "order_id": order.id,
            "position": position,
            "status": status,
            "rejection_reason": reason,
            "product_id": product.id,
            "title": product.title,
            "sku": product.sku,
            "category": product.category,
            "strain": product.strain,
            "classification": product.classification,
            "unit": product.unit,
            "thc_percent": product.thc_percent,
            "cbd_percent": product.cbd_percent,
            "moq": product.moq,
            "max_qty": product.max_qty,
            "qty": spec.qty,
            "unit_price_cents": spec.unit_price_cents,
            "line_subtotal_cents": subtotal_cents,
            "line_discount_cents": spec.discount_cents,
            "line_total_cents": subtotal_cents - spec.discount_cents,
            "warnings": [],
            **spec.more,
        }
    )


def _status_of_line(order: Order, *, is_last: bool) -> LineStatus:
    shown = order.held_from if order.status is S.HOLD else order.status
    if shown is S.PARTIALLY_ACCEPTED and is_last:
        return L.REJECTED
    return _LINE_STATUS.get(shown, L.FULFILLED)


def _intent(order: Order, status: IntentStatus | None) -> PaymentIntent:
    if status is None:
        by_cash = order.payment_method is PaymentMethod.CASH
        status = IntentStatus.UNPAID if by_cash else IntentStatus.PENDING
        status = IntentStatus.PAID if order.status is S.CLOSED else status
    has_cash = status in (IntentStatus.SETTLED, IntentStatus.PAID)
    went_wrong = status in (IntentStatus.FAILED, IntentStatus.REJECTED)
    return PaymentIntent(
        id=new_id(),
        order_id=order.id,
        method=order.payment_method,
        status=status,
        failure_reason="amount_mismatch" if went_wrong else None,
        cash_collected_at=order.created_at if has_cash else None,
        vendor_paid_at=order.created_at if status is IntentStatus.PAID else None,
        created_at=order.created_at,
    )


def _price(order: Order, intent: PaymentIntent, lines: list[OrderLine], promo_cents: int) -> None:
    totals = totals_of(lines, promo_cents)
    order.subtotal_cents = totals.subtotal_cents
    order.line_discounts_cents = totals.line_discounts_cents
    order.promo_discount_cents = totals.promo_discount_cents
    order.total_cents = intent.amount_cents = totals.total_cents
    order.balance_due_cents = balance_due_cents(order, intent)
    order.fulfillment_status = fulfillment_of(line.status for line in lines)


def _keep_stock(session: Any, order: Order, lines: list[OrderLine]) -> None:
    """Everything was reserved at checkout; what is rejected went back, what was delivered is gone."""
    entries = {line.id: StockLine(line.product_id, line.qty, order.id, line.id) for line in lines}
    assert reservation.reserve(session, list(entries.values())) == set(entries)
    reservation.release(session, [entries[line.id] for line in lines if line.status is L.REJECTED])
    if order.status in (S.DELIVERED, S.CLOSED):
        reservation.consume(session, [entries[line.id] for line in lines if line.status is not L.REJECTED])


def _assign(session: Any, order: Order, intent: PaymentIntent, agent: User) -> None:
    if order.shipping_status is ShippingStatus.PENDING:
        order.shipping_status = ShippingStatus.DISPATCHED
    session.add(
        OrderAssignment(
            id=new_id(),
            order_id=order.id,
            agent_user_id=agent.id,
            assigned_by="system",
            assigned_at=order.created_at,
            picked_up_at=order.created_at if order.status in _ON_THE_WAY else None,
            delivered_at=order.delivered_at,
            cash_collected_at=intent.cash_collected_at,
        )
    )


def _write_ledger(session: Any, order: Order, intent: PaymentIntent) -> None:
    moved: list[tuple[LedgerType, UUID]] = []
    if intent.status in (IntentStatus.SETTLED, IntentStatus.PAID):
        moved.append((LedgerType.CASH_COLLECTED, new_id()))
    if intent.status is IntentStatus.PAID:
        moved.append((LedgerType.VENDOR_PAYOUT, new_id()))
    session.add_all(
        LedgerEvent(
            id=entry_id,
            order_id=order.id,
            type=kind,
            amount_cents=intent.amount_cents,
            actor="system",
            created_at=order.created_at,
        )
        for kind, entry_id in moved
    )
