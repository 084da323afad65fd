"""A buyer reminds the vendor of an order that waits for it."""

from datetime import datetime, timedelta
from math import ceil

from sqlalchemy.orm import Session

from shared.events.orders import OrderNudged
from shared.kit import clock
from shared.kit.errors import RateLimitExceeded, StateConflict
from shared.orders.history import about, recorded
from shared.orders.lifecycle import WAITING_FOR_VENDOR
from shared.orders.models import Order

NUDGE_EVERY = timedelta(hours=12)


def nudge(session: Session, order: Order) -> tuple[OrderNudged, datetime]:
    """Remind the vendor; what happened, and from when on it can be reminded again.

    Raises StateConflict when nothing waits for the vendor, RateLimitExceeded within 12 h of the last time.
    """
    if order.status not in WAITING_FOR_VENDOR:
        raise StateConflict(
            "The order does not wait for its vendor.",
            details={"from": order.status, "action": "nudge", "allowed": []},
        )
    now = clock.now()
    if order.last_nudged_at is not None and now < order.last_nudged_at + NUDGE_EVERY:
        left = order.last_nudged_at + NUDGE_EVERY - now
        raise RateLimitExceeded("The vendor was reminded already.", retry_after_s=ceil(left.total_seconds()))
    with recorded(session, order, "order.nudged"):
        order.last_nudged_at = now
    return OrderNudged(**about(order)), now + NUDGE_EVERY
