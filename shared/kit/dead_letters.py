"""What was given up on, by the publisher or by a consumer: kept until somebody replays or dismisses it, and told.

A letter that is opened is announced by an event in the same transaction, unless one of its kind was within the hour:
then it is counted, and the next announcement tells of it. A letter about an announcement is not announced, or whoever
fails on announcements would cause them for ever.
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

# Opening letters ends with this: it counts those of each kind, and says of which one operators are to be told, and how
# many it stands for. An hour by the database's clock, as all share it (decision 0015); a moment that lies ahead was
# told before that clock was set back. A name that is none of ours may be anybody's data.
_IS_DUE = "held.announced_at NOT BETWEEN excluded.announced_at - interval '1 hour' AND excluded.announced_at"
_NAME = "[a-z]+(_[a-z]+)*"
COUNTED = f"""
    named AS (
        SELECT id, attempts,
               CASE WHEN event_type ~ '^{_NAME}$' THEN event_type ELSE 'unknown_message' END AS letter_about,
               CASE WHEN given_up_by ~ '^{_NAME}$' THEN given_up_by ELSE 'unknown_subscription' END AS given_up_by
        FROM opened
    ), kinds AS (
        INSERT INTO dead_letter_kinds AS held (given_up_by, letter_about, announced_at, announced, waiting)
        SELECT given_up_by, letter_about, statement_timestamp(), count(*), 0
        FROM named WHERE letter_about <> 'dead_letter_kept' GROUP BY 1, 2 ORDER BY 1, 2
        ON CONFLICT (given_up_by, letter_about) DO UPDATE
        SET announced_at = CASE WHEN {_IS_DUE} THEN excluded.announced_at ELSE held.announced_at END,
            announced = CASE WHEN {_IS_DUE} THEN held.waiting + excluded.announced ELSE held.announced END,
            waiting = CASE WHEN {_IS_DUE} THEN 0 ELSE held.waiting + excluded.announced END
        RETURNING given_up_by, letter_about, announced, waiting
    )
    SELECT id, letter_about, given_up_by, attempts,
           CASE WHEN waiting = 0 AND id = first_value(id) OVER (PARTITION BY given_up_by, letter_about ORDER BY id)
                THEN announced END AS letters
    FROM named LEFT JOIN kinds USING (given_up_by, letter_about) ORDER BY id
"""  # noqa: S608 - the condition is written above
OPENED = "RETURNING id, event_type, attempts, coalesce(nullif(subscription, ''), source) AS given_up_by"

_COLUMNS = "id, event_id, source, subscription, event_type, message, attempts, reason, created_at"
_VALUES = ":id, :event_id, 'consumer', :subscription, :event_type, CAST(:message AS jsonb), :attempts, :reason, :at"

# One event has one letter per subscription. When it was replayed and fails again, another message than the
# one already kept takes its place and is open again; the same message once more changes nothing.
_KEEP = text(
    f"""
    WITH opened AS (
        INSERT INTO outbox_dlq AS held ({_COLUMNS}) VALUES ({_VALUES})
        ON CONFLICT (event_id, source, subscription) DO UPDATE
        SET message = excluded.message, attempts = excluded.attempts, reason = excluded.reason,
            created_at = excluded.created_at, replayed_at = NULL
        WHERE held.replayed_at IS NOT NULL
          AND held.message ->> 'messageId' IS DISTINCT FROM excluded.message ->> 'messageId'
        {OPENED}
    ), {COUNTED}
    """  # noqa: S608 - the columns are written above
)
_KEEP_NAMELESS = text(
    f"""
    WITH opened AS (
        INSERT INTO outbox_dlq ({_COLUMNS}) VALUES ({_VALUES}) ON CONFLICT DO NOTHING {OPENED}
    ), {COUNTED}
    """  # noqa: S608 - the columns are written above
)
_ANNOUNCE_AGAIN = text(
    """
    UPDATE dead_letter_kinds AS held SET announced_at = 'epoch' FROM (
        SELECT given_up_by, letter_about FROM dead_letter_kinds AS known
        JOIN json_to_recordset(CAST(:kinds AS json)) AS told(given_up_by text, letter_about text)
        USING (given_up_by, letter_about) ORDER BY given_up_by, letter_about FOR UPDATE OF known) AS locked
    WHERE (held.given_up_by, held.letter_about) = (locked.given_up_by, locked.letter_about)
    """
)


class DeadLetterKept(Event):
    """A letter was opened, or opened again when its replay failed too; it waits for an operator.

    Names what was given up on and who did, a subscription or the outbox, and tells nothing of what is in it. It stands
    for all `letters` of its kind since the last announcement, itself included.
    """

    aggregate: ClassVar[str] = "dead_letter"
    topics: ClassVar[tuple[str, ...]] = ("notifications",)
    example = {
        "letter_id": "01980000-0000-7000-8000-000000000001",
        "letter_about": "order_decided",
        "given_up_by": "on_event_notify",
        "attempts": 10,
        "letters": 3,
    }
    letter_id: UUID
    letter_about: str
    given_up_by: str
    attempts: int
    letters: int = 1

    @property
    def aggregate_id(self) -> UUID:
        return self.letter_id


@dataclass(frozen=True)
class Opened:
    """A letter that was just opened, by names of ours; `letters` when it is to be announced, and stands for so many."""

    id: UUID
    letter_about: str
    given_up_by: str
    attempts: int
    letters: int | None


def announce(session: Session, opened: Iterable[Opened]) -> None:
    """Have operators told of letters, within the caller's transaction and by one statement."""
    emit(session, *(_announcement(letter, letter.letters) for letter in opened if letter.letters is not None))


def announce_again(session: Session, kinds: Iterable[tuple[str, str | None]]) -> None:
    """Have operators told of the next letter of these kinds (who gave up, on which event type) whenever it comes."""
    told = [
        {"given_up_by": name_or(by, "unknown_subscription"), "letter_about": name_or(about, "unknown_message")}
        for by, about in set(kinds)
    ]
    session.execute(_ANNOUNCE_AGAIN, {"kinds": as_json(told)})


def bury(session: Session, message: dict[str, Any], *, subscription: str, attempts: int, reason: str) -> bool:
    """Keep a Pub/Sub message (as JSON has it) that `subscription` failed on; false when it was kept before."""
    attributes = message.get("attributes") or {}
    event_id = uuid_or_none(attributes.get("event_id"))
    opened = session.execute(
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
    letters = [Opened(*row) for row in opened]
    announce(session, letters)
    if letters:
        metric("dead_letter", consumer=name_or(subscription, "unknown_subscription"))
    return bool(letters)


def _announcement(letter: Opened, letters: int) -> DeadLetterKept:
    return DeadLetterKept(
        letter_id=letter.id,
        letter_about=letter.letter_about,
        given_up_by=letter.given_up_by,
        attempts=letter.attempts,
        letters=letters,
    )


def name_or(offered: Any, otherwise: str) -> str:
    """What a message says of itself if it is a name of ours; a stranger may have written anything there."""
    return offered if isinstance(offered, str) and re.fullmatch(_NAME, offered) else otherwise


def uuid_or_none(value: Any) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None
