"""How much of the outbox waits to be published, and for how long, told as metrics."""

from sqlalchemy import text

from shared.kit import clock, db
from shared.kit.logging import metric

# Events in the pause after a failure wait as well: what has not arrived is late, whyever.
_WAITING = text(
    "SELECT count(*), extract(epoch FROM :now - min(created_at)) FROM outbox_events "
    "WHERE published_at IS NULL AND dead_at IS NULL"
)


def tell_backlog() -> None:
    """One look at the whole backlog: the events that wait, and the age of the oldest in seconds."""
    with db.read_only() as session:
        count, oldest_s = session.execute(_WAITING, {"now": clock.now()}).one()
    metric("outbox_pending", count)
    metric("outbox_oldest_s", round(max(float(oldest_s or 0), 0.0), 1))
