"""What agents see of orders: the queue of those that wait for one, and their own round."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, select
from sqlalchemy.orm import Session

from shared.kit.pagination import Order as SortOrder
from shared.kit.pagination import Page, PageQuery, page_of
from shared.kit.schemas import Response
from shared.orders.details import PlaceResponse, StoreSummaryResponse
from shared.orders.listing import Buyer, LineCounts, Vendor, line_counts
from shared.orders.models import (
    IntentStatus,
    Order,
    OrderAssignment,
    OrderStatus,
    PaymentIntent,
    PaymentMethod,
    ShippingStatus,
)


class RoundQuery(PageQuery):
    """Filters of an agent's own orders."""

    status: list[OrderStatus] = []


class WaitingOrderResponse(Response):
    """A delivery to be made: from where, to where, and what to collect."""

    id: UUID
    order_number: int
    status: OrderStatus
    shipping_status: ShippingStatus
    payment_method: PaymentMethod
    payment_status: IntentStatus
    total_cents: int
    balance_due_cents: int
    vendor: StoreSummaryResponse
    buyer: StoreSummaryResponse
    shipping_address: PlaceResponse
    counts: LineCounts
    fulfilled_at: datetime | None
    created_at: datetime


class AssignedOrderResponse(WaitingOrderResponse):
    """A delivery in an agent's hands, and how far it is."""

    assigned_at: datetime
    picked_up_at: datetime | None
    delivered_at: datetime | None
    cash_collected_at: datetime | None


def list_queue(session: Session, query: PageQuery) -> Page[WaitingOrderResponse]:
    """Orders that are ready and have no agent; the oldest first."""
    taken = exists().where(OrderAssignment.order_id == Order.id, OrderAssignment.closed_at.is_(None))
    statement = _deliveries(Order.status == OrderStatus.READY_FOR_DISPATCH, ~taken)
    page = page_of(session, statement, query, SortOrder((Order.created_at, Order.id), descending=False))
    return page.of([WaitingOrderResponse(**_shown(row)) for row in page.items])


def list_round(session: Session, agent_user_id: UUID, query: RoundQuery) -> Page[AssignedOrderResponse]:
    """The orders of one agent, the latest assignment first."""
    mine = (OrderAssignment.agent_user_id == agent_user_id, OrderAssignment.closed_at.is_(None))
    of_status = [Order.status.in_(query.status)] if query.status else []
    statement = (
        _deliveries(*mine, *of_status)
        .join(OrderAssignment, OrderAssignment.order_id == Order.id)
        .add_columns(OrderAssignment)
    )
    latest_first = SortOrder((OrderAssignment.assigned_at, OrderAssignment.id))
    page = page_of(session, statement, query, latest_first)
    return page.of([AssignedOrderResponse(**_shown(row), **_progress(row.OrderAssignment)) for row in page.items])


def _deliveries(*conditions: ColumnElement[bool]) -> Select[Any]:
    return (
        select(Order, PaymentIntent.status.label("payment_status"), Buyer, Vendor, line_counts().label("counts"))
        .join(PaymentIntent, PaymentIntent.order_id == Order.id)
        .join(Buyer, Buyer.id == Order.buyer_store_id)
        .join(Vendor, Vendor.id == Order.vendor_store_id)
        .where(*conditions)
    )


def _shown(row: Any) -> dict[str, Any]:
    order = row.Order
    columns = Order.__table__.columns.keys()
    return {
        **{name: getattr(order, name) for name in WaitingOrderResponse.model_fields if name in columns},
        "payment_status": row.payment_status,
        "buyer": row.buyer_store,
        "vendor": row.vendor_store,
        "shipping_address": PlaceResponse.model_validate(order),
        "counts": row.counts,
    }


def _progress(assignment: OrderAssignment) -> dict[str, Any]:
    names = ("assigned_at", "picked_up_at", "delivered_at", "cash_collected_at")
    return {name: getattr(assignment, name) for name in names}
