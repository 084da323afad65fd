"""Empties the outbox: a batch is one transaction of claim, publish and settle.

Publishing stands inside the transaction on purpose: the row locks keep other instances away until it is
written down what became of the rows. A process that dies in between publishes them again.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotInTime
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from pydantic import Field
from sqlalchemy.exc import InterfaceError

from shared.kit import db, stopping
from shared.kit.config import Settings
from shared.kit.errors import DependencyDown
from shared.kit.logging import log, metric
from shared.kit.publishing.backlog import tell_backlog
from shared.kit.publishing.messages import Catalogue, Due, Unpublishable, attributes_of, fitting, message_of
from shared.kit.publishing.queue import Attempt, Outcome, Queue, settle
from shared.kit.tables import as_json


class PublishingSettings(Settings):
    """How the outbox is emptied. A run lasts `outbox_window_s`; the pause after the n-th failure of an event is
    `outbox_backoff_s` doubled n-1 times, up to `outbox_backoff_max_s`; a topic has `outbox_acknowledge_s` to
    take a batch."""

    outbox_window_s: float = Field(default=58.0, gt=0)
    outbox_batch_size: int = Field(default=200, gt=0, le=1_000)
    outbox_poll_ms: int = Field(default=250, gt=0)
    outbox_max_attempts: int = Field(default=10, gt=0)
    outbox_backoff_s: float = Field(default=2.0, gt=0)
    outbox_backoff_max_s: float = Field(default=600.0, gt=0)
    outbox_acknowledge_s: float = Field(default=15.0, gt=0)


class Topics(Protocol):
    """Where messages go. The future is done once the topic has the message."""

    def send(self, topic: str, data: bytes, attributes: Mapping[str, str]) -> "Future[Any]":
        """Start to send. Raises Unpublishable for what the service takes from nobody."""
        ...


Sent = dict[str, "Future[Any]"]
Result = TypeVar("Result")


class Publisher:
    """Empties the outbox into `topics`. `catalogue` maps every event type to its class."""

    def __init__(self, topics: Topics, catalogue: Catalogue, settings: PublishingSettings) -> None:
        self._topics = topics
        self._catalogue = catalogue
        self._settings = settings
        self._queue = Queue(settings.outbox_batch_size, longest_pause_s=settings.outbox_backoff_max_s)

    def run(self) -> dict[str, int]:
        """Publish what is due, and what becomes due until the window ends or the process shall stop.

        How many were published, will be tried again, and are dead.
        """
        counts = Counter({str(outcome): 0 for outcome in Outcome})
        self.begin()
        ends_at = time.monotonic() + self._settings.outbox_window_s
        while time.monotonic() < ends_at and not stopping.is_asked():
            attempts = self._answering(self.publish_batch) or []
            counts.update(str(attempt.outcome) for attempt in attempts)
            if not attempts:
                stopping.wait(self._settings.outbox_poll_ms / 1000 * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
        return dict(counts)

    def begin(self) -> None:
        """Tell what waits, and pass over all that was published before it."""
        front = self._answering(tell_backlog)
        if front is not None:
            self._queue.begin_at(front)

    def publish_batch(self) -> list[Attempt]:
        """Claim, publish and settle up to a batch of rows in one transaction."""
        with db.transaction() as session:
            attempts = list(self._attempts(self._queue.claim(session)))
            settle(session, attempts)
        for attempt in attempts:
            if attempt.outcome is Outcome.DEAD:
                metric("dead_letter", consumer="outbox")
        return attempts

    def _answering(self, unit: Callable[[], Result]) -> Result | None:
        """What the unit of work makes; nothing while the database does not answer, which need not end the run."""
        try:
            return db.retrying(unit)
        except (DependencyDown, InterfaceError) as error:
            log.warning("database_down", error_type=type(error).__name__)
            return None

    def _attempts(self, rows: Sequence[Due]) -> Iterator[Attempt]:
        """Send everything first and wait for the answers then, so that messages share calls."""
        started = time.perf_counter()
        sending = [(row, self._send(row)) for row in rows]
        deadline = time.monotonic() + self._settings.outbox_acknowledge_s
        for row, sent in sending:
            attempt = sent if isinstance(sent, Attempt) else self._await(row, sent, deadline)
            kind = self._catalogue.get(row.event_type)
            took_ms = round((time.perf_counter() - started) * 1000, 1)
            log.info(
                "publish",
                metric="publish",
                value=took_ms,
                event_id=str(row.id),
                event_type=row.event_type,
                topic=kind.topics if kind else (),
                outcome=attempt.outcome,
                attempt=row.attempts + 1,
                failure=attempt.failure,
                duration_ms=took_ms,
            )
            yield attempt

    def _send(self, row: Due) -> Sent | Attempt:
        """The answers to wait for, by topic; or the attempt when there is none to wait for."""
        try:
            kind = fitting(row, self._catalogue)
            data, attributes = as_json(message_of(row)).encode(), attributes_of(row)
            return {topic: self._topics.send(topic, data, attributes) for topic in kind.topics}
        except Unpublishable as error:
            return Attempt(row, Outcome.DEAD, str(error))

    def _await(self, row: Due, sent: Sent, deadline: float) -> Attempt:
        failures = [failure for topic, answer in sent.items() if (failure := _failure(topic, answer, deadline))]
        if not failures:
            return Attempt(row, Outcome.PUBLISHED)
        if row.attempts + 1 >= self._settings.outbox_max_attempts:
            return Attempt(row, Outcome.DEAD, "; ".join(failures))
        return Attempt(row, Outcome.RETRIED, "; ".join(failures), self._pause(row.attempts + 1))

    def _pause(self, failures: int) -> timedelta:
        """How long a row rests after so many failures; half of it is left to chance."""
        settings = self._settings
        longest_s = min(settings.outbox_backoff_s * 2 ** (failures - 1), settings.outbox_backoff_max_s)
        return timedelta(seconds=longest_s * random.uniform(0.5, 1))  # noqa: S311 - jitter needs no secrecy


def _failure(topic: str, answer: "Future[Any]", deadline: float) -> str | None:
    """Why the topic does not have the message; None when it has."""
    try:
        answer.result(timeout=max(deadline - time.monotonic(), 0.0))
    except NotInTime:
        return f"{topic}: no answer in time"
    except Exception as error:
        return f"{topic}: {type(error).__name__}: {error}"[:500]
    return None
