"""Ports, processes and file locks of this (Linux) machine."""

import fcntl
import os
import secrets
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# Below Linux's range for outgoing connections (32768 and up), so that a remembered port stays ours.
_PORTS = range(20_000, 30_000)
_kept_ports: list[int] = []


class ServerFailed(RuntimeError):
    """A local server did not start or stop; the message is one sentence for the person at the keyboard."""


def is_port_free(port: int) -> bool:
    """Whether a server could listen on this port of the loopback address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A loopback port that nobody listens on, and that no other process is given here while this one lives."""
    while True:
        port = secrets.choice(_PORTS)
        if is_port_free(port) and _keep(port):
            return port


def _keep(port: int) -> bool:
    """Lock the file that stands for a port until this process ends; False when someone has."""
    place = Path(tempfile.gettempdir()) / f"packfinderz-ports-{os.geteuid()}"
    place.mkdir(mode=0o700, exist_ok=True)
    file = os.open(place / str(port), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return False
    _kept_ports.append(file)
    return True


def is_alive(pid: int, program: str) -> bool:
    """Whether this process runs and is that program: a recycled number of something else does not count."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return fields["Name"].strip() == program and not fields["State"].strip().startswith("Z")


def command_of(pid: int) -> list[str]:
    """The words that this process was started with; none when there is no such process."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


def birth_of(pid: int) -> str | None:
    """A mark that tells this process from a later one of the same number; None when there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return stat.rpartition(")")[2].split()[19]  # starttime, field 22 of proc(5)


def wait_until(condition: Callable[[], bool], *, timeout_s: float) -> bool:
    """Ask again and again until the condition holds; False when time is up."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def stop_process(pid: int, program: str, *, timeout_s: float = 10.0) -> None:
    """Ask a process to end, and end it when it does not within the time."""
    for order, patience_s in ((signal.SIGTERM, timeout_s), (signal.SIGKILL, 5.0)):
        if not is_alive(pid, program):
            return
        with suppress(ProcessLookupError):
            os.kill(pid, order)
        if wait_until(lambda: not is_alive(pid, program), timeout_s=patience_s):
            return
    raise ServerFailed(f"Process {pid} ({program}) does not end.")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a file lock that other processes respect, for the length of the block."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
