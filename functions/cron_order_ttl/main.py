"""Orders that stand still: hourly, remind vendors once of those they leave unanswered, then expire them.

Tells as well how many payments are stuck. Publishes order_pending_nudge and order_expired.
"""

from collections import Counter
from uuid import UUID

from shared.kit import stopping
from shared.kit.db import read_only, retrying, transaction
from shared.kit.jobs import Job
from shared.kit.logging import log, metric
from shared.kit.outbox import emit
from shared.orders.stuck import count_stuck
from shared.orders.windows import end_window, lock_overdue, overdue_orders

job = Job("cron_order_ttl")


@job.run
def end_windows() -> dict[str, int]:
    """End the windows that are over; counts of reminded, expired, skipped and failed orders."""
    done: Counter[str] = Counter(reminded=0, expired=0, skipped=0, failed=0)
    for order_id in overdue_orders():
        if stopping.is_asked():
            break
        done[_end_one(order_id)] += 1
    _tell_stuck_payments()
    return dict(done)


def _tell_stuck_payments() -> None:
    with read_only() as session:
        stuck = count_stuck(session)
    for stage, count in stuck.items():
        metric("payments_stuck", count, stage=stage)


def _end_one(order_id: UUID) -> str:
    """What became of one order. Its failure is told and does not stop the rest."""
    try:
        return retrying(lambda: _in_transaction(order_id))
    except Exception:
        log.exception("order_ttl_failed", order_id=str(order_id))
        metric("order_ttl_failed")
        return "failed"


def _in_transaction(order_id: UUID) -> str:
    with transaction() as session:
        order = lock_overdue(session, order_id)
        if order is None:
            return "skipped"
        emit(session, *end_window(session, order))
        return "expired" if order.expired_at is not None else "reminded"


main = job.entry_point()
