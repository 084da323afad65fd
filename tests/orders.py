"""What the database says of an order: for tests of what changed, and of what must not have."""

from typing import Any

from sqlalchemy import select

from shared.inventory.models import InventoryMovement
from shared.kit.db import read_only
from shared.kit.outbox import OutboxEvent
from shared.operations.audit import AuditLog
from shared.orders.models import LedgerEvent, LineStatus, Order, OrderAssignment, OrderLine, PaymentIntent

_OWNED = (OrderLine, PaymentIntent, OrderAssignment, LedgerEvent, InventoryMovement)


def everything_about(order: Order) -> dict[str, list[dict[str, Any]]]:
    """Every row that tells of the order, by table: two of these are equal when nothing happened in between."""
    with read_only() as session:

        def rows(model: Any, condition: Any) -> list[dict[str, Any]]:
            statement = select(*model.__table__.columns).where(condition).order_by(model.id)
            return [dict(row) for row in session.execute(statement).mappings()]

        found = {model.__tablename__: rows(model, model.order_id == order.id) for model in _OWNED}
        found[Order.__tablename__] = rows(Order, Order.id == order.id)
        found[AuditLog.__tablename__] = rows(AuditLog, AuditLog.target_id == order.id)
        found[OutboxEvent.__tablename__] = rows(OutboxEvent, OutboxEvent.aggregate_id == order.id)
        return found


def now(order: Order) -> Order:
    """The order as it is in the database by now."""
    with read_only() as session:
        return session.scalars(select(Order).where(Order.id == order.id)).one()


def intent_now(order: Order) -> PaymentIntent:
    with read_only() as session:
        return session.scalars(select(PaymentIntent).where(PaymentIntent.order_id == order.id)).one()


def lines_now(order: Order) -> list[OrderLine]:
    with read_only() as session:
        statement = select(OrderLine).where(OrderLine.order_id == order.id).order_by(OrderLine.position)
        return list(session.scalars(statement))


def line_statuses(order: Order) -> list[LineStatus]:
    return [line.status for line in lines_now(order)]


def assignments_now(order: Order) -> list[OrderAssignment]:
    """All of them, oldest first."""
    with read_only() as session:
        statement = select(OrderAssignment).where(OrderAssignment.order_id == order.id)
        return list(session.scalars(statement.order_by(OrderAssignment.assigned_at, OrderAssignment.id)))


def ledger_of(order: Order) -> list[tuple[str, int]]:
    """(type, cents), oldest first."""
    with read_only() as session:
        statement = select(LedgerEvent).where(LedgerEvent.order_id == order.id)
        entries = session.scalars(statement.order_by(LedgerEvent.created_at, LedgerEvent.id))
        return [(entry.type, entry.amount_cents) for entry in entries]


def money_of(order: Order) -> tuple[int, int, int, int]:
    """(total, promo discount, balance due, intent amount) in cents, after checking that the total adds up."""
    held = now(order)
    assert held.total_cents == held.subtotal_cents - held.line_discounts_cents - held.promo_discount_cents
    return (
        held.total_cents,
        held.promo_discount_cents,
        held.balance_due_cents,
        intent_now(order).amount_cents,
    )
