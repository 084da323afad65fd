"""What Google would bill: calls of Autocomplete under one token, until Place Details ends the session.

Rules: developers.google.com/maps/documentation/places/web-service/session-tokens
"""

from dataclasses import dataclass, field
from threading import Lock


@dataclass
class Sessions:
    """Tokens of sessions that go on and of those that ended, and calls that were billed by themselves."""

    open: dict[str, int] = field(default_factory=dict)
    ended: dict[str, int] = field(default_factory=dict)
    billed_alone: int = 0
    _lock: Lock = field(default_factory=Lock, repr=False)

    def suggested(self, token: str) -> None:
        """A call of Autocomplete; under the token of a session that ended it counts alone."""
        with self._lock:
            if token in self.ended:
                self.billed_alone += 1
            else:
                self.open[token] = self.open.get(token, 0) + 1

    def resolved(self, token: str) -> None:
        """A call of Place Details, which ends the session."""
        with self._lock:
            if token in self.ended:
                self.billed_alone += 1
            else:
                self.ended[token] = self.open.pop(token, 0)

    def clear(self) -> None:
        with self._lock:
            self.open.clear()
            self.ended.clear()
            self.billed_alone = 0

    def counts(self) -> dict[str, int]:
        """How many of each."""
        with self._lock:
            return {"open": len(self.open), "ended": len(self.ended), "billed_alone": self.billed_alone}
