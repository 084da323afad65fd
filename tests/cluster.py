"""One PostgreSQL cluster for every test run of this checkout, alive as long as any of them uses it.

Each process writes itself into a register under a file lock; whoever comes first starts the cluster,
whoever leaves last stops it. Processes that died without leaving do not count.
"""

import os
from pathlib import Path

from infra.local.databases import DatabaseServer
from infra.local.postgres import PostgresCluster
from infra.local.processes import birth_of, locked


class SharedCluster:
    """The cluster under `home` and the register of its users, beside it."""

    def __init__(self, home: Path) -> None:
        self._cluster = PostgresCluster(home, durable=False)
        self._register = home.with_name(f"{home.name}.users")
        self.lock = home.with_name(f"{home.name}.lock")

    def join(self) -> DatabaseServer:
        """Use the cluster, starting it when it is stopped. The first user finds no leftovers of the dead."""
        with locked(self.lock):
            others = self._living() - {_me()}
            self._write(others | {_me()})
            self._cluster.start()
            if not others:
                self._drop_leftovers()
            return self._cluster.server

    def leave(self) -> None:
        """Use it no more; stop it when nobody does."""
        with locked(self.lock):
            others = self._living() - {_me()}
            self._write(others)
            if not others:
                self._cluster.stop()

    def _living(self) -> set[str]:
        if not self._register.exists():
            return set()
        users = self._register.read_text().split()
        return {user for user in users if birth_of(int(user.partition(":")[0])) == user.partition(":")[2]}

    def _write(self, users: set[str]) -> None:
        self._register.write_text("\n".join(sorted(users)))

    def _drop_leftovers(self) -> None:
        for name in self._cluster.server.databases():
            if name.startswith("test_"):
                self._cluster.drop_database(name)


def _me() -> str:
    return f"{os.getpid()}:{birth_of(os.getpid())}"
