"""The life of an order and of its lines: one table each, and the only place where their status changes.

The tables are those of the specification (Orders, delivery, money). `LINES` adds what cancelling and
expiring an order do to a line: it is rejected, whatever was decided before, so that its stock and its
price go back.
"""

from collections.abc import Iterable
from enum import StrEnum

from shared.kit import clock
from shared.kit.logging import metric
from shared.orders.machine import Actor, Machine, Move
from shared.orders.models import FulfillmentStatus, LineStatus, Order, OrderStatus


class Action(StrEnum):
    """What moves an order."""

    CREATE = "create"
    ACCEPT = "accept"
    REJECT = "reject"
    DECIDE_LINES = "decide_lines"
    FULFILL = "fulfill"
    HOLD = "hold"
    RELEASE = "release"
    PICKUP = "pickup"
    DELIVER = "deliver"
    CONFIRM_PAYOUT = "confirm_payout"
    CANCEL = "cancel"
    EXPIRE = "expire"


class LineAction(StrEnum):
    """What moves a line."""

    RESERVE = "reserve"
    ACCEPT = "accept"
    REJECT = "reject"
    FULFILL = "fulfill"
    CANCEL = "cancel"
    EXPIRE = "expire"


_Move = Move[OrderStatus, Action]
_LineMove = Move[LineStatus, LineAction]

_PENDING, _ACCEPTED, _PARTIAL = OrderStatus.CREATED_PENDING, OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_ACCEPTED
_READY, _HOLD, _REJECTED = OrderStatus.READY_FOR_DISPATCH, OrderStatus.HOLD, OrderStatus.REJECTED
_IN_TRANSIT, _DELIVERED, _CLOSED = OrderStatus.IN_TRANSIT, OrderStatus.DELIVERED, OrderStatus.CLOSED
_CANCELED, _EXPIRED = OrderStatus.CANCELED, OrderStatus.EXPIRED

HOLDABLE = (_ACCEPTED, _PARTIAL, _READY)
CANCELABLE = (_PENDING, *HOLDABLE, _HOLD)
WAITING_FOR_VENDOR = (_PENDING, _ACCEPTED, _PARTIAL)
DEAD = (_REJECTED, _CANCELED, _EXPIRED)

ORDERS = Machine(
    "An order",
    [
        _Move(None, Actor.CHECKOUT, Action.CREATE, (_PENDING, _REJECTED)),
        _Move(_PENDING, Actor.VENDOR, Action.ACCEPT, (_ACCEPTED, _PARTIAL)),
        _Move(_PENDING, Actor.VENDOR, Action.REJECT, (_REJECTED,)),
        _Move(_PENDING, Actor.VENDOR, Action.DECIDE_LINES, (_PENDING, _ACCEPTED, _PARTIAL, _REJECTED)),
        _Move(_ACCEPTED, Actor.VENDOR, Action.DECIDE_LINES, (_ACCEPTED, _PARTIAL, _REJECTED)),
        _Move(_PARTIAL, Actor.VENDOR, Action.DECIDE_LINES, (_PARTIAL, _REJECTED)),
        _Move(_ACCEPTED, Actor.VENDOR, Action.FULFILL, (_ACCEPTED, _READY)),
        _Move(_PARTIAL, Actor.VENDOR, Action.FULFILL, (_PARTIAL, _READY)),
        *(_Move(status, Actor.VENDOR, Action.HOLD, (_HOLD,)) for status in HOLDABLE),
        _Move(_HOLD, Actor.VENDOR, Action.RELEASE, HOLDABLE),
        _Move(_READY, Actor.AGENT, Action.PICKUP, (_IN_TRANSIT,)),
        _Move(_IN_TRANSIT, Actor.AGENT, Action.DELIVER, (_DELIVERED,)),
        _Move(_DELIVERED, Actor.ADMIN, Action.CONFIRM_PAYOUT, (_CLOSED,)),
        *(_Move(status, Actor.BUYER, Action.CANCEL, (_CANCELED,)) for status in CANCELABLE),
        _Move(_PENDING, Actor.SCHEDULER, Action.EXPIRE, (_EXPIRED,)),
    ],
)

_OPEN_LINES = (LineStatus.PENDING, LineStatus.ACCEPTED, LineStatus.FULFILLED)

LINES = Machine(
    "A line",
    [
        _LineMove(None, Actor.CHECKOUT, LineAction.RESERVE, (LineStatus.PENDING, LineStatus.REJECTED)),
        _LineMove(LineStatus.PENDING, Actor.VENDOR, LineAction.ACCEPT, (LineStatus.ACCEPTED,)),
        _LineMove(LineStatus.PENDING, Actor.VENDOR, LineAction.REJECT, (LineStatus.REJECTED,)),
        _LineMove(LineStatus.PENDING, Actor.VENDOR, LineAction.FULFILL, (LineStatus.FULFILLED,)),
        _LineMove(LineStatus.ACCEPTED, Actor.VENDOR, LineAction.REJECT, (LineStatus.REJECTED,)),
        _LineMove(LineStatus.ACCEPTED, Actor.VENDOR, LineAction.FULFILL, (LineStatus.FULFILLED,)),
        *(_LineMove(status, Actor.BUYER, LineAction.CANCEL, (LineStatus.REJECTED,)) for status in _OPEN_LINES),
        *(_LineMove(status, Actor.SCHEDULER, LineAction.EXPIRE, (LineStatus.REJECTED,)) for status in _OPEN_LINES),
    ],
)

_STAMPS = {
    _ACCEPTED: "accepted_at",
    _PARTIAL: "accepted_at",
    _READY: "fulfilled_at",
    _DELIVERED: "delivered_at",
    _CLOSED: "closed_at",
    _CANCELED: "canceled_at",
    _EXPIRED: "expired_at",
}


def move(order: Order, actor: Actor, action: Action, to: OrderStatus | None = None) -> None:
    """Give the order its next status, and the time at which it first had it. Raises StateConflict."""
    former = order.status
    order.status = ORDERS.next(former, actor, action, to)
    if order.status is not former:
        metric("order_moved", action=action, source=former, to=order.status)
    stamp = _STAMPS.get(order.status)
    if stamp and getattr(order, stamp) is None:
        setattr(order, stamp, clock.now())


def is_done(order: Order, actor: Actor, action: Action) -> bool:
    """Whether the order already is where the action leads, so that asking again changes nothing.

    An order that was released looks like one that was never held, but for `held_from`, which stays.
    """
    if action is Action.RELEASE:
        return order.status is order.held_from
    return ORDERS.is_done(order.status, actor, action)


def status_at_checkout(lines: Iterable[LineStatus]) -> OrderStatus:
    """The first status: `rejected` when no line got its stock."""
    first = ORDERS.next(None, Actor.CHECKOUT, Action.CREATE, _PENDING if any_open(lines) else _REJECTED)
    metric("order_moved", action=Action.CREATE, source="none", to=first)
    return first


def status_of_decided(lines: Iterable[LineStatus]) -> OrderStatus:
    """What the decisions on the lines make of their order: pending as long as one of them is."""
    held = set(lines)
    if LineStatus.PENDING in held:
        return _PENDING
    if held <= {LineStatus.REJECTED}:
        return _REJECTED
    return _PARTIAL if LineStatus.REJECTED in held else _ACCEPTED


def fulfillment_of(lines: Iterable[LineStatus]) -> FulfillmentStatus:
    """How far the order is packed: rejected lines need no packing."""
    held = set(lines)
    if LineStatus.FULFILLED not in held:
        return FulfillmentStatus.PENDING
    return (
        FulfillmentStatus.FULFILLED
        if held <= {LineStatus.FULFILLED, LineStatus.REJECTED}
        else (FulfillmentStatus.PARTIAL)
    )


def any_open(lines: Iterable[LineStatus]) -> bool:
    """Whether any line still stands for goods."""
    return any(status is not LineStatus.REJECTED for status in lines)
