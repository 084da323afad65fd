"""The control port: trouble on demand and counts, as JSON over HTTP.

`GET /stats`; `GET /faults`, `POST /faults` {"refuse_publish": 3, "duplicate": 2, "reorder": true, "delay_ms": 50},
`DELETE /faults`.
"""

import json
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from infra.local.pubsub.broker import Broker
from infra.local.pubsub.errors import InvalidArgument
from infra.local.pubsub.faults import Faults


class ControlServer(ThreadingHTTPServer):
    """Serves the control port of one emulator; port 0 picks a free one."""

    daemon_threads = True

    def __init__(self, broker: Broker, faults: Faults, *, host: str, port: int) -> None:
        self.broker = broker
        self.faults = faults
        super().__init__((host, port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: ControlServer
    protocol_version = "HTTP/1.1"
    timeout = 10

    def do_GET(self) -> None:
        if self.path == "/stats":
            self._answer(HTTPStatus.OK, self.server.broker.stats())
        elif self.path == "/faults":
            self._answer(HTTPStatus.OK, self.server.faults.as_dict())
        else:
            self._answer(HTTPStatus.NOT_FOUND, {"error": f"There is no {self.path}"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path != "/faults":
            self._answer(HTTPStatus.NOT_FOUND, {"error": f"There is no {self.path}"})
            return
        try:
            self.server.faults.change(_object(body))
        except InvalidArgument as error:
            self._answer(HTTPStatus.BAD_REQUEST, {"error": str(error)})
        else:
            self._answer(HTTPStatus.OK, self.server.faults.as_dict())

    def do_DELETE(self) -> None:
        if self.path == "/faults":
            self.server.faults.clear()
            self._answer(HTTPStatus.OK, self.server.faults.as_dict())
        else:
            self._answer(HTTPStatus.NOT_FOUND, {"error": f"There is no {self.path}"})

    def log_message(self, *_: Any) -> None:
        """Say nothing: the stack's log is for the functions."""

    def _answer(self, status: HTTPStatus, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _object(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise InvalidArgument("Send a JSON object")
    return content
