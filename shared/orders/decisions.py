"""What the vendor makes of a locked order: accept, reject, decide line by line, pack.

Each verb answers what happened; nothing when only part of the order is decided or packed, and
nothing when it was done before.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from shared.events.orders import OrderDecided, OrderReadyForDispatch
from shared.orders.history import Happened, about, recorded
from shared.orders.lifecycle import ORDERS, Action, LineAction, is_done, move, status_of_decided
from shared.orders.lines import Lines, Step, lines_of, move_lines, outstanding, statuses
from shared.orders.machine import Actor
from shared.orders.models import FulfillmentStatus, LineStatus, Order, OrderStatus

VENDOR_REJECTED = "vendor_rejected"


class Decision(StrEnum):
    """What a vendor makes of a whole order."""

    ACCEPT = "accept"
    REJECT = "reject"


class LineDecision(StrEnum):
    """What a vendor makes of one line; to fulfill a pending line accepts it as well."""

    ACCEPT = "accept"
    REJECT = "reject"
    FULFILL = "fulfill"


def step_of(line_item_id: UUID, decision: LineDecision, notes: str | None = None) -> Step:
    """A vendor's decision on a line as a step of its life."""
    reason = VENDOR_REJECTED if decision is LineDecision.REJECT else None
    return Step(line_item_id, LineAction(decision), reason, notes)


def decide(session: Session, order: Order, decision: Decision, *, reason: str | None = None) -> Happened:
    """Accept all pending lines, or reject every line. Raises StateConflict."""
    action = Action(decision)
    if is_done(order, Actor.VENDOR, action):
        return ()
    ORDERS.require(order.status, Actor.VENDOR, action)
    lines = lines_of(session, order)
    steps = _accept_pending(lines) if decision is Decision.ACCEPT else _reject_all(lines, reason)
    with recorded(session, order, f"order.{action}ed", reason=reason):
        lines = move_lines(session, order, lines, Actor.VENDOR, steps)
        move(order, Actor.VENDOR, action, status_of_decided(statuses(lines)))
    return (_decided(order, lines),)


def decide_lines(session: Session, order: Order, steps: Sequence[Step]) -> Happened:
    """Decide some lines; the order follows when none is pending. Raises NotFound, StateConflict."""
    lines = lines_of(session, order)
    left = outstanding(lines, steps)
    if not left and (is_done(order, Actor.VENDOR, Action.DECIDE_LINES) or _is_ready(order)):
        return ()
    ORDERS.require(order.status, Actor.VENDOR, Action.DECIDE_LINES)
    if not left:
        return ()
    came_from = order.status
    with recorded(session, order, "order.lines_decided", lines=_told(left)):
        lines = move_lines(session, order, lines, Actor.VENDOR, left)
        move(order, Actor.VENDOR, Action.DECIDE_LINES, status_of_decided(statuses(lines)))
    if order.status is OrderStatus.CREATED_PENDING:
        return ()
    is_news = came_from is OrderStatus.CREATED_PENDING or any(step.action is LineAction.REJECT for step in left)
    return ((_decided(order, lines),) if is_news else ()) + _ready_if_packed(session, order)


def fulfill(session: Session, order: Order, line_item_ids: Sequence[UUID] | None = None) -> Happened:
    """Pack the accepted lines, or only those named; the last makes the order ready. Raises NotFound, StateConflict."""
    lines = lines_of(session, order)
    accepted = (line.id for line in lines.values() if line.status is LineStatus.ACCEPTED)
    wanted = accepted if line_item_ids is None else dict.fromkeys(line_item_ids)
    left = outstanding(lines, [step_of(line_item_id, LineDecision.FULFILL) for line_item_id in wanted])
    if not left and _is_ready(order):
        return ()
    ORDERS.require(order.status, Actor.VENDOR, Action.FULFILL)
    if not left:
        return ()
    with recorded(session, order, "order.fulfilled", lines=_told(left)):
        move_lines(session, order, lines, Actor.VENDOR, left)
        return _ready(order) if _is_packed(order) else ()


def _accept_pending(lines: Lines) -> list[Step]:
    pending = (line.id for line in lines.values() if line.status is LineStatus.PENDING)
    return [step_of(line_item_id, LineDecision.ACCEPT) for line_item_id in pending]


def _reject_all(lines: Lines, reason: str | None) -> list[Step]:
    return outstanding(lines, [step_of(line_item_id, LineDecision.REJECT, reason) for line_item_id in lines])


def _ready_if_packed(session: Session, order: Order) -> Happened:
    if not _is_packed(order):
        return ()
    with recorded(session, order, "order.fulfilled"):
        return _ready(order)


def _ready(order: Order) -> Happened:
    move(order, Actor.VENDOR, Action.FULFILL, OrderStatus.READY_FOR_DISPATCH)
    return (OrderReadyForDispatch(**about(order)),)


def _is_ready(order: Order) -> bool:
    return is_done(order, Actor.VENDOR, Action.FULFILL)


def _is_packed(order: Order) -> bool:
    return order.fulfillment_status is FulfillmentStatus.FULFILLED


def _decided(order: Order, lines: Lines) -> OrderDecided:
    rejected = statuses(lines).count(LineStatus.REJECTED)
    return OrderDecided(
        **about(order),
        status=order.status,
        accepted_lines=len(lines) - rejected,
        rejected_lines=rejected,
        total_cents=order.total_cents,
    )


def _told(steps: Sequence[Step]) -> list[dict[str, Any]]:
    return [{"line_item_id": str(step.line_item_id), "action": step.action} for step in steps]
