"""What was given up on, by the publisher or by a consumer: kept until somebody replays or dismisses it, and told.

A letter that is opened is announced by an event in the same transaction. A letter about such an announcement is
not, or whoever fails on announcements would cause them for ever.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.kit import clock
from shared.kit.ids import new_id
from shared.kit.logging import metric
from shared.kit.outbox import Event, emit
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

# The names of event types and of functions. Whatever else stands where one should may be anybody's data.
_NAME = re.compile(r"[a-z]+(_[a-z]+)*")


class DeadLetterKept(Event):
    """A letter was opened, or opened again when its replay failed too; it waits for an operator.

    Names what was given up on and who did, a subscription or the outbox, and tells nothing of what is in it.
    """

    aggregate: ClassVar[str] = "dead_letter"
    topics: ClassVar[tuple[str, ...]] = ("notifications",)
    example = {
        "letter_id": "01980000-0000-7000-8000-000000000001",
        "letter_about": "order_decided",
        "given_up_by": "on_event_notify",
        "attempts": 10,
    }
    letter_id: UUID
    letter_about: str
    given_up_by: str
    attempts: int

    @property
    def aggregate_id(self) -> UUID:
        return self.letter_id


@dataclass(frozen=True)
class Opened:
    """A letter that was just opened; `event_type` and `given_up_by` as the message has them, if it does."""

    id: UUID
    event_type: str | None
    given_up_by: str
    attempts: int


def announce(session: Session, letters: Iterable[Opened]) -> None:
    """Have operators told of letters, within the caller's transaction and by one statement."""
    emit(session, *(_announcement(letter) for letter in letters if letter.event_type != DeadLetterKept.event_type()))


def bury(session: Session, message: dict[str, Any], *, subscription: str, attempts: int, reason: str) -> bool:
    """Keep a Pub/Sub message (as JSON has it) that `subscription` failed on; false when it was kept before."""
    attributes = message.get("attributes") or {}
    event_id, event_type = uuid_or_none(attributes.get("event_id")), attributes.get("event_type")
    letter_id: UUID | None = session.scalar(
        _KEEP if event_id else _KEEP_NAMELESS,
        {
            "id": new_id(),
            "event_id": event_id,
            "subscription": subscription,
            "event_type": event_type,
            "message": as_json(message),
            "attempts": attempts,
            "reason": reason,
            "at": clock.now(),
        },
    )
    if letter_id is None:
        return False
    announce(session, [Opened(letter_id, event_type, subscription, attempts)])
    metric("dead_letter", consumer=name_or(subscription, "unknown_subscription"))
    return True


def _announcement(letter: Opened) -> DeadLetterKept:
    return DeadLetterKept(
        letter_id=letter.id,
        letter_about=name_or(letter.event_type, "unknown_message"),
        given_up_by=name_or(letter.given_up_by, "unknown_subscription"),
        attempts=letter.attempts,
    )


def name_or(offered: Any, otherwise: str) -> str:
    """What a message says of itself if it is a name of ours; a stranger may have written anything there."""
    return offered if isinstance(offered, str) and _NAME.fullmatch(offered) else otherwise


def uuid_or_none(value: Any) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None
