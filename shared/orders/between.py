"""The orders of two stores with each other, and what they amount to."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, func, or_, select
from sqlalchemy.orm import Session

from shared.identity.models import Store
from shared.kit.errors import NotFound
from shared.kit.pagination import Page, page_of
from shared.orders.listing import (
    NEWEST_FIRST,
    AdminOrdersQuery,
    Buyer,
    OrderRowResponse,
    OrdersQuery,
    Side,
    Vendor,
    filters,
    order_rows,
)
from shared.orders.models import Order, OrderStatus


def list_orders_with(
    session: Session, store_id: UUID, other_id: UUID, query: OrdersQuery, *, side: Side
) -> Page[OrderRowResponse]:
    """What a store, on this side, has ordered from the other or sold to it, newest first.

    The totals are over everything that the filters let through: how many orders, how many of them delivered, their
    worth before and after discounts, and what is still owed. Raises NotFound when the other is no store to trade with.
    """
    buyer_id, vendor_id = (store_id, other_id) if side is Side.BUYER else (other_id, store_id)
    # As filters, so that a cursor is good for these two stores only.
    chosen = {"buyer_store_id": buyer_id, "vendor_store_id": vendor_id, "include_total": False}
    narrowed = AdminOrdersQuery(**query.model_dump() | chosen)
    theirs = (Order.buyer_store_id == buyer_id, Order.vendor_store_id == vendor_id)
    orders = order_rows(*theirs, *filters(narrowed, [Buyer, Vendor]))
    page = page_of(session, orders, narrowed, NEWEST_FIRST)
    totals = _totals(session, orders, is_known=or_(exists().where(*theirs), _is_there(other_id, side)))
    rows = page.of([OrderRowResponse.model_validate(row) for row in page.items])
    return replace(rows, total=totals["count"] if query.include_total else None, totals=totals)


def _is_there(store_id: UUID, side: Side) -> ColumnElement[bool]:
    """The store exists and stands on the other side."""
    other = Side.VENDOR if side is Side.BUYER else Side.BUYER
    return exists().where(Store.id == store_id, Store.type == other.value, Store.deleted_at.is_(None))


def _totals(session: Session, orders: Select[Any], *, is_known: ColumnElement[bool]) -> dict[str, int]:
    listed = orders.subquery()
    sums = {
        "gross_cents": listed.c.subtotal_cents,
        "discounts_cents": listed.c.line_discounts_cents + listed.c.promo_discount_cents,
        "total_cents": listed.c.total_cents,
        "balance_due_cents": listed.c.balance_due_cents,
    }
    delivered = func.count().filter(listed.c.status.in_([OrderStatus.DELIVERED, OrderStatus.CLOSED]))
    row = session.execute(
        select(
            is_known.label("is_known"),
            func.count().label("count"),
            delivered.label("delivered_count"),
            *(func.coalesce(func.sum(amount), 0).label(name) for name, amount in sums.items()),
        ).select_from(listed)
    ).one()
    if not row.is_known:
        raise NotFound
    return {name: int(row._mapping[name]) for name in ("count", "delivered_count", *sums)}
