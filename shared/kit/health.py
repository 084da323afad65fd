"""The two health routes that every function has: that it lives, and whether what it depends on answers.

Each dependency is asked in a thread of its own, so that one that hangs costs the others nothing and the answer comes
in time. While a question hangs no second one is asked: whoever wants to know waits for the same.
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from shared.kit.logging import log

LIVE, READY = "/health/live", "/health/ready"
LIMIT_S = 2.0

Check = Callable[[], object]
"""Returns when a dependency answers, raises when it does not."""


class Health:
    """The health of one function. `checks` maps the name of each thing that it depends on to a check of it.

    What does not answer within `limit_s` (without it, LIMIT_S) is slow.
    """

    def __init__(self, checks: Mapping[str, Check], *, limit_s: float | None = None) -> None:
        self.checks = dict(checks)
        self._limit_s = limit_s
        self._asked = {name: _Dependency(name, check) for name, check in checks.items()}

    def answer(self, path: str) -> tuple[dict[str, Any], int] | None:
        """Data and status of a health route; None for any other path."""
        if path == LIVE:
            return {"status": "ok"}, 200
        return self._readiness() if path == READY else None

    def _readiness(self) -> tuple[dict[str, Any], int]:
        ends_at = time.monotonic() + (LIMIT_S if self._limit_s is None else self._limit_s)
        questions = {name: dependency.ask() for name, dependency in self._asked.items()}
        states = {name: question.state(ends_at) for name, question in questions.items()}
        healthy = all(state == "ok" for state in states.values())
        return {"status": "ok" if healthy else "down", "dependencies": states}, 200 if healthy else 503


class _Dependency:
    """Something that is asked at most once at a time."""

    def __init__(self, name: str, check: Check) -> None:
        self._name = name
        self._check = check
        self._question: _Question | None = None
        self._lock = threading.Lock()

    def ask(self) -> "_Question":
        with self._lock:
            if self._question is None or not self._question.is_alive():
                self._question = _Question(self._name, self._check)
                self._question.start()
            return self._question


class _Question(threading.Thread):
    """One question; the process does not wait for its answer when it ends."""

    def __init__(self, name: str, check: Check) -> None:
        super().__init__(name=f"asks {name}", daemon=True)
        self._dependency = name
        self._check = check
        self._error_type = ""

    def run(self) -> None:
        try:
            self._check()
        except Exception as error:
            self._error_type = type(error).__name__  # not the error: it would keep all that it passed through

    def state(self, ends_at: float) -> str:
        """`ok`, `down`, or `slow` when there is no answer until then."""
        self.join(max(ends_at - time.monotonic(), 0))
        if self.is_alive():
            log.warning("dependency_slow", dependency=self._dependency)
            return "slow"
        if self._error_type:
            log.warning("dependency_down", dependency=self._dependency, error_type=self._error_type)
            return "down"
        return "ok"
