"""What is kept of a store for the sake of its orders when it is erased."""

from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, or_, select
from sqlalchemy.orm import Session

from shared.identity.erasure import Traces
from shared.orders.models import Cart, Order


def _has_orders(session: Session, store_id: UUID) -> bool:
    """Orders stay for the other side, and with them the ledger."""
    return bool(session.scalar(select(exists().where(_of(store_id)))))


def _forget_carts(session: Session, store_id: UUID) -> None:
    """Carts that became no order."""
    ordered = exists().where(Order.cart_id == Cart.id)
    session.execute(delete(Cart).where(Cart.buyer_store_id == store_id, ~ordered))


def _of(store_id: UUID) -> ColumnElement[bool]:
    return or_(Order.buyer_store_id == store_id, Order.vendor_store_id == store_id)


TRACES = Traces(must_stay=_has_orders, forget=_forget_carts)
