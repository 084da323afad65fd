"""Being slow or failing on demand."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Lock
from typing import Any

from werkzeug.exceptions import BadRequest, ServiceUnavailable

Json = dict[str, Any]


@dataclass
class _Fault:
    """What shall go wrong, `times` times, with calls of `operation` (any, without one): a pause, an error, or both."""

    operation: str | None
    fail: Json | None
    delay_ms: int
    after: bool
    times: int
    forgotten: Event


class Faults:
    """The faults that are still to come; each call meets at most one.

    `error_of` makes the stand-in's own error of what `fail` says.
    """

    def __init__(self, error_of: Callable[[Json], Exception]) -> None:
        self._error_of = error_of
        self._waiting: list[_Fault] = []
        self._forgotten = Event()
        self._lock = Lock()

    def obey(self, order: Json) -> None:
        """Do what the body of POST /_control orders, when it orders trouble. Raises BadRequest.

        `{"operation": "cards.create", "fail": {…}, "delay_ms": 100, "times": 2, "after": true}`: all but one of
        `fail` and `delay_ms` may be left out. `after` lets the call take effect first, so that only its answer
        is late or lost.
        """
        if "fail" not in order and "delay_ms" not in order:
            return
        fault = _Fault(
            operation=order.get("operation"),
            fail=order.get("fail"),
            delay_ms=int(order.get("delay_ms", 0)),
            after=bool(order.get("after", False)),
            times=int(order.get("times", 1)),
            forgotten=self._forgotten,
        )
        if fault.times < 1:
            raise BadRequest("times: at least once.")
        with self._lock:
            self._waiting.append(fault)

    @property
    def are_over(self) -> bool:
        """Whether each has met its calls, though they may still pause."""
        with self._lock:
            return not self._waiting

    def clear(self) -> None:
        """Back to fair weather; a call that pauses just now ends there, without the effect that it has not had yet."""
        with self._lock:
            self._waiting.clear()
            self._forgotten.set()
            self._forgotten = Event()

    @contextmanager
    def meeting(self, operation: str) -> Iterator[None]:
        """A call takes effect within the block; the fault that it meets strikes before or after it."""
        fault = self._take(operation)
        if fault is not None and not fault.after:
            self._strike(fault)
        yield
        if fault is not None and fault.after:
            self._strike(fault)

    def _take(self, operation: str) -> _Fault | None:
        with self._lock:
            fault = next((fault for fault in self._waiting if fault.operation in (None, operation)), None)
            if fault is not None:
                fault.times -= 1
                if fault.times == 0:
                    self._waiting.remove(fault)
        return fault

    def _strike(self, fault: _Fault) -> None:
        if fault.forgotten.wait(fault.delay_ms / 1000):
            raise ServiceUnavailable("Forgotten meanwhile.")
        if fault.fail is not None:
            raise self._error_of(fault.fail)
