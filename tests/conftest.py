"""What every test can rely on: its own database, an empty Redis, a clock that it can stop."""

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from datetime import datetime
from typing import Any

import hypothesis
import pytest
from redis import Redis

from shared.kit import clock, db, health
from shared.kit import redis as kit_redis
from shared.operations import flags
from tests.cost import Cost, counting
from tests.emptying import empty
from tests.events import Events
from tests.logs import LogKeeper
from tests.metrics import MetricLines, Told
from tests.patience import PATIENCE_S
from tests.promises import hold_functions_to_their_manifests
from tests.servers import TestServers, ensure_packages
from tests.storage import object_storage  # noqa: F401 - a fixture of every test

_SERVERS = pytest.StashKey[TestServers]()
_METRIC_LINES = pytest.StashKey[MetricLines]()

# The same examples in every run, however long they take on this machine.
hypothesis.settings.register_profile(
    "suite",
    database=None,
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture, hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("suite")


def pytest_configure(config: pytest.Config) -> None:
    """Start this process's servers. In a parallel run the process that hands out the work has its own too:
    it outlives the workers, so it is the last to leave the cluster."""
    worker: dict[str, Any] | None = getattr(config, "workerinput", None)
    if worker is None:
        config.pluginmanager.register(LogKeeper())
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    hold_functions_to_their_manifests()
    health.LIMIT_S = PATIENCE_S
    config.stash[_METRIC_LINES] = MetricLines()
    try:
        ensure_packages()
        servers = TestServers(int(worker["workerid"].removeprefix("gw")) if worker else 0)
        config.stash[_SERVERS] = servers
        servers.start()
    except SystemExit as error:
        pytest.exit(str(error), returncode=2)


def pytest_unconfigure(config: pytest.Config) -> None:
    servers = config.stash.get(_SERVERS, None)
    if servers is not None:
        db.forget()
        kit_redis.forget()
        servers.stop()


_LONGEST = (
    "tests/journeys/",
    "tests/chaos/",
    "tests/shared/orders/test_market_walk.py",
    "tests/shared/orders/test_walk.py",
    "tests/functions/on_media_uploaded/test_memory.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that at the end no process of the run waits for another one's last test."""
    items.sort(key=lambda item: not item.nodeid.startswith(_LONGEST))


@pytest.fixture(scope="session")
def _test_redis() -> Iterator[Redis]:
    with Redis.from_url(kit_redis.RedisSettings.current().redis_url) as client:
        yield client


@pytest.fixture(autouse=True)
def _empty_redis(_test_redis: Redis) -> None:
    _test_redis.flushdb()


@pytest.fixture(autouse=True)
def _metrics_as_declared(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test logs a metric that infra/monitoring does not know, or would not hear."""
    wrong = request.config.stash[_METRIC_LINES].wrong
    wrong.clear()
    yield
    assert wrong == []


@pytest.fixture(autouse=True)
def _flags_unread() -> None:
    """No test believes what another one read of the feature flags."""
    flags.forget()


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[None]:
    """This worker's migrated database; what the test changes is undone after it.

    A test that asks for `committed_database` as well gets only that.
    """
    if "committed_database" in request.fixturenames:
        yield
        return
    _ = request.config.stash[_SERVERS].migrated
    with db.pinned_connection():
        yield


@pytest.fixture(scope="module")
def module_database(request: pytest.FixtureRequest) -> Iterator[None]:
    """For what all tests of a module begin with: each undoes its own changes only, and the last one leaves nothing."""
    _ = request.config.stash[_SERVERS].migrated
    with db.pinned_connection():
        yield


@pytest.fixture
def committed_database(request: pytest.FixtureRequest) -> Iterator[str]:
    """This worker's migrated database by its URL, with real commits; every table is emptied afterwards.

    For tests of what happens between transactions: races, retries, restarts.
    """
    servers = request.config.stash[_SERVERS]
    server = servers.migrated
    yield server.url(servers.database)
    with server.cursor(servers.database) as cursor:
        empty(cursor)


@pytest.fixture
def nobody_listening() -> Iterator[str]:
    """An address that refuses every connection: its port is taken, and nobody listens at it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def freeze() -> Iterator[Callable[[datetime], None]]:
    """Call it with an aware moment to stop the clock there; call it again to move it."""
    with ExitStack() as stack:
        yield lambda moment: stack.enter_context(clock.frozen_at(moment))


@pytest.fixture
def metrics() -> Iterator[Told]:
    """The metrics that the test's actions logged."""
    told = Told()
    yield told
    told.stop()


@pytest.fixture
def events() -> Events:
    """What the test's actions wrote to the outbox."""
    return Events()


@pytest.fixture
def statements() -> Callable[[], AbstractContextManager[Cost]]:
    """`with statements() as counted:` counts the SQL statements and Redis trips of the requests in the block."""
    return counting
