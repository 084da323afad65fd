"""Servers with durable settings, as in production, and a marketplace to measure on."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tests.settings
from infra.local import services
from infra.local.databases import DatabaseServer
from infra.migrate import migrate
from shared.kit import config, db, redis

__all__ = ["fresh_database", "servers"]


@contextmanager
def servers() -> Iterator[services.Servers]:
    """PostgreSQL that commits to disk, and Redis, for one benchmark run; the environment points to them."""
    os.environ.update(tests.settings.TEST_SETTINGS)
    with tempfile.TemporaryDirectory(prefix="packfinderz-bench-", dir="/var/tmp") as home:
        Path(home).chmod(0o755)
        with services.running(Path(home), durable=True, say=lambda _: None) as running:
            os.environ["PF_REDIS_URL"] = running.redis_url
            os.environ["PF_DATABASE_URL"] = running.database_url
            try:
                yield running
            finally:
                db.forget()
                redis.forget()


@contextmanager
def fresh_database(running: services.Servers, name: str) -> Iterator[str]:
    """A migrated database of this name on those servers; the settings point to it."""
    server = DatabaseServer(running.database_url)
    server.create_database(name)
    url = server.url(name)
    migrate(url)
    os.environ["PF_DATABASE_URL"] = url
    db.forget()
    redis.forget()
    for group in config.Settings.known:
        group.forget()
    try:
        yield url
    finally:
        db.forget()
        server.drop_database(name)
