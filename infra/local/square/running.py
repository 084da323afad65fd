"""The stand-in as a running server in a thread of this process, for tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.square.server import SquareApp
from infra.local.square.webhooks import Webhooks
from infra.local.standins.running import serving


@dataclass(frozen=True)
class StandIn:
    """A running stand-in: its address, and a way into what it knows."""

    url: str
    app: SquareApp

    def fail(self, operation: str | None = None, *, times: int = 1, after: bool = False, **error: Any) -> None:
        """Let the next calls fail; `after` they took effect, when only the answer shall be lost."""
        self.app.faults.obey({"operation": operation, "fail": error, "times": times, "after": after})

    def slow_down(self, operation: str | None = None, *, delay_ms: int, times: int = 1) -> None:
        """Let the next calls take their time."""
        self.app.faults.obey({"operation": operation, "delay_ms": delay_ms, "times": times})

    def pay_invoices(self) -> None:
        """Let whoever owes an invoice pay it by the link that Square mailed."""
        self.app.pay_invoices()

    def reset(self) -> None:
        """Forget everything."""
        self.app.state.reset()
        self.app.faults.clear()
        self.app.calls.clear()


@contextmanager
def running_square(
    *,
    token: str | None = None,
    file: Path | None = None,
    webhook_url: str = "",
    signature_key: str = "",
) -> Iterator[StandIn]:
    """A stand-in that serves for the length of the block, and announces events when told where to."""
    webhooks = Webhooks(webhook_url, signature_key) if webhook_url else None
    app = SquareApp(token=token, file=file, webhooks=webhooks)
    try:
        with serving(app.wsgi) as url:
            yield StandIn(url, app)
    finally:
        if webhooks is not None:
            webhooks.close()
