"""The mailbox as a running server: in a thread of this process for tests, or as a process of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from infra.local.mailbox.faults import Fault
from infra.local.mailbox.mails import Mail
from infra.local.mailbox.server import MailboxApp


class _Quiet(WSGIRequestHandler):
    """Says nothing about each request."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Not a word."""


@dataclass(frozen=True)
class StandIn:
    """A running mailbox: its address, and a way into what it knows."""

    url: str
    app: MailboxApp

    @property
    def mails(self) -> list[Mail]:
        """What has arrived, the oldest first."""
        return self.app.folder.all()[::-1]

    @property
    def taken(self) -> list[dict[str, Any]]:
        """The requests that were taken, in order."""
        return list(self.app.taken)

    def fail(self, *, status: int = 503, times: int = 1, after: bool = False) -> None:
        """Let the next mails fail; `after` they were taken, when only the answer shall be lost."""
        self.app.faults.add(Fault(times=times, status=status, after=after))

    def slow_down(self, *, delay_ms: int, times: int = 1, after: bool = False) -> None:
        """Let the next mails take their time, before or after they are taken."""
        self.app.faults.add(Fault(times=times, delay_ms=delay_ms, after=after))

    def refuse(self, address: str) -> None:
        """Find this address wrong from now on."""
        self.app.refused_addresses.add(address)

    def reset(self) -> None:
        """Forget everything."""
        self.app.reset()


def server(app: MailboxApp, port: int = 0) -> BaseWSGIServer:
    """The mailbox bound to a loopback port (a free one for 0), not serving yet."""
    return make_server("127.0.0.1", port, app.wsgi, threaded=True, request_handler=_Quiet)


def address(listening: BaseWSGIServer) -> str:
    return f"http://127.0.0.1:{listening.server_port}"


@contextmanager
def running_mailbox(folder: Path, *, key: str | None = None) -> Iterator[StandIn]:
    """A mailbox that serves for the length of the block."""
    app = MailboxApp(folder, key=key)
    listening = server(app)
    thread = Thread(target=listening.serve_forever, args=(0.05,), name="mailbox", daemon=True)
    thread.start()
    try:
        yield StandIn(address(listening), app)
    finally:
        listening.shutdown()
        thread.join(timeout=10)
        listening.server_close()
