"""A consumer is a function of (session, typed event); what is around it makes each effect happen once.

A delivery is decoded and checked, leased in Redis, run in one transaction that also writes its
processed mark, and acknowledged by a 2xx. A raised error is a refusal: the message comes again.
What can never be read is kept as a dead letter at once. What reaches outside the database follows
the transaction, by `afterwards`.
"""

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from flask import Request as FlaskRequest
from flask import Response as FlaskResponse
from pydantic import ValidationError
from redis.exceptions import RedisError
from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from shared.kit import clock, db, redis, startup
from shared.kit.context import Work, accepted_request_id, work, working
from shared.kit.db import check_database
from shared.kit.dead_letters import bury, name_or, uuid_or_none
from shared.kit.health import Check, Health
from shared.kit.logging import log
from shared.kit.outbox import Event, UnknownVersion
from shared.kit.redis import check_redis
from shared.kit.tables import Created, Table, as_json

Handled = TypeVar("Handled", bound=Event)
Handler = Callable[[Session, Any], None]
Sequel = Callable[["Envelope"], None]

LEASE_S = 60
KEPT_S = 720 * 3600


class ProcessedEvent(Table):
    """The mark that a consumer has done an event, written in the transaction of what it did."""

    __tablename__ = "processed_events"
    __table_args__ = (Index("ix_processed_events_processed_at", "processed_at"),)

    consumer: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    processed_at: Mapped[Created]


class Unreadable(Exception):
    """A message that no retry can mend."""


class BeingProcessed(Exception):
    """Another delivery of the same event holds the lease; this one is refused and comes again."""


@dataclass(frozen=True)
class Envelope:
    """An event as it travels, with the facts of its delivery."""

    event_id: UUID
    event_type: str
    version: int
    sequence: int
    occurred_at: datetime
    actor: str
    request_id: str
    event: Event


class Consumer:
    """One event function. `name` is the function's; `on` says what is done with which event."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.handlers: dict[str, tuple[type[Event], Handler]] = {}
        self._sequels: list[Sequel] = []

    def on(self, kind: type[Handled]) -> Callable[[Callable[[Session, Handled], None]], Handler]:
        """Register what is done with events of a kind."""

        def register(handler: Callable[[Session, Handled], None]) -> Handler:
            self.handlers[kind.event_type()] = (kind, handler)
            return handler

        return register

    def afterwards(self, sequel: Sequel) -> Sequel:
        """Register what follows the transaction of every event, outside of any.

        An error asks for the delivery again, and then only this part runs. It runs again after a crash too,
        so it keeps in the database what of it is done.
        """
        self._sequels.append(sequel)
        return sequel

    def entry_point(self, **uses: Check) -> Callable[[FlaskRequest], Any]:
        """The target that functions-framework serves, ready when the database, Redis and what else it `uses` answer.

        Raises SettingMissing when a setting is not usable.
        """
        import functions_framework

        startup.finish(self.name)
        health = Health({"database": check_database, "redis": check_redis, **uses})

        @functions_framework.http
        def main(request: FlaskRequest) -> FlaskResponse:
            told = health.answer(request.path)
            if told is not None:
                return FlaskResponse(as_json({"data": told[0]}), status=told[1], content_type="application/json")
            return FlaskResponse(status=204 if self.deliver(request.get_json()) else 500)

        main.health = health  # type: ignore[attr-defined]  # and what it depends on here
        main.consumer = self  # type: ignore[attr-defined]  # the architecture tests read the handlers here
        return main

    def deliver(self, data: dict[str, Any]) -> bool:
        """Handle one delivery (the data of a Pub/Sub CloudEvent); false asks for it again."""
        message = data.get("message") or {}
        attributes = message.get("attributes") or {}
        this = Work(
            function=self.name,
            request_id=accepted_request_id(attributes.get("request_id")),
            traceparent=attributes.get("traceparent"),
        )
        with working(this):
            started = time.perf_counter()
            outcome = self._outcome(data, message)
            took_ms = round((time.perf_counter() - started) * 1000, 1)
            log.info(
                "delivery",
                metric="delivery",
                value=took_ms,
                consumer=self.name,
                outcome=outcome,
                event_type=name_or(attributes.get("event_type"), "unknown_message"),
                event_id=uuid_or_none(attributes.get("event_id")),
                delivery_attempt=data.get("deliveryAttempt"),
                duration_ms=took_ms,
                sql_statements=this.sql_statements,
                pool_use=this.pool_use,
            )
            return outcome != "refused"

    def _outcome(self, data: dict[str, Any], message: dict[str, Any]) -> str:
        """What became of a delivery: done, repeated, ignored, dead or refused."""
        try:
            return self._handle(message)
        except Unreadable as error:
            self._bury(data, message, str(error))
            return "dead"
        except BeingProcessed:
            return "refused"
        except Exception:
            log.exception("delivery_failed")
            return "refused"

    def _handle(self, message: dict[str, Any]) -> str:
        told = _decoded(message)
        if told["event_type"] not in self.handlers:
            return "ignored"
        kind, handler = self.handlers[told["event_type"]]
        envelope = _envelope(told, kind)
        work().action = envelope.event_type
        lease = _Lease(self.name, envelope.event_id)
        if lease.done():
            return "repeated"
        try:
            fresh = db.retrying(lambda: self._run(handler, envelope))
            for sequel in self._sequels:
                sequel(envelope)
        except BaseException:
            lease.release()
            raise
        lease.keep()
        return "done" if fresh else "repeated"

    def _run(self, handler: Handler, envelope: Envelope) -> bool:
        with db.transaction() as session:
            mark = text(
                "INSERT INTO processed_events (consumer, event_id, processed_at) VALUES (:consumer, :event_id, :at) "
                "ON CONFLICT DO NOTHING RETURNING 1"
            )
            named = {"consumer": self.name, "event_id": envelope.event_id, "at": clock.now()}
            if session.execute(mark, named).first() is None:
                return False
            session.info["envelope"] = envelope
            handler(session, envelope.event)
            return True

    def _bury(self, data: dict[str, Any], message: dict[str, Any], reason: str) -> None:
        """Keep an unreadable message, so that it can be looked at and is not delivered again."""
        with db.transaction() as session:
            bury(session, message, subscription=self.name, attempts=data.get("deliveryAttempt") or 1, reason=reason)


def envelope_of(session: Session) -> Envelope:
    """The envelope of the event that this session's transaction handles."""
    envelope: Envelope = session.info["envelope"]
    return envelope


def _decoded(message: dict[str, Any]) -> dict[str, Any]:
    try:
        told = json.loads(base64.b64decode(message["data"], validate=True))
    except (KeyError, TypeError, ValueError) as error:
        raise Unreadable("the data is not base64 of JSON") from error
    if not isinstance(told, dict):
        raise Unreadable("the data is not an object")
    if not isinstance(told.get("event_type"), str):
        raise Unreadable("the data names no event type")
    return told


def _envelope(told: dict[str, Any], kind: type[Event]) -> Envelope:
    """Accepts the current version of an event and the previous one. Raises Unreadable."""
    try:
        version = int(told["version"])
        return Envelope(
            event_id=UUID(told["event_id"]),
            event_type=told["event_type"],
            version=version,
            sequence=int(told["sequence"]),
            occurred_at=datetime.fromisoformat(told["occurred_at"]),
            actor=str(told["actor"]),
            request_id=str(told["request_id"]),
            event=kind.read(version, told["data"]),
        )
    except UnknownVersion as error:
        raise Unreadable(f"version {told['version']} of {kind.event_type()} is not understood") from error
    except (KeyError, TypeError, ValueError, ValidationError) as error:
        raise Unreadable(f"the payload does not fit {kind.event_type()}") from error


class _Lease:
    """A consumer's hold on an event in Redis. Without Redis the mark in the database alone decides."""

    def __init__(self, consumer: str, event_id: UUID) -> None:
        self.key = f"pf:evt:processed:{consumer}:{event_id}"

    def done(self) -> bool:
        """Take the lease; true when the event was done before. Raises BeingProcessed."""
        try:
            if redis.client().set(self.key, "working", nx=True, ex=LEASE_S):
                return False
            state = redis.client().get(self.key)
        except RedisError:
            return False
        if state == "working":
            raise BeingProcessed
        return state == "done"

    def keep(self) -> None:
        self._quietly(lambda: redis.client().set(self.key, "done", ex=KEPT_S))

    def release(self) -> None:
        self._quietly(lambda: redis.client().delete(self.key))

    def _quietly(self, act: Callable[[], Any]) -> None:
        try:
            act()
        except RedisError as error:
            log.warning("lease_lost", error_type=type(error).__name__)
