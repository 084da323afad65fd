"""The databases of one PostgreSQL server: ours, or the one that PF_DATABASE_URL names."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pg8000.dbapi
from sqlalchemy import URL, make_url


@dataclass(frozen=True)
class DatabaseServer:
    """A server by the URL of any of its databases; the role in it may create databases."""

    address: str

    def url(self, database: str) -> str:
        """postgresql+pg8000://… of this database."""
        return self._url.set(database=database).render_as_string(hide_password=False)

    @property
    def _url(self) -> URL:
        return make_url(self.address)

    def databases(self) -> list[str]:
        """The names of all databases, in order of name."""
        with self.cursor("postgres") as cursor:
            cursor.execute("SELECT datname FROM pg_database ORDER BY datname")
            return [name for (name,) in cursor.fetchall()]

    def create_database(self, name: str, template: str | None = None) -> None:
        """A new database, as a copy of `template` when one is given (nobody may be connected to it)."""
        clause = f" TEMPLATE {_quoted(template)}" if template else ""
        with self.cursor("postgres") as cursor:
            cursor.execute(f"CREATE DATABASE {_quoted(name)}{clause}")

    def rename_database(self, name: str, to: str) -> None:
        with self.cursor("postgres") as cursor:
            cursor.execute(f"ALTER DATABASE {_quoted(name)} RENAME TO {_quoted(to)}")

    def drop_database(self, name: str) -> None:
        """Remove a database if it is there, with whoever is connected to it."""
        with self.cursor("postgres") as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)")

    @contextmanager
    def cursor(self, database: str) -> Iterator[pg8000.dbapi.Cursor]:
        """A cursor on a connection of its own, every statement committed at once."""
        url = self._url
        connection = pg8000.dbapi.connect(
            user=url.username,
            password=url.password,
            host=url.host or "127.0.0.1",
            port=url.port or 5432,
            database=database,
            timeout=60,
        )
        connection.autocommit = True
        try:
            yield connection.cursor()
        finally:
            connection.close()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
