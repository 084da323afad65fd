"""PostgreSQL and Redis for the local stack: the servers that the environment names, or private ones."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.local import packages
from infra.local.packages import Say
from infra.local.postgres import PostgresCluster
from infra.local.redis_server import RedisServer

DATABASE = "packfinderz"


@dataclass(frozen=True)
class Servers:
    """Where the running servers are, as PF_DATABASE_URL and PF_REDIS_URL."""

    database_url: str
    redis_url: str


@contextmanager
def running(home: Path, *, durable: bool = True, say: Say = print) -> Iterator[Servers]:
    """PostgreSQL (with the database `packfinderz`) and Redis, kept under `home` and stopped after the block.

    A server named by PF_DATABASE_URL or PF_REDIS_URL is taken as it is. What is missing of the
    system's packages is installed first. Raises PackagesMissing, InstallationFailed, ServerFailed.
    """
    database_url = os.environ.get("PF_DATABASE_URL", "")
    redis_url = os.environ.get("PF_REDIS_URL", "")
    packages.ensure(postgres=not database_url, redis=not redis_url, say=say)
    with ExitStack() as stack:
        yield Servers(
            database_url or _start_postgres(stack, home / "postgres", durable, say),
            redis_url or _start_redis(stack, home / "redis", durable, say),
        )


def _start_postgres(stack: ExitStack, home: Path, durable: bool, say: Say) -> str:
    began = time.monotonic()
    cluster = PostgresCluster(home, durable=durable, say=say)
    stack.callback(cluster.stop)  # before it starts: whoever breaks off a start leaves nothing behind
    cluster.start()
    if DATABASE not in cluster.server.databases():
        cluster.create_database(DATABASE)
    say(f"PostgreSQL listens on 127.0.0.1:{cluster.port} ({time.monotonic() - began:.1f} s).")
    return cluster.url(DATABASE)


def _start_redis(stack: ExitStack, home: Path, durable: bool, say: Say) -> str:
    began = time.monotonic()
    server = RedisServer(home, durable=durable)
    stack.callback(server.stop)
    server.start()
    say(f"Redis listens on 127.0.0.1:{server.port} ({time.monotonic() - began:.1f} s).")
    return server.url
