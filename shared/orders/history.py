"""What is told of an order: audit rows, from which its timeline is read, and what its events carry."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from shared.events.orders import VendorOrderEvent
from shared.operations.audit import AuditLog, audit
from shared.orders.models import Order

TARGET = "vendor_order"
"""The audit log's target type for orders."""

Happened = tuple[VendorOrderEvent, ...]
"""What a verb brought about, in order: nothing when only part was done, or all was done before."""


@contextmanager
def recorded(session: Session, order: Order, action: str, **details: Any) -> Iterator[None]:
    """Record what the block does to a locked order, unless it raises. `details` go with the result."""
    before = _facts(order)
    yield
    told = {name: value for name, value in details.items() if value is not None}
    audit(session, action, TARGET, order.id, before=before, after=_facts(order) | told)


def has_happened(session: Session, order: Order, action: str) -> bool:
    """Whether an action stands in the order's audit rows."""
    told = exists().where(AuditLog.target_type == TARGET, AuditLog.target_id == order.id, AuditLog.action == action)
    return bool(session.scalar(select(told)))


def about(order: Order) -> dict[str, Any]:
    """The fields that every event of an order has."""
    return {
        "order_id": order.id,
        "order_number": order.order_number,
        "buyer_store_id": order.buyer_store_id,
        "vendor_store_id": order.vendor_store_id,
    }


def _facts(order: Order) -> dict[str, Any]:
    return {
        "status": order.status,
        "fulfillment_status": order.fulfillment_status,
        "shipping_status": order.shipping_status,
        "total_cents": order.total_cents,
        "balance_due_cents": order.balance_due_cents,
    }
