"""Serves functions with gunicorn: `python -m infra.local.gateway --port 8080 [NAME …]`."""

import argparse
import sys
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]  # it has no types

from infra.local.gateway.loading import load
from infra.local.gateway.routing import Gateway
from infra.local.paths import LOCAL
from infra.manifest import ManifestError, load_all
from infra.manifest import load as manifest_of
from shared.kit import db, redis, stopping


class Server(BaseApplication):  # type: ignore[misc]  # its base has no types
    """Gunicorn with this application; the functions are loaded once, before the workers are forked off."""

    def __init__(self, app: Gateway, options: dict[str, Any]) -> None:
        self._app = app
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Gateway:
        return self._app


def _own_connections(_: Any, __: Any) -> None:
    """A worker shares no connection with its parent, whatever loading the functions may have opened."""
    db.forget()
    redis.forget()


def _listen(_: Any) -> None:
    """Requests are answered in threads, which hear no signal: a job learns from here that it shall stop."""
    stopping.listen()


def main(arguments: list[str] | None = None) -> int:
    told = _parser().parse_args(arguments)
    try:
        manifests = [manifest_of(name) for name in told.names] if told.names else load_all()
    except ManifestError as error:
        print(error, file=sys.stderr)
        return 2
    options = {
        "bind": f"127.0.0.1:{told.port}",
        "worker_class": "gthread",
        "workers": told.workers,
        "threads": told.threads,
        "keepalive": 75,
        "graceful_timeout": 10,
        "loglevel": "warning",
        "post_fork": _own_connections,
        "post_worker_init": _listen,
        "control_socket_disable": True,
    }
    Server(Gateway(load(manifests, told.bundles)), options).run()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.local.gateway", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="functions to serve (default: all)")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--threads", type=int, default=32, help="requests at once in each process")
    parser.add_argument("--bundles", type=Path, default=LOCAL / "gateway", help="where to keep a main.py for each")
    return parser


if __name__ == "__main__":
    sys.exit(main())
