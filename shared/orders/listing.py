"""Lists of orders: what each row tells, what can be filtered, and whose orders are seen. One statement a page."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from shared.identity.models import Store
from shared.kit.pagination import Order as SortOrder
from shared.kit.pagination import Page, PageQuery, page_of
from shared.kit.schemas import Instant, Response
from shared.orders import searching
from shared.orders.lifecycle import WAITING_FOR_VENDOR
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
)

Buyer = aliased(Store, name="buyer_store")
Vendor = aliased(Store, name="vendor_store")


class Side(StrEnum):
    """From which side a store looks at its orders."""

    BUYER = "buyer"
    VENDOR = "vendor"

    def is_of(self, store_id: UUID) -> ColumnElement[bool]:
        """Orders that this store has on this side."""
        return (Order.buyer_store_id if self is Side.BUYER else Order.vendor_store_id) == store_id

    @property
    def counterparty(self) -> type[Store]:
        return Vendor if self is Side.BUYER else Buyer

    def is_with_counterparty(self) -> ColumnElement[bool]:
        """Joins an order's other side."""
        return self.counterparty.id == (Order.vendor_store_id if self is Side.BUYER else Order.buyer_store_id)


_RETRIED = aliased(Order, name="retried")


def waits_for(side: Side) -> ColumnElement[bool]:
    """The next step is this side's: the vendor's to decide, pack or release, the buyer's to place again, once."""
    if side is Side.VENDOR:
        return Order.status.in_((*WAITING_FOR_VENDOR, OrderStatus.HOLD))
    return and_(Order.status == OrderStatus.EXPIRED, ~exists().where(_RETRIED.retry_of_order_id == Order.id))


class OrdersQuery(PageQuery):
    """Filters of every list of orders; the period includes both its ends."""

    status: list[OrderStatus] = []
    fulfillment_status: list[FulfillmentStatus] = []
    shipping_status: list[ShippingStatus] = []
    payment_status: list[IntentStatus] = []
    created_from: Instant | None = None
    created_to: Instant | None = None
    q: str | None = Field(default=None, min_length=1, max_length=100)


class StoreOrdersQuery(OrdersQuery):
    """A store's own orders. `as` says from which side it looks; `q` is an order number or the other side's name."""

    side: Side | None = Field(default=None, alias="as")
    actionable: bool | None = None


class AdminOrdersQuery(OrdersQuery):
    """All orders; `q` is an order number or a store's name."""

    buyer_store_id: UUID | None = None
    vendor_store_id: UUID | None = None


class StoreName(Response):
    """Which store, and what people call it."""

    id: UUID
    name: str


class LineCounts(Response):
    """How many lines of each status an order has, and how many units stand."""

    lines: int
    pending: int
    accepted: int
    rejected: int
    fulfilled: int
    units: int


class OrderRowResponse(Response):
    """An order in a list."""

    id: UUID
    order_number: int
    checkout_group_id: UUID
    status: OrderStatus
    fulfillment_status: FulfillmentStatus
    shipping_status: ShippingStatus
    refund_status: RefundStatus
    payment_method: PaymentMethod
    payment_status: IntentStatus
    currency: str
    subtotal_cents: int
    line_discounts_cents: int
    promo_discount_cents: int
    total_cents: int
    balance_due_cents: int
    buyer: StoreName
    vendor: StoreName
    counts: LineCounts
    pending_until: datetime
    delivered_at: datetime | None
    created_at: datetime


NEWEST_FIRST = SortOrder((Order.created_at, Order.id))


def list_orders_of(
    session: Session, store_id: UUID, query: StoreOrdersQuery, *, default: Side
) -> Page[OrderRowResponse]:
    """A store's orders as buyer or as vendor, newest first."""
    side = query.side or default
    conditions = [side.is_of(store_id), *filters(query, [side.counterparty])]
    if query.actionable is not None:
        waits = waits_for(side)
        conditions.append(waits if query.actionable else ~waits)
    counted = _counted(query, conditions)
    if query.q is not None:
        counted = counted.join(side.counterparty, side.is_with_counterparty())
    return _page(session, order_rows(*conditions), query, NEWEST_FIRST, counted)


def list_all_orders(session: Session, query: AdminOrdersQuery) -> Page[OrderRowResponse]:
    """Everybody's orders, newest first."""
    wanted = {Order.buyer_store_id: query.buyer_store_id, Order.vendor_store_id: query.vendor_store_id}
    conditions = [*filters(query), *(column == store_id for column, store_id in wanted.items() if store_id is not None)]
    if query.q is not None:
        conditions.append(searching.of_any_store(session, query.q))
    return _page(session, order_rows(*conditions), query, NEWEST_FIRST, _counted(query, conditions))


def list_payable(session: Session, query: PageQuery) -> Page[OrderRowResponse]:
    """Orders whose vendors wait for their money: delivered and settled; the oldest delivery first."""
    oldest_first = SortOrder((Order.delivered_at, Order.id), descending=False)
    return _page(session, order_rows(is_payable()), query, oldest_first)


def is_payable() -> ColumnElement[bool]:
    """Delivered, settled, and not paid out."""
    return and_(Order.status == OrderStatus.DELIVERED, PaymentIntent.status == IntentStatus.SETTLED)


def is_payable_or_paid() -> ColumnElement[bool]:
    """As well as what was paid out."""
    return or_(is_payable(), Order.status == OrderStatus.CLOSED)


def order_rows(*conditions: ColumnElement[bool]) -> Select[Any]:
    """Orders with intent and both stores joined, as the columns of an OrderRowResponse."""
    own = [
        column
        for column in Order.__table__.columns
        if column.name in OrderRowResponse.model_fields and column.name != "payment_status"
    ]
    return (
        select(
            *own,
            PaymentIntent.status.label("payment_status"),
            _name(Buyer).label("buyer"),
            _name(Vendor).label("vendor"),
            line_counts().label("counts"),
        )
        .join(PaymentIntent, PaymentIntent.order_id == Order.id)
        .join(Buyer, Buyer.id == Order.buyer_store_id)
        .join(Vendor, Vendor.id == Order.vendor_store_id)
        .where(*conditions)
    )


def filters(query: OrdersQuery, names: Sequence[type[Store]] = ()) -> list[ColumnElement[bool]]:
    """What the query lets through; `q` is looked for in the names of these stores, and is the caller's without any."""
    conditions: list[ColumnElement[bool]] = []
    if query.status:
        conditions.append(Order.status.in_(query.status))
    if query.fulfillment_status:
        conditions.append(Order.fulfillment_status.in_(query.fulfillment_status))
    if query.shipping_status:
        conditions.append(Order.shipping_status.in_(query.shipping_status))
    if query.payment_status:
        conditions.append(PaymentIntent.status.in_(query.payment_status))
    if query.created_from is not None:
        conditions.append(Order.created_at >= query.created_from)
    if query.created_to is not None:
        conditions.append(Order.created_at <= query.created_to)
    if query.q is not None and names:
        conditions.append(searching.of_joined(query.q, names))
    return conditions


def _name(store: type[Store]) -> ColumnElement[Any]:
    called = func.coalesce(store.dba_name, store.company_name)
    return func.json_build_object("id", store.id, "name", called)


def line_counts() -> ColumnElement[Any]:
    """One scalar subquery, so that it is computed for the rows of the page alone."""
    every = func.count()
    of_status = [part for status in LineStatus for part in (status.value, every.filter(OrderLine.status == status))]
    units = func.coalesce(func.sum(OrderLine.qty).filter(OrderLine.status != LineStatus.REJECTED), 0)
    counted = select(func.json_build_object("lines", every, "units", units, *of_status))
    return counted.where(OrderLine.order_id == Order.id).correlate(Order).scalar_subquery()


def _counted(query: OrdersQuery, conditions: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """As many rows as `order_rows`, joining only what is filtered: each order has one payment and two stores."""
    orders = select(Order.id).where(*conditions)
    return orders.join(PaymentIntent, PaymentIntent.order_id == Order.id) if query.payment_status else orders


def _page(
    session: Session, statement: Select[Any], query: PageQuery, order: SortOrder, counted: Select[Any] | None = None
) -> Page[OrderRowResponse]:
    page = page_of(session, statement, query, order, counted=counted)
    return page.of([OrderRowResponse.model_validate(row) for row in page.items])
