"""The ledger: money that moved, written once and never changed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from shared.kit.context import work
from shared.kit.ids import new_id
from shared.kit.pagination import Order as SortOrder
from shared.kit.pagination import Page, PageQuery, page_of
from shared.kit.schemas import Instant, Response
from shared.orders.models import LedgerEvent, LedgerType, Order


class LedgerQuery(PageQuery):
    """Filters of the ledger; the period includes both its ends."""

    type: list[LedgerType] = []
    order_id: UUID | None = None
    buyer_store_id: UUID | None = None
    vendor_store_id: UUID | None = None
    created_from: Instant | None = None
    created_to: Instant | None = None


class LedgerEntryResponse(Response):
    """One movement of money. `actor` is a user's id, or `system`."""

    id: UUID
    order_id: UUID
    order_number: int
    buyer_store_id: UUID
    vendor_store_id: UUID
    type: LedgerType
    amount_cents: int
    actor: str
    memo: str | None
    created_at: datetime


def append(session: Session, order: Order, kind: LedgerType, amount_cents: int, *, memo: str | None = None) -> None:
    """Write down that money moved. A second collection or payout of an order is refused by the database."""
    session.add(
        LedgerEvent(id=new_id(), order_id=order.id, type=kind, amount_cents=amount_cents, actor=work().actor, memo=memo)
    )


def list_entries(session: Session, query: LedgerQuery) -> Page[LedgerEntryResponse]:
    """Newest first, with the sums of each type over everything that the filters let through."""
    page = page_of(session, _entries(query), query, SortOrder((LedgerEvent.created_at, LedgerEvent.id)))
    listed = page.of([LedgerEntryResponse.model_validate(row) for row in page.items])
    return listed.with_totals(_totals(session, query))


def _entries(query: LedgerQuery) -> Select[Any]:
    columns = LedgerEvent.__table__.columns
    orders = (Order.order_number, Order.buyer_store_id, Order.vendor_store_id)
    return select(*columns, *orders).join(Order, Order.id == LedgerEvent.order_id).where(*_filters(query))


def _filters(query: LedgerQuery) -> Sequence[ColumnElement[bool]]:
    wanted = {
        LedgerEvent.order_id: query.order_id,
        Order.buyer_store_id: query.buyer_store_id,
        Order.vendor_store_id: query.vendor_store_id,
    }
    conditions = [column == value for column, value in wanted.items() if value is not None]
    if query.type:
        conditions.append(LedgerEvent.type.in_(query.type))
    if query.created_from:
        conditions.append(LedgerEvent.created_at >= query.created_from)
    if query.created_to:
        conditions.append(LedgerEvent.created_at <= query.created_to)
    return conditions


def _totals(session: Session, query: LedgerQuery) -> dict[str, int]:
    """`<type>_cents` for every type, 0 where there is none. Orders are joined only to be chosen by their stores."""
    sums = select(LedgerEvent.type, func.sum(LedgerEvent.amount_cents)).where(*_filters(query))
    if query.buyer_store_id or query.vendor_store_id:
        sums = sums.join(Order, Order.id == LedgerEvent.order_id)
    found = {row[0]: int(row[1]) for row in session.execute(sums.group_by(LedgerEvent.type))}
    return {f"{kind}_cents": found.get(kind, 0) for kind in LedgerType}
