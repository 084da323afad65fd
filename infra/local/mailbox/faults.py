"""Being slow or failing on demand."""

import time
from dataclasses import dataclass
from threading import Lock
from typing import Any

from infra.local.mailbox.sendgrid import SendGridError


@dataclass
class Fault:
    """What shall go wrong with the next `times` mails: an error, a pause, or both. `after` loses only the answer."""

    times: int = 1
    status: int | None = None
    delay_ms: int = 0
    after: bool = False

    @classmethod
    def ordered(cls, body: dict[str, Any]) -> "Fault":
        """From the body of POST /_control: `{"fail": {"status": 503}, "delay_ms": 100, "times": 2, "after": true}`."""
        fail: dict[str, Any] | None = body.get("fail")
        status = int(fail.get("status", 500)) if fail is not None else None
        return cls(int(body.get("times", 1)), status, int(body.get("delay_ms", 0)), bool(body.get("after", False)))


class Faults:
    """The faults that are still to come; each mail meets at most one."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = Lock()

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._waiting.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def take(self) -> Fault:
        """The fault that this mail meets; one without effect when there is none."""
        with self._lock:
            if not self._waiting:
                return Fault()
            fault = self._waiting[0]
            fault.times -= 1
            if fault.times <= 0:
                self._waiting.pop(0)
        return fault

    @staticmethod
    def strike(fault: Fault, *, after: bool) -> None:
        """Let it take effect, if it is its turn. Raises SendGridError."""
        if fault.after is not after:
            return
        time.sleep(fault.delay_ms / 1000)
        if fault.status is not None:
            raise SendGridError(fault.status, "Told to fail.")
