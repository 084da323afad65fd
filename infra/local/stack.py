"""The local stack as others see it: whether it is up, where everything is, and starting it when it is not."""

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from infra.local.paths import CHECKOUT, LOCAL
from infra.local.processes import ServerFailed, birth_of, wait_until

FILE = LOCAL / "stack.json"
LOCK = LOCAL / "stack.lock"
LOGS = LOCAL / "logs"

_STARTS_WITHIN_S = 300.0  # the first time it may install PostgreSQL
_STOPS_WITHIN_S = 60.0


class AlreadyUp(RuntimeError):
    """Another process runs the stack."""


class NotUp(RuntimeError):
    """Nobody runs the stack."""


@dataclass(frozen=True)
class Stack:
    """A running stack. `birth` tells its process from a later one of the same number."""

    pid: int
    birth: str
    url: str
    database_url: str
    redis_url: str
    pubsub_host: str
    pubsub_control_url: str
    storage_url: str
    square_url: str
    maps_url: str
    mailbox_url: str
    processes: dict[str, int] = field(default_factory=dict)

    @property
    def is_up(self) -> bool:
        return birth_of(self.pid) == self.birth

    def function_url(self, name: str) -> str:
        """Where an event or a schedule reaches this function."""
        return f"{self.url}/_functions/{name}"


def announce(stack: Stack) -> None:
    """Write down where everything is, in one step, for whoever waits for it; it holds no secret."""
    draft = FILE.with_name(f"{FILE.name}.draft")
    draft.write_text(json.dumps(asdict(stack), indent=2) + "\n")
    draft.replace(FILE)


def find() -> Stack | None:
    """The running stack, if it is up and ready."""
    try:
        stack = Stack(**json.loads(FILE.read_text()))
    except FileNotFoundError:
        return None
    return stack if stack.is_up else None


def get() -> Stack:
    """The running stack. Raises NotUp."""
    stack = find()
    if stack is None:
        raise NotUp("The local stack is not up; start it with `make run`.")
    return stack


@contextmanager
def sole() -> Iterator[None]:
    """Be the only one that runs the stack, for the length of the block. Raises AlreadyUp."""
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    with LOCK.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyUp(_already_up()) from None
        FILE.unlink(missing_ok=True)
        try:
            yield
        finally:
            FILE.unlink(missing_ok=True)


@contextmanager
def ensure_stack() -> Iterator[Stack]:
    """The running stack; one that had to be started is stopped after the block. Raises ServerFailed."""
    stack = find()
    if stack is not None:
        yield stack
        return
    log = LOGS / "stack.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "infra.local.run"],
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_until(lambda: process.poll() is not None or find() is not None, timeout_s=_STARTS_WITHIN_S)
        started = find()
        if started is None or started.pid != process.pid:
            raise ServerFailed(f"The local stack does not start; {log} says why: {_last_line(log)}")
        yield started
    finally:
        process.terminate()
        process.wait(timeout=_STOPS_WITHIN_S)


def stop() -> bool:
    """Stop the stack if it is up, and wait for it; whether it was. Raises ServerFailed."""
    stack = find()
    if stack is None:
        return False
    os.kill(stack.pid, signal.SIGTERM)
    if not wait_until(lambda: not stack.is_up, timeout_s=_STOPS_WITHIN_S):
        raise ServerFailed(f"The local stack (process {stack.pid}) does not stop.")
    return True


def _already_up() -> str:
    stack = find()
    if stack is None:
        return "The local stack is just starting or stopping elsewhere; wait a moment."
    return f"The local stack is already up at {stack.url} (process {stack.pid}); stop it with Ctrl-C there."


def _last_line(log: Path) -> str:
    return (log.read_text(errors="replace").strip() or "nothing").splitlines()[-1].strip()
