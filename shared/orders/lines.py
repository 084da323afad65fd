"""Moving the lines of a locked order: their status, their stock and the order's totals, all in one step.

However many lines move, it is one statement for them, one for their stock and one for the sums.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from shared.inventory import reservation
from shared.inventory.reservation import StockLine
from shared.kit.errors import NotFound
from shared.kit.tables import as_json
from shared.orders.lifecycle import LINES, LineAction, fulfillment_of
from shared.orders.machine import Actor
from shared.orders.models import LineStatus, Order, OrderLine
from shared.orders.queries import intent_of
from shared.orders.totals import retotal


@dataclass(frozen=True)
class Line:
    """What of a line its life depends on."""

    id: UUID
    product_id: UUID
    qty: int
    status: LineStatus
    line_subtotal_cents: int
    line_discount_cents: int


Lines = Mapping[UUID, Line]
"""The lines of one order by id, in their order."""


@dataclass(frozen=True)
class Step:
    """What shall happen to a line, and why. `rejection_reason` is a code, `notes` are the vendor's words."""

    line_item_id: UUID
    action: LineAction
    rejection_reason: str | None = None
    notes: str | None = None

    @property
    def outcome(self) -> LineStatus:
        """Where the action leads, from wherever it is allowed."""
        return next(row.outcomes[0] for row in LINES.moves if row.source and row.action is self.action)


_MOVE = text(
    """
    UPDATE order_line_items AS line
    SET status = CAST(step.status AS line_status),
        rejection_reason = coalesce(step.rejection_reason, line.rejection_reason),
        notes = coalesce(step.notes, line.notes)
    FROM json_to_recordset(CAST(:steps AS json)) AS step(id uuid, status text, rejection_reason text, notes text)
    WHERE line.id = step.id AND line.order_id = :order_id
    """
)


def lines_of(session: Session, order: Order) -> Lines:
    """The lines of a locked order as they are now."""
    columns = (getattr(OrderLine, name) for name in Line.__dataclass_fields__)
    rows = session.execute(select(*columns).where(OrderLine.order_id == order.id).order_by(OrderLine.position))
    return {row.id: Line(*row) for row in rows}


def outstanding(lines: Lines, steps: Iterable[Step]) -> list[Step]:
    """The steps that are not already taken. Raises NotFound for lines of no or another order."""
    wanted = list(steps)
    unknown = [str(step.line_item_id) for step in wanted if step.line_item_id not in lines]
    if unknown:
        raise NotFound("The order has no such line.", details={"line_item_ids": unknown})
    return [step for step in wanted if lines[step.line_item_id].status is not step.outcome]


def statuses(lines: Lines) -> list[LineStatus]:
    return [line.status for line in lines.values()]


def move_lines(session: Session, order: Order, lines: Lines, actor: Actor, steps: Sequence[Step]) -> Lines:
    """Take all the steps or none; the lines as they are then.

    What is rejected gives its stock back and leaves total, balance and payment intent.
    Raises StateConflict for the first step that is not allowed.
    """
    after = dict(lines)
    for step in steps:
        line = lines[step.line_item_id]
        after[line.id] = replace(line, status=_next(line, actor, step))
    _write(session, order, after, steps)
    rejected = [after[step.line_item_id] for step in steps if step.outcome is LineStatus.REJECTED]
    if rejected:
        reservation.release(session, stock_lines(order, rejected))
        retotal(order, intent_of(session, order), after.values())
    order.fulfillment_status = fulfillment_of(statuses(after))
    return after


def stock_lines(order: Order, lines: Iterable[Line]) -> list[StockLine]:
    """The lines as the stock keeper knows them."""
    return [StockLine(line.product_id, line.qty, order.id, line.id) for line in lines]


def _next(line: Line, actor: Actor, step: Step) -> LineStatus:
    return LINES.next(line.status, actor, step.action, line_item_id=str(line.id))


def _write(session: Session, order: Order, after: Lines, steps: Sequence[Step]) -> None:
    rows = [
        {
            "id": step.line_item_id,
            "status": after[step.line_item_id].status,
            "rejection_reason": step.rejection_reason,
            "notes": step.notes,
        }
        for step in steps
    ]
    session.execute(_MOVE, {"steps": as_json(rows), "order_id": order.id})
