"""The vendor puts a locked order aside for a while, and takes it up again.

`held_from` is where it was held from; it stays after the release, which tells a release that is
asked for again from one that never had anything to release.
"""

from sqlalchemy.orm import Session

from shared.events.orders import OrderReadyForDispatch
from shared.orders.history import Happened, about, recorded
from shared.orders.lifecycle import ORDERS, Action, is_done, move
from shared.orders.machine import Actor
from shared.orders.models import Order, OrderStatus
from shared.orders.queries import find_open_assignment


def hold(session: Session, order: Order, *, reason: str) -> Happened:
    """Nothing goes on with the order until it is released. Raises StateConflict."""
    if is_done(order, Actor.VENDOR, Action.HOLD):
        return ()
    ORDERS.require(order.status, Actor.VENDOR, Action.HOLD)
    with recorded(session, order, "order.held", reason=reason):
        order.held_from = order.status
        move(order, Actor.VENDOR, Action.HOLD)
    return ()


def release(session: Session, order: Order, *, reason: str | None = None) -> Happened:
    """Back to where it was held from. Raises StateConflict.

    An order that is ready and has no agent is announced again: while it was held, none was sent.
    """
    if is_done(order, Actor.VENDOR, Action.RELEASE):
        return ()
    ORDERS.require(order.status, Actor.VENDOR, Action.RELEASE)
    with recorded(session, order, "order.released", reason=reason):
        move(order, Actor.VENDOR, Action.RELEASE, order.held_from)
    is_ready = order.status is OrderStatus.READY_FOR_DISPATCH
    waits = is_ready and find_open_assignment(session, order.id) is None
    return (OrderReadyForDispatch(**about(order)),) if waits else ()
