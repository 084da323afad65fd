"""Messages that a consumer gave up on, kept until somebody replays or dismisses them."""

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.kit import clock
from shared.kit.ids import new_id
from shared.kit.logging import metric
from shared.kit.tables import as_json

_COLUMNS = "id, event_id, source, subscription, event_type, message, attempts, reason, created_at"
_VALUES = ":id, :event_id, 'consumer', :subscription, :event_type, CAST(:message AS jsonb), :attempts, :reason, :at"

# One event has one letter per subscription. When it was replayed and fails again, another message than the
# one already kept takes its place and is open again; the same message once more changes nothing.
_KEEP = text(
    f"""
    INSERT INTO outbox_dlq AS held ({_COLUMNS}) VALUES ({_VALUES})
    ON CONFLICT (event_id, source, subscription) DO UPDATE
    SET message = excluded.message, attempts = excluded.attempts, reason = excluded.reason,
        created_at = excluded.created_at, replayed_at = NULL
    WHERE held.replayed_at IS NOT NULL
      AND held.message ->> 'messageId' IS DISTINCT FROM excluded.message ->> 'messageId'
    RETURNING id
    """  # noqa: S608 - the columns are written above
)
_KEEP_NAMELESS = text(
    f"INSERT INTO outbox_dlq ({_COLUMNS}) VALUES ({_VALUES}) ON CONFLICT DO NOTHING RETURNING id"  # noqa: S608
)


def bury(session: Session, message: dict[str, Any], *, subscription: str, attempts: int, reason: str) -> bool:
    """Keep a Pub/Sub message (as JSON has it) that `subscription` failed on; false when it was kept before."""
    attributes = message.get("attributes") or {}
    event_id = _uuid_or_none(attributes.get("event_id"))
    kept = session.execute(
        _KEEP if event_id else _KEEP_NAMELESS,
        {
            "id": new_id(),
            "event_id": event_id,
            "subscription": subscription,
            "event_type": attributes.get("event_type"),
            "message": as_json(message),
            "attempts": attempts,
            "reason": reason,
            "at": clock.now(),
        },
    )
    is_new = kept.first() is not None
    if is_new:
        metric("dead_letter", consumer=subscription)
    return is_new


def _uuid_or_none(value: Any) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None
