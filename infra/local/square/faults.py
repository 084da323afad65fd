"""Being slow or failing on demand."""

import time
from dataclasses import dataclass
from threading import Lock
from typing import Any

from infra.local.square.errors import SquareError, invalid


@dataclass
class Fault:
    """What shall go wrong, `times` times, with calls of `operation` (any, without one).

    `after` lets the call take effect first, so that only its answer is lost.
    """

    operation: str | None
    error: SquareError | None
    delay_ms: int
    after: bool
    times: int

    @classmethod
    def ordered(cls, body: dict[str, Any]) -> "Fault":
        """From the body of POST /_control. Raises SquareError."""
        fail: dict[str, Any] = body.get("fail") or {}
        error = SquareError(
            int(fail.get("status", 500)),
            fail.get("category", "API_ERROR"),
            fail.get("code", "INTERNAL_SERVER_ERROR"),
            fail.get("detail", "Told to fail."),
        )
        times = int(body.get("times", 1))
        if times < 1:
            raise invalid("At least once.", field="times")
        return cls(
            operation=body.get("operation"),
            error=error if "fail" in body else None,
            delay_ms=int(body.get("delay_ms", 0)),
            after=bool(body.get("after", False)),
            times=times,
        )


class Faults:
    """The faults that are still to come; each call meets at most one."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = Lock()

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._waiting.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def take(self, operation: str) -> Fault | None:
        """The fault that this call meets, slowed down by it at once."""
        with self._lock:
            fault = next((fault for fault in self._waiting if fault.operation in (None, operation)), None)
            if fault is not None:
                fault.times -= 1
                if fault.times == 0:
                    self._waiting.remove(fault)
        if fault is not None and fault.delay_ms:
            time.sleep(fault.delay_ms / 1000)
        return fault
