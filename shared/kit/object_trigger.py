"""A function that Cloud Storage tells of new objects, as CloudEvents over HTTP (binary mode).

Unlike a consumer it keeps no mark of what it has done: an object's generation tells repeats and
latecomers apart, and a handler may call the outside before it opens its transaction. Returning
acknowledges; a raised error asks for the event again; what can never be read is logged and dropped.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from flask import Request as FlaskRequest
from flask import Response as FlaskResponse

from shared.kit import db, startup
from shared.kit.context import Work, accepted_request_id, accepted_traceparent, working
from shared.kit.db import check_database
from shared.kit.health import Check, Health
from shared.kit.logging import log
from shared.kit.tables import as_json

FINALIZED = "google.cloud.storage.object.v1.finalized"


@dataclass(frozen=True)
class FinalizedObject:
    """One write of an object that is complete; `generation` grows with every write of the same key."""

    event_id: str
    bucket: str
    key: str
    generation: int
    size_bytes: int
    content_type: str | None
    md5_hash: str | None


class Headers(Protocol):
    """The headers of a request, by their names in any case."""

    def get(self, name: str, /) -> str | None: ...


Handler = Callable[[FinalizedObject], str]
"""Does what is to be done and says in one word what became of it, for the log."""


class Unreadable(Exception):
    """An event that no retry can mend."""


class ObjectTrigger:
    """One function with a storage trigger. `name` is the function's."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._handler: Handler | None = None

    def on_finalized(self, handler: Handler) -> Handler:
        """Make `handler` what is done with each finalized object."""
        self._handler = handler
        return handler

    def entry_point(self, **uses: Check) -> Callable[[FlaskRequest], Any]:
        """The target that functions-framework serves, ready when the database and what else it `uses` answer.

        Raises SettingMissing when a setting is not usable.
        """
        import functions_framework

        startup.finish(self.name)
        health = Health({"database": check_database, **uses})

        @functions_framework.http
        def main(request: FlaskRequest) -> FlaskResponse:
            told = health.answer(request.path)
            if told is not None:
                return FlaskResponse(as_json({"data": told[0]}), status=told[1], content_type="application/json")
            return FlaskResponse(status=204 if self.deliver(request.headers, request.get_data()) else 500)

        main.health = health  # type: ignore[attr-defined]  # and what it depends on here
        main.trigger = self  # type: ignore[attr-defined]  # the local stack and the tests reach it here
        return main

    def deliver(self, headers: Headers, body: bytes) -> bool:
        """Handle one event; false asks for it again."""
        this = Work(
            function=self.name,
            request_id=accepted_request_id(headers.get("X-Request-Id")),
            traceparent=accepted_traceparent(headers.get("traceparent")),
            action="object_finalized",
        )
        with working(this):
            started = time.perf_counter()
            outcome = self._outcome(headers, body)
            took_ms = round((time.perf_counter() - started) * 1000, 1)
            log.info(
                "delivery",
                metric="delivery",
                value=took_ms,
                consumer=self.name,
                outcome=outcome,
                event_id=headers.get("ce-id"),
                event_type=headers.get("ce-type"),
                duration_ms=took_ms,
                sql_statements=this.sql_statements,
                pool_use=this.pool_use,
            )
            return outcome != "refused"

    def _outcome(self, headers: Headers, body: bytes) -> str:
        assert self._handler is not None, f"{self.name} has no handler"  # noqa: S101 - a programming error
        handler = self._handler
        try:
            if headers.get("ce-type") != FINALIZED:
                return "ignored"
            finalized = read(headers, body)
            return db.retrying(lambda: handler(finalized))
        except Unreadable as error:
            log.error("event_unreadable", reason=str(error))
            return "unreadable"
        except Exception:
            log.exception("delivery_failed")
            return "refused"


def read(headers: Headers, body: bytes) -> FinalizedObject:
    """The finalized object that an event tells of. Raises Unreadable."""
    try:
        told = json.loads(body)
        return FinalizedObject(
            event_id=_given(headers.get("ce-id")),
            bucket=str(told["bucket"]),
            key=str(told["name"]),
            generation=int(told["generation"]),
            size_bytes=int(told["size"]),
            content_type=told.get("contentType"),
            md5_hash=told.get("md5Hash"),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Unreadable("the event does not tell of an object") from error


def _given(value: str | None) -> str:
    if not value:
        raise ValueError("an event has an id")
    return value
