"""The processes of the local stack: each in a session of its own, so that Ctrl-C is the stack's to hand on."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from infra.local.paths import CHECKOUT
from infra.local.processes import ServerFailed, wait_until

_STARTS_WITHIN_S = 180.0
_STOPS_WITHIN_S = 15.0


class Child:
    """`python -m MODULE …` until `stop`, or until we end, however we do. What it says goes to `log`, and line by
    line to `heard`."""

    def __init__(
        self,
        name: str,
        module: str,
        *arguments: str,
        log: Path,
        environment: Mapping[str, str] | None = None,
        heard: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "--", sys.executable, "-m", module, *arguments],
            cwd=CHECKOUT,
            env=os.environ | (environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, args=(heard,), name=f"reads {name}", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def wait_until(self, is_ready: Callable[[], bool]) -> None:
        """Wait until it is ready. Raises ServerFailed when it ends before, or takes too long."""
        wait_until(lambda: self.has_ended or is_ready(), timeout_s=_STARTS_WITHIN_S)
        if self.has_ended or not is_ready():
            self._reader.join(timeout=1)
            raise ServerFailed(f"{self.name} does not start; {self.log} ends with: {_last_line(self.log)}")

    def finish(self) -> None:
        """Wait for its own end. Raises ServerFailed unless all went well."""
        try:
            status = self._process.wait()
        finally:
            self.stop()
        if status != 0:
            raise ServerFailed(f"{self.name} failed; {self.log} ends with: {_last_line(self.log)}")

    def stop(self) -> None:
        """Ask it and all that it started to end, and end them when they do not."""
        for order, patience_s in ((signal.SIGTERM, _STOPS_WITHIN_S), (signal.SIGKILL, 5.0)):
            with suppress(ProcessLookupError):
                os.killpg(self.pid, order)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(patience_s)
                break
        # A worker may outlive its parent by a moment; nothing of the group stays.
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._reader.join(timeout=1)

    def _read(self, heard: Callable[[str], None]) -> None:
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        with self.log.open("wb") as log, self._process.stdout as said:
            for line in said:
                log.write(line)
                log.flush()
                heard(line.decode(errors="replace").rstrip())


class ReadyFile:
    """Where a child writes what it listens on, once it does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)

    def is_there(self) -> bool:
        return self.path.exists() and bool(self.path.read_text())

    def text(self) -> str:
        return self.path.read_text().strip()

    def fields(self) -> dict[str, str]:
        """What it says, when that is a JSON object."""
        return {name: str(value) for name, value in json.loads(self.path.read_text()).items()}


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").split("\n") if log.exists() else []
    return next((line for line in reversed(lines) if line.strip()), "nothing")
