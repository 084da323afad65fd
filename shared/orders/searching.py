"""Looking for orders by what people type: an order's number, or part of a store's name.

Digits from the first order number on mean an order, found by its index; anything else is a name.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, any_, literal, or_, select
from sqlalchemy.orm import Session

from shared.identity.models import Store
from shared.orders.models import FIRST_ORDER_NUMBER, Order

# The largest order number that a search can mean: PostgreSQL's bigint.
_MAX_NUMBER = 2**63 - 1


def of_joined(q: str, stores: Sequence[type[Store]]) -> ColumnElement[bool]:
    """Orders with this number, or with one of these stores, which are joined, so called."""
    return _numbered(q) if _is_number(q) else or_(*(_is_called(store, q) for store in stores))


def of_any_store(session: Session, q: str) -> ColumnElement[bool]:
    """Orders with this number, or of a store so called on either side.

    Names are resolved first, by a statement of their own: PostgreSQL knows then how few orders it looks for,
    instead of going through all of them.
    """
    if _is_number(q):
        return _numbered(q)
    ids: list[UUID] = list(session.scalars(select(Store.id).where(_is_called(Store, q))))
    called = any_(literal(ids, ARRAY(Uuid)))
    return or_(Order.buyer_store_id == called, Order.vendor_store_id == called)


def _is_number(q: str) -> bool:
    return q.isdecimal() and FIRST_ORDER_NUMBER <= int(q) <= _MAX_NUMBER


def _numbered(q: str) -> ColumnElement[bool]:
    return Order.order_number == int(q)


def _is_called(store: type[Store], q: str) -> ColumnElement[bool]:
    return or_(*(name.icontains(q, autoescape=True) for name in (store.company_name, store.dba_name)))
