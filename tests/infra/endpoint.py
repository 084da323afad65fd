"""A real HTTP server that answers as it is told and remembers what it was sent."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.patience import PATIENCE_S


@dataclass(frozen=True)
class Received:
    """One request; header names are lower case, `at_s` is when it arrived on the monotonic clock."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at_s: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Endpoint:
    """Answers with the next of `statuses`, then 204; while `gate` is clear, requests wait for their answer."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    hangs_up: bool = False
    requests: list[Received] = field(default_factory=list)
    connection_count: int = 0
    now_open: int = 0
    most_at_once: int = 0
    gate: threading.Event = field(default_factory=threading.Event)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, count: int, *, within_s: float = PATIENCE_S) -> list[Received]:
        """The requests so far, once there are `count`; fails when they do not come."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.requests) >= count, within_s), self.requests
            return list(self.requests)

    def enter(self, request: Received) -> int:
        """Note a request; the status to answer it with."""
        with self.changed:
            self.requests.append(request)
            self.now_open += 1
            self.most_at_once = max(self.most_at_once, self.now_open)
            self.changed.notify_all()
            status = self.statuses.pop(0) if self.statuses else 204
        self.gate.wait(PATIENCE_S)
        with self.changed:
            self.now_open -= 1
        return status


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, endpoint: Endpoint, port: int) -> None:
        self.endpoint = endpoint
        super().__init__(("127.0.0.1", port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.server.endpoint.connection_count += 1

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Received(self.command, self.path, headers, body, time.monotonic())
        status = self.server.endpoint.enter(request)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()
        # Without saying so, as a server does that has waited long enough for the next request.
        self.close_connection = self.server.endpoint.hangs_up

    def log_message(self, *_: Any) -> None:
        """The test reads `requests` instead."""


@contextmanager
def serving(port: int = 0) -> Iterator[Endpoint]:
    """An endpoint for the length of the block; its gate is open."""
    endpoint = Endpoint()
    endpoint.gate.set()
    with _Server(endpoint, port) as server:
        endpoint.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield endpoint
        finally:
            endpoint.gate.set()
            server.shutdown()
            thread.join()
