"""What is known about the work in hand: who asked, under which request id, and what it has cost so far."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID

from shared.kit.ids import new_id

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass
class Work:
    """One request, message or job run. `actor` is a user id as text, or `system`."""

    function: str
    request_id: str
    traceparent: str | None = None
    action: str | None = None
    user_id: UUID | None = None
    store_id: UUID | None = None
    role: str | None = None
    sql_statements: int = 0
    redis_trips: int = 0
    commits: int = 0
    pool_use: float = 0.0
    """The share of the instance's other database connections that was in use when this work took one, at most."""

    @property
    def actor(self) -> str:
        return str(self.user_id) if self.user_id else "system"

    @property
    def trace_id(self) -> str | None:
        """The trace id within `traceparent` (W3C Trace Context)."""
        match = _TRACEPARENT.fullmatch(self.traceparent or "")
        return match.group(1) if match else None


_current: ContextVar[Work | None] = ContextVar("work", default=None)
_idle = Work(function="none", request_id="none")


def work() -> Work:
    """The work in hand; outside of any, a shared blank one."""
    return _current.get() or _idle


@contextmanager
def working(this: Work) -> Iterator[Work]:
    """Make `this` the work in hand for the length of the block."""
    token = _current.set(this)
    try:
        yield this
    finally:
        _current.reset(token)


def accepted_request_id(offered: str | None) -> str:
    """The caller's request id when it is 8-64 characters of `[A-Za-z0-9._-]` (a UUID is), else a new one."""
    return offered if offered and _REQUEST_ID.fullmatch(offered) else str(new_id())


def accepted_traceparent(offered: str | None) -> str | None:
    """The caller's traceparent when it is well formed (W3C Trace Context), else none."""
    return offered if offered and _TRACEPARENT.fullmatch(offered) else None
