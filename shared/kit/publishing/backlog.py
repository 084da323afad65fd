"""How much of the outbox waits to be published, and for how long, told as metrics."""

from datetime import datetime

from sqlalchemy import text

from shared.kit import db
from shared.kit.logging import metric

# Events in the pause after a failure wait as well: what has not arrived is late, whyever. By the database's clock,
# which wrote when they were created.
_WAITING = text(
    "SELECT count(*), coalesce(min(created_at), statement_timestamp()), "
    "extract(epoch FROM statement_timestamp() - min(created_at)) FROM outbox_events "
    "WHERE published_at IS NULL AND dead_at IS NULL"
)


def tell_backlog() -> datetime:
    """One look at the whole backlog: the events that wait, and the age of the oldest in seconds.

    When the oldest was created; now if there is none.
    """
    with db.read_only() as session:
        count, front, oldest_s = session.execute(_WAITING).one()
    metric("outbox_pending", count)
    metric("outbox_oldest_s", round(max(float(oldest_s or 0), 0.0), 1))
    at: datetime = front
    return at
