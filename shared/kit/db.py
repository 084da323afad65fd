"""The warm database engine of this instance, and the two ways to use it: `transaction()` and `read_only()`.

Requests run under a statement timeout of 5 s and a lock timeout of 2 s, set when a connection is
made, so that they cost no round trip. Every statement is counted on the work in hand.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from pydantic import Field
from sqlalchemy import Connection, Engine, Executable, QueuePool, create_engine, event, make_url, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.orm import Session

from shared.kit import context
from shared.kit.config import Settings
from shared.kit.errors import DependencyDown
from shared.kit.logging import log, metric

Result = TypeVar("Result")
Statement = TypeVar("Statement", bound=Executable)

# PostgreSQL's error codes (appendix A of its manual).
SERIALIZATION_FAILURE = "40001"
DEADLOCK_DETECTED = "40P01"
LOCK_NOT_AVAILABLE = "55P03"
QUERY_CANCELED = "57014"
UNIQUE_VIOLATION = "23505"
# Of a statement that was planned once: a migration changed its result since, or the server has it no longer.
STALE_PLANS = frozenset({"0A000", "26000"})
_SERVER_GOING_DOWN = frozenset({"57P01", "57P02", "57P03"})

MAX_ATTEMPTS = 4


class DatabaseSettings(Settings):
    """Where the database is: a URL, or the name of a Cloud SQL instance with user and database.

    `database_pool_size` connections per instance at most; time limits in milliseconds.
    """

    database_url: str = ""
    cloud_sql_instance: str = ""
    database_user: str = ""
    database_name: str = ""
    database_pool_size: int = Field(default=4, gt=0)
    database_pool_wait_s: float = Field(default=5.0, gt=0)
    statement_timeout_ms: int = Field(default=5_000, ge=0)
    lock_timeout_ms: int = Field(default=2_000, ge=0)


_engine: Engine | None = None
_pinned: Connection | None = None


def engine() -> Engine:
    """The shared engine, made at first use."""
    global _engine
    if _engine is None:
        settings = DatabaseSettings.current()
        _engine = _cloud_sql_engine(settings) if settings.cloud_sql_instance else _url_engine(settings)
        event.listen(_engine, "connect", _adopt)
        event.listen(_engine, "before_cursor_execute", _count)
        event.listen(_engine, "before_cursor_execute", _keep_plan)
        event.listen(_engine, "checkout", _note_pool_use)
        event.listen(_engine, "handle_error", _mark_lost_connections)
    return _engine


def forget() -> None:
    """Close the warm engine. For tests, and after a fork."""
    global _engine
    if _engine is not None:
        _engine.dispose()
    _engine = None


def _startup_parameters(settings: DatabaseSettings) -> dict[str, str]:
    return {
        "statement_timeout": str(settings.statement_timeout_ms),
        "lock_timeout": str(settings.lock_timeout_ms),
        "timezone": "UTC",
        "jit": "off",
        # A request uses one core: starting workers costs more than they bring, and there are other requests.
        "max_parallel_workers_per_gather": "0",
    }


def _pool(settings: DatabaseSettings) -> dict[str, Any]:
    return {
        "pool_size": settings.database_pool_size,
        "max_overflow": 0,
        "pool_timeout": settings.database_pool_wait_s,
        "pool_recycle": 1_800,
    }


def _url_engine(settings: DatabaseSettings) -> Engine:
    return create_engine(
        make_url(settings.database_url),
        connect_args={"startup_params": _startup_parameters(settings)},
        **_pool(settings),
    )


def _cloud_sql_engine(settings: DatabaseSettings) -> Engine:
    from google.cloud.sql.connector import Connector, RefreshStrategy

    connector = Connector(refresh_strategy=RefreshStrategy.LAZY)

    def connect() -> Any:
        return connector.connect(
            settings.cloud_sql_instance,
            "pg8000",
            user=settings.database_user,
            db=settings.database_name,
            enable_iam_auth=True,
            startup_params=_startup_parameters(settings),
        )

    return create_engine("postgresql+pg8000://", creator=connect, **_pool(settings))


def _adopt(connection: Any, _: Any) -> None:
    from shared.kit import driver

    driver.adopt(connection)


def _count(_: Any, __: Any, statement: str, ___: Any, ____: Any, _____: bool) -> None:
    if not statement.startswith(("SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO")):
        context.work().sql_statements += 1


def planned_once(statement: Statement) -> Statement:
    """The statement, which each connection has the server parse and plan once instead of at each execution.

    For statements that are always the same text, are run often, and find their rows by keys: the plan that is
    kept does not know the values that it is for.
    """
    marked: Statement = statement.execution_options(planned_once=True)
    return marked


def _keep_plan(_: Any, cursor: Any, __: str, ___: Any, executed: Any, ____: bool) -> None:
    if executed.execution_options.get("planned_once"):
        cursor.keeps_plan = True


def _note_pool_use(*_: Any) -> None:
    """Nobody else with a connection is 0, the last connection taken is 1; an instance with one is always alone."""
    pool, this = engine().pool, context.work()
    if isinstance(pool, QueuePool) and pool.size() > 1:
        this.pool_use = max(this.pool_use, round((pool.checkedout() - 1) / (pool.size() - 1), 2))


def _mark_lost_connections(failure: ExceptionContext) -> None:
    """pg8000 reports an administrator's shutdown as an ordinary error; the pool must drop the connection."""
    if _code_of(failure.original_exception) in _SERVER_GOING_DOWN:
        failure.is_disconnect = True


def _code_of(error: BaseException | None) -> str | None:
    arguments = getattr(error, "args", ())
    first = arguments[0] if arguments else None
    return first.get("C") if isinstance(first, dict) else None


def sqlstate(error: DBAPIError) -> str | None:
    """PostgreSQL's five-character code of what went wrong, when it said one."""
    return _code_of(error.orig)


def violated_constraint(error: DBAPIError) -> str | None:
    """The name of the constraint that refused the statement, when one did."""
    arguments = getattr(error.orig, "args", ())
    first = arguments[0] if arguments else None
    return first.get("n") if isinstance(first, dict) else None


@contextmanager
def transaction() -> Iterator[Session]:
    """One transaction, committed at the end of the block and rolled back by any exception."""
    with _session() as session:
        yield session
        session.flush()
        # From here on a lost connection leaves unknown whether the commit happened: never run twice.
        context.work().commits += 1
        session.commit()


@contextmanager
def read_only() -> Iterator[Session]:
    """Reads without a transaction: each statement sees what is committed when it starts.

    It spares the round trips of BEGIN and ROLLBACK. Objects changed within the block are not saved.
    """
    with _session() as session:
        session.autoflush = False
        if _pinned is not None:
            with session.no_autoflush:
                yield session
            return
        driver = session.connection().connection.driver_connection
        assert driver is not None  # noqa: S101 - a pooled connection that was just checked out has one
        driver.autocommit = True
        try:
            yield session
        finally:
            driver.autocommit = False


def check_database() -> None:
    """Raise when the database does not answer."""
    with read_only() as session:
        session.execute(text("SELECT 1"))


@contextmanager
def _session() -> Iterator[Session]:
    bind = _pinned if _pinned is not None else engine()
    # Without an outer transaction the mode has no effect; within a test's, a commit releases a savepoint.
    session = Session(bind, expire_on_commit=False, join_transaction_mode="create_savepoint")
    try:
        yield session
    except PoolExhausted as error:
        metric("database_pool_exhausted")
        raise DependencyDown("The database is busy; try again shortly.") from error
    finally:
        session.close()


@contextmanager
def pinned_connection() -> Iterator[Connection]:
    """Run every transaction of this process as a savepoint on one connection, undone at the end. For tests.

    Within another such block, what was done before stays, and what is done in this one is undone.
    """
    global _pinned
    if _pinned is not None:
        within = _pinned.begin_nested()
        try:
            yield _pinned
        finally:
            within.rollback()
        return
    with engine().connect() as connection:
        outer = connection.begin()
        _pinned = connection
        try:
            yield connection
        finally:
            _pinned = None
            outer.rollback()


def retrying(unit: Callable[[], Result]) -> Result:
    """Run a unit of work, again when the database asks for it and nothing of it was committed.

    Serialization failures, deadlocks, plans that a migration made stale and connections lost before a commit are
    tried up to three times more with jitter; what is left becomes DependencyDown.
    """
    committed_before = context.work().commits
    for attempt in range(1, MAX_ATTEMPTS + 1):
        try:
            return unit()
        except DBAPIError as error:
            may_repeat = context.work().commits == committed_before and attempt < MAX_ATTEMPTS
            if not _is_transient(error):
                raise
            log.warning("database_retry", sqlstate=sqlstate(error), attempt=attempt, repeating=may_repeat)
            if not may_repeat:
                raise DependencyDown("The database is busy; try again shortly.") from error
            time.sleep(random.uniform(0.005, 0.03) * 2**attempt)  # noqa: S311 - jitter needs no secrecy
    raise AssertionError("unreachable: the last attempt returns or raises")


def _is_transient(error: DBAPIError) -> bool:
    busy = {SERIALIZATION_FAILURE, DEADLOCK_DETECTED, LOCK_NOT_AVAILABLE, QUERY_CANCELED, *STALE_PLANS}
    # pg8000 has no code for a server that cannot be reached.
    unreachable = isinstance(error, InterfaceError) and "create a connection" in str(error.orig)
    return error.connection_invalidated or unreachable or sqlstate(error) in busy | _SERVER_GOING_DOWN
