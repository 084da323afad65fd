"""Events in the outbox."""

import itertools
from uuid import UUID

from sqlalchemy import text

from shared.events.orders import OrderNudged, OrderReadyForDispatch
from shared.kit.db import read_only, transaction
from shared.kit.ids import new_id
from shared.kit.outbox import DeadLetter, Event, OutboxEvent, emit

_numbers = itertools.count(1)


def a_nudge(order_id: UUID | None = None) -> OrderNudged:
    """An event with one topic."""
    return OrderNudged(**_order(order_id))


def a_ready_order(order_id: UUID | None = None) -> OrderReadyForDispatch:
    """An event with two topics."""
    return OrderReadyForDispatch(**_order(order_id))


def emitted(*events: Event) -> list[UUID]:
    """Write events in one transaction; the ids of all that wait to be published, oldest first."""
    with transaction() as session:
        emit(session, *events)
    return waiting()


def waiting() -> list[UUID]:
    """The ids of the rows that are neither published nor dead, oldest first."""
    with read_only() as session:
        rows = session.execute(
            text("SELECT id FROM outbox_events WHERE published_at IS NULL AND dead_at IS NULL ORDER BY created_at, id")
        )
        return [row.id for row in rows]


def outbox_row(event_id: UUID) -> OutboxEvent:
    with read_only() as session:
        return session.get_one(OutboxEvent, event_id)


def dead_letters() -> list[DeadLetter]:
    with read_only() as session:
        return list(session.query(DeadLetter).order_by(DeadLetter.created_at, DeadLetter.id))


def damage(event_id: UUID, **columns: str) -> None:
    """Change a row behind the catalogue's back; values are SQL."""
    changes = ", ".join(f"{column} = {value}" for column, value in columns.items())
    with transaction() as session:
        session.execute(text(f"UPDATE outbox_events SET {changes} WHERE id = :id"), {"id": event_id})  # noqa: S608


def end_pause(event_id: UUID) -> None:
    """Let the time pass that a row rests after a failure."""
    damage(event_id, next_attempt_at="clock_timestamp()")


def _order(order_id: UUID | None) -> dict[str, object]:
    return {
        "order_id": order_id or new_id(),
        "order_number": next(_numbers),
        "buyer_store_id": new_id(),
        "vendor_store_id": new_id(),
    }
