"""Orders by who may touch them. Each lock is on the order's row and comes before any other.

Whoever holds the order's row may read and change its lines, its intent and its assignment without
locking them: nothing changes those without it.
"""

from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from shared.kit.errors import NotFound
from shared.orders.models import Order, OrderAssignment, PaymentIntent


def lock_order_of_buyer(session: Session, buyer_store_id: UUID, order_id: UUID) -> Order:
    """The order, if this store placed it. Raises NotFound."""
    return _lock(session, order_id, Order.buyer_store_id == buyer_store_id)


def get_order_of_vendor(session: Session, vendor_store_id: UUID, order_id: UUID) -> Order:
    """The order as it is, if it was placed with this store. Raises NotFound."""
    order = session.scalar(select(Order).where(Order.id == order_id, Order.vendor_store_id == vendor_store_id))
    if order is None:
        raise NotFound
    return order


def lock_order_of_vendor(session: Session, vendor_store_id: UUID, order_id: UUID) -> Order:
    """The order, if it was placed with this store. Raises NotFound."""
    return _lock(session, order_id, Order.vendor_store_id == vendor_store_id)


def lock_order_of_agent(session: Session, agent_user_id: UUID, order_id: UUID) -> tuple[Order, OrderAssignment]:
    """The order and its open assignment, if that is this agent's. Raises NotFound."""
    order = _lock(session, order_id, Order.id.in_(orders_of_agent(agent_user_id)))
    # Read after the lock: the assignment may have been given to another agent while we waited.
    assignment = find_open_assignment(session, order.id)
    if assignment is None or assignment.agent_user_id != agent_user_id:
        raise NotFound
    return order, assignment


def lock_order(session: Session, order_id: UUID) -> Order:
    """Any order, for the platform itself. Raises NotFound."""
    return _lock(session, order_id)


def orders_of_agent(agent_user_id: UUID) -> ColumnElement[UUID]:
    """The ids of the orders that this agent has in hand, or brought."""
    mine = select(OrderAssignment.order_id).where(
        OrderAssignment.agent_user_id == agent_user_id, OrderAssignment.closed_at.is_(None)
    )
    return mine.scalar_subquery()


def find_open_assignment(session: Session, order_id: UUID) -> OrderAssignment | None:
    """Who shall deliver the order; None as long as nobody does."""
    return session.scalar(
        select(OrderAssignment).where(OrderAssignment.order_id == order_id, OrderAssignment.closed_at.is_(None))
    )


def intent_of(session: Session, order: Order) -> PaymentIntent:
    """The payment intent of a locked order."""
    return session.scalars(select(PaymentIntent).where(PaymentIntent.order_id == order.id)).one()


def _lock(session: Session, order_id: UUID, *scope: ColumnElement[bool]) -> Order:
    order = session.scalar(select(Order).where(Order.id == order_id, *scope).with_for_update())
    if order is None:
        raise NotFound
    return order
