"""What has come to a buyer: the question that others ask before they believe its word."""

from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from shared.catalog.models import Product
from shared.orders.models import LineStatus, Order, OrderLine, OrderStatus

RECEIVED = (OrderStatus.DELIVERED, OrderStatus.CLOSED)


def has_received_from(session: Session, buyer_store_id: UUID, vendor_store_id: UUID) -> bool:
    """Whether an order of this vendor was ever delivered to the buyer."""
    theirs = (Order.buyer_store_id == buyer_store_id, Order.vendor_store_id == vendor_store_id)
    return bool(session.scalar(select(exists().where(*theirs, Order.status.in_(RECEIVED)))))


def has_received_product(session: Session, buyer_store_id: UUID, product_id: UUID) -> bool:
    """Whether an order with this product in it, not rejected, was ever delivered to the buyer."""
    vendor = select(Product.vendor_store_id).where(Product.id == product_id).scalar_subquery()
    theirs = (Order.buyer_store_id == buyer_store_id, Order.vendor_store_id == vendor, Order.status.in_(RECEIVED))
    brought = (
        OrderLine.order_id == Order.id,
        OrderLine.product_id == product_id,
        OrderLine.status != LineStatus.REJECTED,
    )
    return bool(session.scalar(select(exists().where(*theirs, *brought))))
