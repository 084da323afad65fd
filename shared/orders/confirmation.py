"""What came of a cart, as it stands now: its orders, their lines and payment, by three statements."""

from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from shared.kit.errors import NotFound
from shared.orders.carts import Row
from shared.orders.drafting import Conversion
from shared.orders.models import Cart, CartStatus, Order, OrderLine, PaymentIntent


def get_confirmation(session: Session, buyer_store_id: UUID, group_or_cart_id: UUID) -> Conversion:
    """The conversion of this buyer's cart, found by checkout group or cart, in its current state. Raises NotFound."""
    of_buyer = (Cart.buyer_store_id == buyer_store_id, Cart.status == CartStatus.CONVERTED)
    named = or_(Cart.id == group_or_cart_id, Cart.checkout_group_id == group_or_cart_id)
    cart = session.execute(select(*Cart.__table__.columns).where(*of_buyer, named)).mappings().one_or_none()
    if cart is None:
        raise NotFound("There is no such checkout.")
    orders = _rows(
        session,
        select(*Order.__table__.columns, *_intent_columns())
        .join(PaymentIntent, PaymentIntent.order_id == Order.id)
        .where(Order.checkout_group_id == cart["checkout_group_id"])
        .order_by(Order.vendor_store_id),
    )
    lines = _rows(
        session,
        select(*OrderLine.__table__.columns)
        .where(OrderLine.order_id.in_([order["id"] for order in orders]))
        .order_by(OrderLine.order_id, OrderLine.position),
    )
    intents = [{name: order.pop(f"intent_{name}") for name in _INTENT} for order in orders]
    return Conversion(dict(cart), orders, lines, intents)


_INTENT = ("id", "order_id", "method", "status", "amount_cents")


def _intent_columns() -> list[Any]:
    return [getattr(PaymentIntent, name).label(f"intent_{name}") for name in _INTENT]


def _rows(session: Session, statement: Any) -> list[Row]:
    return [dict(row) for row in session.execute(statement).mappings()]
