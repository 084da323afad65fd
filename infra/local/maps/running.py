"""The stand-in as a running server in a thread of this process, for tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from infra.local.maps.server import MapsApp
from infra.local.standins.running import serving


@dataclass(frozen=True)
class StandIn:
    """A running stand-in: its address, and a way into what it knows."""

    url: str
    app: MapsApp

    @property
    def calls(self) -> dict[str, int]:
        """How often each call arrived."""
        return dict(self.app.calls)

    @property
    def sessions(self) -> dict[str, int]:
        """How many sessions are open and how many ended, and how many calls were billed by themselves."""
        return self.app.sessions.counts()

    def fail(self, operation: str | None = None, *, times: int = 1, after: bool = False, **error: Any) -> None:
        """Let the next calls fail, with a `status`, an `http` status, or a `text` for a body."""
        self.app.faults.obey({"operation": operation, "fail": error, "times": times, "after": after})

    def slow_down(self, operation: str | None = None, *, delay_ms: int, times: int = 1) -> None:
        """Let the next calls take their time."""
        self.app.faults.obey({"operation": operation, "delay_ms": delay_ms, "times": times})

    def reset(self) -> None:
        """Forget everything."""
        self.app.reset()


@contextmanager
def running_maps(*, key: str | None = None) -> Iterator[StandIn]:
    """A stand-in that serves for the length of the block."""
    app = MapsApp(key=key)
    with serving(app.wsgi) as url:
        yield StandIn(url, app)
