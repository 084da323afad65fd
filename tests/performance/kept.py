"""Large databases that are made once and kept for the next run, by a digest of what they are made from.

They live in a cluster of their own under `.local/bench`, which gives up safety against a crash of the machine for
the speed of filling. `make reset` leaves them; remove the folder to have the space back.
"""

import hashlib
import inspect
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType

from infra.local.databases import DatabaseServer
from infra.local.paths import LOCAL
from infra.local.postgres import PostgresCluster
from infra.migrate import MigrationFailed, migrate
from shared.kit import config, db, redis

Fill = Callable[[], None]
_HALF_MADE = "half_made"


@contextmanager
def kept_cluster() -> Iterator[DatabaseServer]:
    """The server of kept databases, running within the block."""
    cluster = PostgresCluster(LOCAL / "bench", durable=False, say=lambda _: None)
    cluster.start()
    try:
        yield cluster.server
    finally:
        db.forget()
        cluster.stop()


@contextmanager
def kept_database(server: DatabaseServer, name: str, fill: Fill, *, made_from: Sequence[ModuleType]) -> Iterator[str]:
    """A migrated database that `fill` filled, now or in an earlier run; the settings point to it.

    Migrations that came since are run on it. It is made anew when the source of these modules changed, or when its
    history is not ours.
    """
    database = f"{name}_{_digest(made_from)}"
    if database not in server.databases() or not _is_brought_up(server, database):
        for former in server.databases():
            if former.startswith((f"{name}_", _HALF_MADE)):
                server.drop_database(former)
        began = time.monotonic()
        server.create_database(_HALF_MADE)
        migrate(server.url(_HALF_MADE))
        _point_to(server.url(_HALF_MADE))
        fill()
        db.forget()
        server.rename_database(_HALF_MADE, database)
        print(f"\n{name} was made in {time.monotonic() - began:.0f} s and is kept under .local/bench.")
    _point_to(server.url(database))
    try:
        yield server.url(database)
    finally:
        db.forget()


def _is_brought_up(server: DatabaseServer, database: str) -> bool:
    try:
        migrate(server.url(database))
    except MigrationFailed:
        return False
    with server.cursor(database) as cursor:
        cursor.execute("ANALYZE")
    return True


def _digest(modules: Sequence[ModuleType]) -> str:
    digest = hashlib.sha256()
    for module in modules:
        digest.update(inspect.getsource(module).encode())
    return digest.hexdigest()[:12]


def _point_to(url: str) -> None:
    os.environ["PF_DATABASE_URL"] = url
    db.forget()
    redis.forget()
    for group in config.Settings.known:
        group.forget()
