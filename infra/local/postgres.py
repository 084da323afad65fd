"""A private PostgreSQL cluster: made once, started on a free loopback port, stopped by its pid file."""

import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

from infra.local.accounts import Account, reachable_home, run_as
from infra.local.databases import DatabaseServer
from infra.local.packages import Say, postgres_bin
from infra.local.processes import ServerFailed, command_of, free_port, is_alive, is_port_free

ROLE = "packfinderz"
_SETTINGS_FILE = "packfinderz.conf"
_ORPHANS_LAST_S = 1.0  # within that time the backends of a killed postmaster notice, and end

# For a development machine of two cores and a few GB that it shares with everything else.
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_connections": "200",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "log_min_duration_statement": "1000",
}
_NOT_DURABLE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


class PostgresCluster:
    """One cluster under `home`, with the superuser `packfinderz` trusted on loopback.

    `durable=False` gives up safety against a crash of the machine for speed: for tests.
    As root, the files move under /var/tmp when the account that runs PostgreSQL cannot reach `home`.
    """

    def __init__(self, home: Path, *, durable: bool = True, say: Say = print) -> None:
        home = home.resolve()
        self._account = Account.for_servers(home)
        self.home = reachable_home(home, self._account)
        self._moved = self.home != home
        self._durable = durable
        if self._moved:
            say(f"PostgreSQL does not run as root and its account cannot enter {home.parent}: using {self.home}")
            self._account = Account.for_servers(self.home)

    @property
    def data(self) -> Path:
        """PostgreSQL's own folder (PGDATA)."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """What the server said since it was started."""
        return self.home / "server.log"

    @property
    def pid(self) -> int | None:
        """The postmaster's process, when it runs."""
        lines = self._pid_file_lines()
        if lines and is_alive(int(lines[0]), "postgres") and str(self.data) in command_of(int(lines[0])):
            return int(lines[0])
        return None

    @property
    def port(self) -> int:
        """Where the running server listens. Raises ServerFailed when it is stopped."""
        lines = self._pid_file_lines()
        if self.pid is None or len(lines) < 4:
            raise ServerFailed(f"The PostgreSQL cluster in {self.home} is not running.")
        return int(lines[3])  # the fourth line of postmaster.pid

    @property
    def server(self) -> DatabaseServer:
        """The running server's databases."""
        return DatabaseServer(f"postgresql+pg8000://{ROLE}@127.0.0.1:{self.port}/postgres")

    def url(self, database: str) -> str:
        """postgresql+pg8000://… of a database of the running server."""
        return self.server.url(database)

    def create_database(self, name: str, template: str | None = None) -> None:
        self.server.create_database(name, template)

    def drop_database(self, name: str) -> None:
        self.server.drop_database(name)

    def start(self) -> None:
        """Make the cluster if need be and start it if it is stopped. Raises ServerFailed."""
        if self.pid is not None:
            return
        self._make_once()
        self._drop_stale_pid_file()
        for port in (self._remembered_port(), free_port(), free_port()):
            if self._start_on(port):
                return
            time.sleep(_ORPHANS_LAST_S)
        raise ServerFailed(f"PostgreSQL does not start; {self.log} ends with: {_last_line(self.log)}")

    def stop(self) -> None:
        """Stop the server, breaking off what is going on (`fast`); nothing to do when it is stopped."""
        pid = self.pid
        if pid is None:
            return
        failure = self._control("stop", "-m", "fast")
        if failure is not None and self.pid is not None:
            raise ServerFailed(f"PostgreSQL (process {pid}) does not stop: {failure}")

    def forget(self) -> None:
        """Stop the server and remove the cluster with all its data."""
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)
        if self._moved:
            with suppress(OSError):  # another cluster of the same checkout may be there
                self.home.parent.rmdir()

    def _make_once(self) -> None:
        if (self.data / _SETTINGS_FILE).exists():
            return
        shutil.rmtree(self.data, ignore_errors=True)
        self.home.mkdir(parents=True, exist_ok=True)
        if self._account is not None:
            os.chown(self.home, self._account.uid, self._account.gid)
        how = ["--encoding=UTF8", "--locale=C.UTF-8", "--auth=trust", f"--username={ROLE}", "--no-sync"]
        failure = self._postgres("initdb", *how, "-D", str(self.data))
        if failure is not None:
            raise ServerFailed(f"PostgreSQL's initdb failed: {failure}")
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(f"\ninclude '{_SETTINGS_FILE}'\n")

    def _start_on(self, port: int) -> bool:
        settings = _SETTINGS | ({} if self._durable else _NOT_DURABLE) | {"port": str(port)}
        lines = (f"{name} = '{value}'\n" for name, value in settings.items())
        (self.data / _SETTINGS_FILE).write_text("".join(lines))
        self.log.unlink(missing_ok=True)
        failure = self._control("start", "-l", str(self.log))
        if failure is None:
            (self.home / "port").write_text(str(port))
        return failure is None

    def _remembered_port(self) -> int:
        file = self.home / "port"
        port = int(file.read_text()) if file.exists() else 0
        return port if port and is_port_free(port) else free_port()

    def _pid_file_lines(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _drop_stale_pid_file(self) -> None:
        """Remove what a killed postmaster left when its number looks alive to PostgreSQL.

        It may be another program's by now, or still be kept for a parent that never asks how it ended.
        """
        lines = self._pid_file_lines()
        if lines and Path(f"/proc/{lines[0]}").exists():
            time.sleep(_ORPHANS_LAST_S)
            (self.data / "postmaster.pid").unlink()

    def _control(self, verb: str, *arguments: str) -> str | None:
        return self._postgres("pg_ctl", verb, "-D", str(self.data), "-w", "-t", "60", *arguments)

    def _postgres(self, program: str, *arguments: str) -> str | None:
        """Run one of PostgreSQL's programs; None when all went well, else the last thing that it said."""
        done = run_as(self._account, [str(postgres_bin() / program), *arguments])
        if done.returncode == 0:
            return None
        return (done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}").splitlines()[-1]


def _last_line(log: Path) -> str:
    text = log.read_text(errors="replace").strip() if log.exists() else ""
    return text.splitlines()[-1] if text else "nothing"
