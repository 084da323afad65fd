"""A private Redis on a free loopback port, which ends with the process that started it."""

import shutil
import subprocess
from pathlib import Path

from redis import Redis
from redis.exceptions import ConnectionError as Unreachable

from infra.local.processes import ServerFailed, free_port, is_alive, is_port_free, stop_process, wait_until

_PROGRAM = "redis-server"


class RedisServer:
    """Redis with its files under `home`; `durable` keeps the data across starts (append-only file)."""

    def __init__(self, home: Path, *, durable: bool = True) -> None:
        self.home = home
        self._durable = durable
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The running server's process, whoever started it."""
        try:
            pid = int((self.home / "pid").read_text())
        except (FileNotFoundError, ValueError):
            return None
        return pid if is_alive(pid, _PROGRAM) else None

    @property
    def port(self) -> int:
        """Where the running server listens. Raises ServerFailed when it is stopped."""
        if self.pid is None:
            raise ServerFailed(f"The Redis in {self.home} is not running.")
        return int((self.home / "port").read_text())

    @property
    def url(self) -> str:
        """redis://… of the running server."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start if stopped, on the port of the last time when it is free. Raises ServerFailed.

        Call it from a thread that lasts: the server ends when that thread does.
        """
        if self.pid is not None:
            return
        self.home.mkdir(parents=True, exist_ok=True)
        for port in (self._remembered_port(), free_port(), free_port()):
            if self._start_on(port):
                return
        raise ServerFailed(f"Redis does not start; see {self.home / 'server.log'}.")

    def stop(self) -> None:
        """Stop the server; nothing to do when it is stopped."""
        pid = self.pid
        if pid is not None:
            stop_process(pid, _PROGRAM)
        if self._process is not None:
            self._process.terminate()  # someone may have removed its files while it ran, and its number with them
            self._process.wait()
            self._process = None

    def forget(self) -> None:
        """Stop the server and remove its files."""
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def _start_on(self, port: int) -> bool:
        (self.home / "port").write_text(str(port))
        # Its own session keeps Ctrl-C away from it; pdeathsig ends it even when we are killed.
        with (self.home / "server.log").open("wb") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", "--", _PROGRAM, *self._settings(port)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        # setpriv becomes the server, so this is the server's number from the start.
        (self.home / "pid").write_text(str(self._process.pid))
        if wait_until(lambda: self._answers(port) or self._has_ended(), timeout_s=20) and not self._has_ended():
            return True
        self.stop()
        return False

    def _settings(self, port: int) -> list[str]:
        settings = {
            "bind": "127.0.0.1",
            "port": str(port),
            "dir": str(self.home.resolve()),
            "save": "",
            "appendonly": "yes" if self._durable else "no",
        }
        return [word for name, value in settings.items() for word in (f"--{name}", value)]

    def _answers(self, port: int) -> bool:
        with Redis("127.0.0.1", port, socket_timeout=2) as client:
            try:
                return int(client.info("server")["process_id"]) == self.pid
            except Unreachable:
                return False

    def _has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _remembered_port(self) -> int:
        file = self.home / "port"
        port = int(file.read_text() or 0) if file.exists() else 0
        return port if port and is_port_free(port) else free_port()
