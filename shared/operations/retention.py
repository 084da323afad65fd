"""What is kept for how long: rows past their time are deleted in batches, with pauses for everybody else.

Each batch is one statement in a transaction of its own, and passes over rows that somebody else holds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from pydantic import Field
from sqlalchemy import text

from shared.kit import clock, stopping
from shared.kit.config import Settings
from shared.kit.db import retrying, transaction

OUTBOX_KEPT_DAYS = 30


class RetentionSettings(Settings):
    """How many rows go at once, and for how long others have the database to themselves in between."""

    retention_batch_size: int = Field(default=5_000, gt=0)
    retention_pause_s: float = Field(default=0.2, ge=0)


@dataclass(frozen=True)
class Rule:
    """Rows of `table` go when `since` lies further back than `kept_for`, unless `unless` (SQL) holds for them."""

    table: str
    since: str
    kept_for: timedelta
    unless: str = "false"


# An event with a dead letter may be replayed at any time, and only its marks keep those who had done it from
# doing it again.
_MAY_BE_REPLAYED = (
    "EXISTS (SELECT FROM outbox_dlq WHERE outbox_dlq.event_id = processed_events.event_id AND dismissed_at IS NULL)"
)

RULES: Mapping[str, Rule] = {
    "outbox_events": Rule("outbox_events", "published_at", timedelta(days=OUTBOX_KEPT_DAYS)),
    "notifications": Rule("notifications", "created_at", timedelta(days=30)),
    "processed_events": Rule("processed_events", "processed_at", timedelta(days=60), unless=_MAY_BE_REPLAYED),
    # As long as the marks of the events that they are about, which keep anybody from being written to again.
    "email_deliveries": Rule("email_deliveries", "created_at", timedelta(days=60)),
    # Open letters have neither moment, and stay.
    "outbox_dlq": Rule("outbox_dlq", "coalesce(dismissed_at, replayed_at)", timedelta(days=60)),
    "one_time_tokens": Rule("one_time_tokens", "expires_at", timedelta()),
}


def delete_expired() -> dict[str, int]:
    """Delete what is past its time, table by table; how many rows of each. Stops early when the process shall."""
    return {name: _delete(rule) for name, rule in RULES.items()}


def _delete(rule: Rule) -> int:
    settings = RetentionSettings.current()
    deleted = 0
    while not stopping.is_asked():
        batch = retrying(lambda: _delete_batch(rule, settings.retention_batch_size))
        deleted += batch
        if batch < settings.retention_batch_size:
            break
        stopping.wait(settings.retention_pause_s)
    return deleted


def _delete_batch(rule: Rule, limit: int) -> int:
    # Found by their place, which the lock keeps from changing, as not every table has a key of one column.
    statement = text(
        f"DELETE FROM {rule.table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {rule.table} "  # noqa: S608 - ours
        f"WHERE {rule.since} < :before AND NOT {rule.unless} "
        f"ORDER BY {rule.since} LIMIT :limit FOR UPDATE SKIP LOCKED)) RETURNING 1"
    )
    with transaction() as session:
        return len(session.execute(statement, {"before": clock.now() - rule.kept_for, "limit": limit}).all())
