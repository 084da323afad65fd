"""The outbox as a queue that several instances empty at once: claim what is due, settle what was tried.

What another instance holds is passed over. A row is due only when none before it of the same aggregate is
still on its way, so a batch never holds two of one aggregate.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.kit import clock
from shared.kit.dead_letters import COUNTED, OPENED, Opened, announce
from shared.kit.ids import new_id
from shared.kit.publishing.messages import Due, message_of
from shared.kit.tables import as_json

# While an old transaction keeps vacuum away, the index of due rows still leads to all that were published since. So
# a claim begins at the front, which is where the oldest row waits, and with a full batch before it shortly before
# where that one ended. What such a claim passes over is found when the front is looked for again. A row that commits
# longer after it was created than any request lasts may lie before the front: the next run finds it.
_EVERYTHING = "-infinity"
_LOOK_BACK_EVERY_S = 5.0
_LATE_COMMIT, _NEXT_TO_IT = "15 seconds", "1 second"

_FRONT = text(
    """
    SELECT coalesce(min(created_at), statement_timestamp()) FROM outbox_events
    WHERE published_at IS NULL AND dead_at IS NULL
      AND created_at >= CAST(:since AS timestamptz) - CAST(:margin AS interval)
    """
)

# OFFSET 0 keeps the planner from turning the subquery into a join over the whole backlog. A fresh row is due
# whatever the clocks say. The pause after a failure is measured by the database's clock, as publishers share no
# other: one whose own clock is ahead would use up all attempts of a row at once. A pause that ends later than the
# longest could was measured before that clock was set back, and is over.
_CLAIM = text(
    """
    SELECT id, event_type, version, aggregate_type, aggregate_id, sequence, to_json(occurred_at), actor,
           request_id, traceparent, payload, attempts, to_json(created_at)
    FROM outbox_events AS due
    WHERE published_at IS NULL AND dead_at IS NULL
      AND (attempts = 0 OR next_attempt_at <= statement_timestamp()
           OR next_attempt_at > statement_timestamp() + CAST(:longest_pause AS interval))
      AND created_at >= CAST(:since AS timestamptz) - CAST(:margin AS interval)
      AND NOT EXISTS (
        SELECT FROM outbox_events AS before
        WHERE before.aggregate_id = due.aggregate_id AND before.sequence < due.sequence
          AND before.aggregate_type = due.aggregate_type
          AND before.published_at IS NULL AND before.dead_at IS NULL
        OFFSET 0)
    ORDER BY due.created_at, id LIMIT :limit FOR UPDATE SKIP LOCKED
    """
)

# What is dead is kept as a letter by the same statement; an event that was replayed and fails again is a new
# letter in the place of the old one.
_SETTLE = text(
    f"""
    WITH told AS (
        SELECT * FROM json_to_recordset(CAST(:told AS json)) AS t(
            id uuid, attempts smallint, published_at timestamptz, dead_at timestamptz, pause_s float,
            last_error text, letter_id uuid, event_type text, message jsonb)
    ), settled AS (
        UPDATE outbox_events AS held
        SET attempts = told.attempts, published_at = told.published_at, dead_at = told.dead_at,
            next_attempt_at = coalesce(
                statement_timestamp() + make_interval(secs => told.pause_s), held.next_attempt_at),
            last_error = coalesce(told.last_error, held.last_error)
        FROM told WHERE held.id = told.id
    ), opened AS (
        INSERT INTO outbox_dlq (id, event_id, source, event_type, message, attempts, reason, created_at)
        SELECT letter_id, id, 'outbox', event_type, message, attempts, last_error, dead_at
        FROM told WHERE dead_at IS NOT NULL
        ON CONFLICT (event_id, source, subscription) DO UPDATE
        SET message = excluded.message, attempts = excluded.attempts, reason = excluded.reason,
            created_at = excluded.created_at, replayed_at = NULL, dismissed_at = NULL, dismissed_reason = NULL
        {OPENED}
    ), {COUNTED}
    """  # noqa: S608 - how letters are counted is written by dead_letters
)


class Outcome(StrEnum):
    PUBLISHED = "published"
    RETRIED = "retried"
    DEAD = "dead"


@dataclass(frozen=True)
class Attempt:
    """What came of trying to publish a row; `failure` says why not, `pause` how long it rests then."""

    row: Due
    outcome: Outcome
    failure: str | None = None
    pause: timedelta | None = None


class Queue:
    """One instance's view of the outbox: it remembers from where it reads. All of it, until `begin_at` is told."""

    def __init__(self, batch_size: int, *, longest_pause_s: float) -> None:
        self._batch_size = batch_size
        self._longest_pause = timedelta(seconds=longest_pause_s)
        self._front = _EVERYTHING
        self._last: str | None = None
        self._looked_back_at = time.monotonic()

    def begin_at(self, front: datetime) -> None:
        """Nothing that waits was created before."""
        self._front = front.isoformat()

    def claim(self, session: Session) -> list[Due]:
        """Up to a batch of due rows, oldest first, held until the transaction ends."""
        if time.monotonic() - self._looked_back_at > _LOOK_BACK_EVERY_S:
            self._look_back(session)
        since, margin = (self._front, _LATE_COMMIT) if self._last is None else (self._last, _NEXT_TO_IT)
        named = {"longest_pause": self._longest_pause, "since": since, "margin": margin, "limit": self._batch_size}
        rows = [Due(*row) for row in session.execute(_CLAIM, named)]
        self._last = rows[-1].created_at if len(rows) == self._batch_size else None
        return rows

    def _look_back(self, session: Session) -> None:
        self._looked_back_at = time.monotonic()
        self._last = None
        if self._front != _EVERYTHING:
            self.begin_at(session.execute(_FRONT, {"since": self._front, "margin": _LATE_COMMIT}).scalar_one())


def settle(session: Session, attempts: Sequence[Attempt]) -> None:
    """Write down what came of the attempts, by one statement; letters that it opens are announced by another."""
    if not attempts:
        return
    opened = session.execute(_SETTLE, {"told": as_json([_told(attempt) for attempt in attempts])})
    announce(session, [Opened(*row) for row in opened])


def _told(attempt: Attempt) -> dict[str, Any]:
    row, now = attempt.row, clock.now().isoformat()
    told = {
        "id": row.id,
        "attempts": row.attempts + 1,
        "published_at": now if attempt.outcome is Outcome.PUBLISHED else None,
        "dead_at": None,
        "pause_s": attempt.pause.total_seconds() if attempt.pause else None,
        "last_error": attempt.failure,
    }
    if attempt.outcome is not Outcome.DEAD:
        return told
    return {**told, "dead_at": now, "letter_id": new_id(), "event_type": row.event_type, "message": message_of(row)}
