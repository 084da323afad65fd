"""A stand-in as a running server: in a thread of this process, or for a process of its own to serve."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server


class _Quiet(WSGIRequestHandler):
    """Says nothing about each request."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Not a word."""


def server(app: Flask, port: int = 0) -> BaseWSGIServer:
    """The stand-in bound to a loopback port (a free one for 0), not serving yet."""
    return make_server("127.0.0.1", port, app, threaded=True, request_handler=_Quiet)


def address(listening: BaseWSGIServer) -> str:
    return f"http://127.0.0.1:{listening.server_port}"


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """Serve from a thread for the length of the block; its address."""
    listening = server(app)
    thread = Thread(target=listening.serve_forever, args=(0.05,), name=app.name, daemon=True)
    thread.start()
    try:
        yield address(listening)
    finally:
        listening.shutdown()
        thread.join(timeout=10)
        listening.server_close()
