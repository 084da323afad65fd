"""Payments that stopped on their way: delivered goods that nobody paid for, and cash that no vendor got."""

from datetime import timedelta
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.kit import clock
from shared.orders.models import IntentStatus, Order, OrderStatus, PaymentIntent

STUCK_AFTER = timedelta(days=3)


class Stage(StrEnum):
    """What a payment waits for."""

    COLLECTION = "collection"
    PAYOUT = "payout"


def count_stuck(session: Session) -> dict[Stage, int]:
    """How many payments have waited at each stage for three days since delivery, by one statement."""
    is_settled = PaymentIntent.status == IntentStatus.SETTLED
    stuck = (
        select(func.count().filter(~is_settled), func.count().filter(is_settled))
        .join(Order, Order.id == PaymentIntent.order_id)
        .where(Order.status == OrderStatus.DELIVERED, Order.delivered_at <= clock.now() - STUCK_AFTER)
    )
    uncollected, unpaid_out = session.execute(stuck).one()
    return {Stage.COLLECTION: uncollected, Stage.PAYOUT: unpaid_out}
