"""Events leave with the change that they announce: rows written in its transaction, published afterwards.

`sequence` counts up per aggregate, from a counter whose row lock also orders concurrent writers.
"""

import re
from abc import ABC, abstractmethod
from datetime import datetime
from typing import Any, ClassVar, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import BigInteger, Index, SmallInteger, func, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from shared.kit import clock
from shared.kit.context import work
from shared.kit.db import planned_once
from shared.kit.ids import new_id
from shared.kit.tables import Created, Id, Json, Table, as_json

_WORD = re.compile(r"(?<!^)(?=[A-Z])")


class UnknownVersion(Exception):
    """A payload is of a version that is neither the current one of its event nor the one before."""


class Event(BaseModel, ABC):
    """Something that happened. Subclasses are named in the past tense; their fields are the payload.

    `aggregate` is the kind of thing it happened to, `topics` where it is published. An optional field may be added
    within a `version`; anything else raises it, and needs `upgraded`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
    known: ClassVar[dict[str, type["Event"]]] = {}
    version: ClassVar[int] = 1
    aggregate: ClassVar[str]
    topics: ClassVar[tuple[str, ...]]
    example: ClassVar[dict[str, Any]]

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        Event.known[cls.event_type()] = cls

    @classmethod
    def event_type(cls) -> str:
        """The name on the wire: `OrderDecided` is `order_decided`."""
        return _WORD.sub("_", cls.__name__).lower()

    @classmethod
    def read(cls, version: int, payload: Any) -> Self:
        """The event of a payload of this version or of the one before. Raises UnknownVersion, ValidationError."""
        if version not in (cls.version, cls.version - 1):
            raise UnknownVersion(f"version {version} is not in the catalogue")
        return cls.model_validate(payload if version == cls.version else cls.upgraded(payload))

    @classmethod
    def upgraded(cls, previous: Any) -> Any:
        """A payload of the version before as this version has it. Whoever raises `version` says how."""
        return previous

    @property
    @abstractmethod
    def aggregate_id(self) -> UUID:
        """Which thing it happened to."""

    @property
    def dedupe_key(self) -> str | None:
        """A key under which this can be written only once ever; none when there is no such rule."""
        return None


class OutboxEvent(Table):
    """An event on its way out; `published_at` says that every topic has it, `dead_at` that none ever will."""

    __tablename__ = "outbox_events"
    __table_args__ = (
        Index(
            "ix_outbox_events_due",
            "created_at",
            "id",
            postgresql_where=text("published_at IS NULL AND dead_at IS NULL"),
        ),
        Index(
            "ix_outbox_events_order",
            "aggregate_id",
            "sequence",
            postgresql_where=text("published_at IS NULL AND dead_at IS NULL"),
        ),
        Index("ix_outbox_events_published_at", "published_at"),
        Index("uq_outbox_events_dedupe_key", "dedupe_key", unique=True),
        Index("uq_outbox_events_sequence", "aggregate_type", "aggregate_id", "sequence", unique=True),
    )

    id: Mapped[Id]
    event_type: Mapped[str]
    version: Mapped[int] = mapped_column(SmallInteger)
    aggregate_type: Mapped[str]
    aggregate_id: Mapped[UUID]
    sequence: Mapped[int] = mapped_column(BigInteger)
    dedupe_key: Mapped[str | None]
    payload: Mapped[Json]
    actor: Mapped[str]
    request_id: Mapped[str]
    traceparent: Mapped[str | None]
    occurred_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    published_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    next_attempt_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    last_error: Mapped[str | None]
    dead_at: Mapped[datetime | None]


class OutboxSequence(Table):
    """The last sequence number given to an event of an aggregate."""

    __tablename__ = "outbox_sequences"

    aggregate_type: Mapped[str] = mapped_column(primary_key=True)
    aggregate_id: Mapped[UUID] = mapped_column(primary_key=True)
    last_sequence: Mapped[int] = mapped_column(BigInteger)


class DeadLetterKind(Table):
    """When operators last heard of letters about one event type that one consumer, or the outbox, gave up on.

    `announced` is of how many they heard then, `waiting` how many were opened since.
    """

    __tablename__ = "dead_letter_kinds"

    given_up_by: Mapped[str] = mapped_column(primary_key=True)
    letter_about: Mapped[str] = mapped_column(primary_key=True)
    announced_at: Mapped[datetime]
    announced: Mapped[int]
    waiting: Mapped[int]


class DeadLetter(Table):
    """A message given up on, by the publisher (`source` outbox) or by a consumer."""

    __tablename__ = "outbox_dlq"
    __table_args__ = (
        Index("uq_outbox_dlq_delivery", "event_id", "source", "subscription", unique=True),
        Index(
            "uq_outbox_dlq_message",
            "subscription",
            text("(message ->> 'messageId')"),
            unique=True,
            postgresql_where=text("event_id IS NULL"),
        ),
        Index("ix_outbox_dlq_created_at", "created_at", "id"),
    )

    id: Mapped[Id]
    event_id: Mapped[UUID | None]
    source: Mapped[str]
    subscription: Mapped[str] = mapped_column(server_default=text("''"))
    event_type: Mapped[str | None]
    message: Mapped[Json]
    attempts: Mapped[int]
    reason: Mapped[str]
    created_at: Mapped[Created]
    replayed_at: Mapped[datetime | None]
    dismissed_at: Mapped[datetime | None]
    dismissed_reason: Mapped[str | None]


_EMIT = planned_once(
    text(
        """
    WITH told AS (
        SELECT * FROM json_to_recordset(CAST(:events AS json)) AS t(
            place int, id uuid, event_type text, version smallint, aggregate_type text, aggregate_id uuid,
            dedupe_key text, payload jsonb, occurred_at timestamptz)
    ), numbered AS (
        SELECT told.*, row_number() OVER (PARTITION BY aggregate_type, aggregate_id ORDER BY place) AS nth,
               count(*) OVER (PARTITION BY aggregate_type, aggregate_id) AS of FROM told
    ), counters AS (
        INSERT INTO outbox_sequences AS held (aggregate_type, aggregate_id, last_sequence)
        SELECT aggregate_type, aggregate_id, count(*) FROM told GROUP BY 1, 2 ORDER BY 1, 2
        ON CONFLICT (aggregate_type, aggregate_id)
        DO UPDATE SET last_sequence = held.last_sequence + excluded.last_sequence
        RETURNING aggregate_type, aggregate_id, last_sequence
    )
    INSERT INTO outbox_events (id, event_type, version, aggregate_type, aggregate_id, sequence, dedupe_key,
                               payload, actor, request_id, traceparent, occurred_at)
    SELECT id, event_type, version, aggregate_type, aggregate_id, last_sequence - of + nth, dedupe_key,
           payload, :actor, :request_id, :traceparent, occurred_at
    FROM numbered JOIN counters USING (aggregate_type, aggregate_id) ORDER BY place
    """
    )
)


def emit(session: Session, *events: Event) -> None:
    """Write events within the caller's transaction, by one statement however many.

    Raises DBAPIError (a unique violation) when a `dedupe_key` was written before.
    """
    if not events:
        return
    session.flush()
    told = [
        {
            "place": place,
            "id": new_id(),
            "event_type": event.event_type(),
            "version": event.version,
            "aggregate_type": event.aggregate,
            "aggregate_id": event.aggregate_id,
            "dedupe_key": event.dedupe_key,
            "payload": event.model_dump(mode="json"),
            "occurred_at": clock.now().isoformat(),
        }
        for place, event in enumerate(events)
    ]
    this = work()
    session.execute(
        _EMIT,
        {
            "events": as_json(told),
            "actor": this.actor,
            "request_id": this.request_id,
            "traceparent": this.traceparent,
        },
    )
