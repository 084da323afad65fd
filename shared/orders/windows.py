"""How long a vendor has for its answer: a window, after a reminder a second one, and then the order expires."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import literal, select, tuple_
from sqlalchemy.orm import Session

from shared.events.orders import OrderPendingNudge
from shared.kit import clock
from shared.kit.db import read_only
from shared.orders.cancellation import expire
from shared.orders.history import Happened, about, recorded
from shared.orders.models import Order, OrderStatus

PENDING_WINDOW = timedelta(days=5)
BATCH = 200


def list_overdue(session: Session, at: datetime, after: tuple[datetime, UUID] | None) -> list[tuple[datetime, UUID]]:
    """(end of window, id) of the next orders whose window is over, the longest overdue first."""
    key = (Order.pending_until, Order.id)
    overdue = select(*key).where(Order.status == OrderStatus.CREATED_PENDING, Order.pending_until <= at)
    if after is not None:
        bounds = (literal(value, column.type) for value, column in zip(after, key, strict=True))
        overdue = overdue.where(tuple_(*key) > tuple_(*bounds))
    return [(row[0], row[1]) for row in session.execute(overdue.order_by(*key).limit(BATCH))]


def overdue_orders() -> Iterator[UUID]:
    """The ids of all orders that are overdue now, read in batches; each comes once, whatever becomes of it."""
    at, after = clock.now(), None
    while True:
        with read_only() as session:
            batch = list_overdue(session, at, after)
        yield from (order_id for _, order_id in batch)
        if len(batch) < BATCH:
            return
        after = batch[-1]


def lock_overdue(session: Session, order_id: UUID) -> Order | None:
    """The order, if it is still overdue and nobody else has it in hand."""
    overdue = (Order.status == OrderStatus.CREATED_PENDING, Order.pending_until <= clock.now())
    return session.scalar(select(Order).where(Order.id == order_id, *overdue).with_for_update(skip_locked=True))


def end_window(session: Session, order: Order) -> Happened:
    """The first window ends with a reminder and a second one, which begins now, however late that is; the second
    ends the order.
    """
    return expire(session, order) if order.ttl_nudged_at is not None else _remind(session, order)


def _remind(session: Session, order: Order) -> Happened:
    with recorded(session, order, "order.pending_nudged"):
        order.ttl_nudged_at = clock.now()
        order.pending_until = clock.now() + PENDING_WINDOW
    return (OrderPendingNudge(**about(order)),)
