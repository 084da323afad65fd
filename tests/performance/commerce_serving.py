"""The cart and checkout functions served by gunicorn, whose processes stand for instances of a function."""

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.local.paths import CHECKOUT
from infra.local.processes import free_port, wait_until
from tests.patience import PATIENCE_S

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
    port = free_port()
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
        process.wait(PATIENCE_S)


def _wait_for(port: int) -> None:
    if not wait_until(lambda: _answers(port), timeout_s=PATIENCE_S):
        raise AssertionError(f"the server did not come up within {PATIENCE_S:.0f} seconds")


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/live", timeout=PATIENCE_S):
            return True
    except OSError:
        return False
