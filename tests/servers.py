"""The servers of one test process: its database's address and its own Redis, known before any test is read.

The cluster and Redis start with the process; the database itself is made when a test first asks for it.
"""

import hashlib
import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from infra.local import packages
from infra.local.databases import DatabaseServer
from infra.local.paths import CHECKOUT, LOCAL
from infra.local.processes import locked
from infra.local.redis_server import RedisServer
from infra.migrate import migrate
from tests import settings
from tests.cluster import SharedCluster


def ensure_packages() -> None:
    """Install what the private servers need. Raises PackagesMissing, InstallationFailed."""
    packages.ensure(postgres=not settings.NAMED_DATABASE_URL, redis=not settings.NAMED_REDIS_URL)


@dataclass
class TestServers:
    """What one process of the run uses; `worker` is its number among them, from 0."""

    __test__ = False

    worker: int
    _cluster: SharedCluster | None = None
    _redis: RedisServer | None = None
    _server: DatabaseServer = field(init=False)

    @property
    def database(self) -> str:
        return f"test_{os.getpid()}_{self.worker}"

    def start(self) -> None:
        """Start or join the servers and put their addresses into the environment."""
        os.environ["PF_DATABASE_URL"] = self._start_postgres()
        os.environ["PF_REDIS_URL"] = self._start_redis()

    def stop(self) -> None:
        """Drop the database, leave the cluster, end Redis. Safe to call twice."""
        if "migrated" in self.__dict__:
            self._server.drop_database(self.database)
            del self.__dict__["migrated"]
        if self._cluster is not None:
            self._cluster.leave()
            self._cluster = None
        if self._redis is not None:
            self._redis.forget()
            self._redis = None

    @cached_property
    def migrated(self) -> DatabaseServer:
        """The server, once this process's database exists on it with every migration."""
        self._server.create_database(self.database, template=template(self._server))
        return self._server

    def _start_postgres(self) -> str:
        if settings.NAMED_DATABASE_URL:
            self._server = DatabaseServer(settings.NAMED_DATABASE_URL)
        else:
            self._cluster = SharedCluster(LOCAL / "test-postgres")
            self._server = self._cluster.join()
        return self._server.url(self.database)

    def _start_redis(self) -> str:
        if settings.NAMED_REDIS_URL:
            return settings.NAMED_REDIS_URL.rpartition("/")[0] + f"/{self.worker}"
        self._redis = RedisServer(LOCAL / "test-redis" / str(os.getpid()), durable=False)
        self._redis.start()
        return self._redis.url


def template(server: DatabaseServer) -> str:
    """The name of a database with every migration, made once for each state of the migrations."""
    name = f"template_{_digest(CHECKOUT / 'migrations')}"
    with locked(LOCAL / "test-template.lock"):
        existing = server.databases()
        if name not in existing:
            for old in (old for old in existing if old.startswith(("template_", "building_"))):
                server.drop_database(old)
            unfinished = name.replace("template_", "building_")
            server.create_database(unfinished)
            migrate(server.url(unfinished))
            server.rename_database(unfinished, to=name)
    return name


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*.py")) + sorted(folder.rglob("*.sql")):
        digest.update(str(file.relative_to(folder)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
