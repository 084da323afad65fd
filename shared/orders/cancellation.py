"""An order is called off, by its buyer or by time: every line gives back its stock and its price."""

from sqlalchemy.orm import Session

from shared.events.orders import OrderCanceled, OrderExpired
from shared.orders.assignment import close_assignment
from shared.orders.history import Happened, about, recorded
from shared.orders.lifecycle import ORDERS, Action, LineAction, is_done, move
from shared.orders.lines import Step, lines_of, move_lines, outstanding
from shared.orders.machine import Actor
from shared.orders.models import Order, ShippingStatus

ORDER_CANCELED = "order_canceled"
ORDER_EXPIRED = "order_expired"
"""Why a line was rejected, when it was not the vendor's decision."""


def cancel(session: Session, order: Order, *, reason: str | None = None) -> Happened:
    """The buyer no longer wants the order. Raises StateConflict once it is on its way."""
    if is_done(order, Actor.BUYER, Action.CANCEL):
        return ()
    ORDERS.require(order.status, Actor.BUYER, Action.CANCEL)
    with recorded(session, order, "order.canceled", reason=reason):
        _give_back(session, order, Actor.BUYER, LineAction.CANCEL, ORDER_CANCELED)
        close_assignment(session, order)
        order.shipping_status = ShippingStatus.PENDING
        move(order, Actor.BUYER, Action.CANCEL)
    return (OrderCanceled(**about(order), reason=reason),)


def expire(session: Session, order: Order) -> Happened:
    """The vendor let the second window pass. Raises StateConflict."""
    if is_done(order, Actor.SCHEDULER, Action.EXPIRE):
        return ()
    ORDERS.require(order.status, Actor.SCHEDULER, Action.EXPIRE)
    with recorded(session, order, "order.expired"):
        _give_back(session, order, Actor.SCHEDULER, LineAction.EXPIRE, ORDER_EXPIRED)
        move(order, Actor.SCHEDULER, Action.EXPIRE)
    return (OrderExpired(**about(order)),)


def _give_back(session: Session, order: Order, actor: Actor, action: LineAction, reason: str) -> None:
    lines = lines_of(session, order)
    steps = [Step(line_item_id, action, reason) for line_item_id in lines]
    move_lines(session, order, lines, actor, outstanding(lines, steps))
