"""The stand-in as a running server: in a thread of this process for tests, or as a process of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from infra.local.square.faults import Fault
from infra.local.square.server import SquareApp
from infra.local.square.webhooks import Webhooks


class _Quiet(WSGIRequestHandler):
    """Says nothing about each request."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Not a word."""


@dataclass(frozen=True)
class StandIn:
    """A running stand-in: its address, and a way into what it knows."""

    url: str
    app: SquareApp

    def fail(self, operation: str | None = None, *, times: int = 1, after: bool = False, **error: Any) -> None:
        """Let the next calls fail; `after` they took effect, when only the answer shall be lost."""
        order = {"operation": operation, "fail": error, "times": times, "after": after}
        self.app.faults.add(Fault.ordered(order))

    def slow_down(self, operation: str | None = None, *, delay_ms: int, times: int = 1) -> None:
        """Let the next calls take their time."""
        self.app.faults.add(Fault.ordered({"operation": operation, "delay_ms": delay_ms, "times": times}))

    def pay_invoices(self) -> None:
        """Let whoever owes an invoice pay it by the link that Square mailed."""
        self.app.pay_invoices()

    def reset(self) -> None:
        """Forget everything."""
        self.app.state.reset()
        self.app.faults.clear()
        self.app.calls.clear()


def server(app: SquareApp, port: int = 0) -> BaseWSGIServer:
    """The stand-in bound to a loopback port (a free one for 0), not serving yet."""
    return make_server("127.0.0.1", port, app.wsgi, threaded=True, request_handler=_Quiet)


def address(listening: BaseWSGIServer) -> str:
    return f"http://127.0.0.1:{listening.server_port}"


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
    listening = server(app)
    thread = Thread(target=listening.serve_forever, args=(0.05,), name="square", daemon=True)
    thread.start()
    try:
        yield StandIn(address(listening), app)
    finally:
        listening.shutdown()
        thread.join(timeout=10)
        listening.server_close()
        if webhooks is not None:
            webhooks.close()
