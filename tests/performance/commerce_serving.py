"""The cart and checkout functions served by gunicorn, whose processes stand for instances of a function."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.local.paths import CHECKOUT

# Not by way of the package `tests`, which takes the servers' addresses out of the environment.
APP = "commerce_server:app"
_MODULES = "tests/performance,tests/fire"


@dataclass(frozen=True)
class Serving:
    """Where it listens, and the process that looks after the others."""

    port: int
    keeper_pid: int

    def instances(self) -> list[int]:
        """The process ids of the instances that there are right now."""
        children = Path(f"/proc/{self.keeper_pid}/task/{self.keeper_pid}/children").read_text()
        return [int(pid) for pid in children.split()]


@contextmanager
def serving(app: str = APP, *, instances: int = 2, threads: int = 4) -> Iterator[Serving]:
    """Serve in the environment of this process; ends with the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", app, "--bind", f"127.0.0.1:{port}"),
            *("--pythonpath", _MODULES, "--no-control-socket"),
            *("--workers", str(instances), "--threads", str(threads), "--log-level", "critical"),
        ],
        cwd=CHECKOUT,
        env=os.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        yield Serving(port, process.pid)
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(port: int) -> None:
    for _ in range(200):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/live", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server did not come up within 20 seconds")
