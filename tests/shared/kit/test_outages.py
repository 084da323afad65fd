"""What callers hear when the database or Redis is away: a clear answer, and nothing left behind."""

import pytest
from redis.exceptions import ConnectionError as Unreachable
from redis.exceptions import TimeoutError as TooSlow
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.identity.callers import anyone, signed_in
from shared.kit import db, redis
from shared.kit.context import Work, working
from shared.kit.db import DatabaseSettings, read_only, sqlstate, transaction
from shared.kit.errors import DependencyDown
from shared.kit.http import Api
from shared.kit.idempotency import DAY_1
from shared.kit.outbox import OutboxSequence
from tests.api import Client
from tests.builders.stores import a_user

api = Api("outages", prefix="/api/v1/outages")


@api.get("", allow=signed_in())
def look(_caller) -> str:
    """Reads nothing."""
    return "seen"


@api.post("", allow=anyone(), idempotent=DAY_1)
def write() -> int:
    """Writes one row."""
    with transaction() as session:
        session.add(OutboxSequence(aggregate_type="probe", aggregate_id=a_user().id, last_sequence=1))
    return 1


@pytest.fixture
def client() -> Client:
    return Client.of(api.entry_point(), "/api/v1/outages")


@pytest.mark.parametrize("error", [Unreachable, TooSlow])
def test_without_redis_nobody_enters_and_nothing_is_written(client, monkeypatch, error):
    signed = client.as_user(a_user())

    def down():
        raise error

    monkeypatch.setattr(redis, "client", down)
    read, written = signed.get(""), client.post("")

    for reply in (read, written):
        assert (reply.status, reply.error.code, reply.headers["Retry-After"]) == (503, "DEPENDENCY_ERROR", "2")
    with read_only() as session:
        assert session.scalar(text("SELECT count(*) FROM outbox_sequences WHERE aggregate_type = 'probe'")) == 0


def test_a_dependency_that_is_down_shows_on_the_readiness_route(client, monkeypatch):
    def down():
        raise Unreachable

    monkeypatch.setattr(redis, "client", down)
    reply = client.get("/health/ready")

    assert (reply.status, reply.data) == (
        503,
        {"status": "down", "dependencies": {"database": "ok", "redis": "down"}},
    )
    assert client.get("/health/live").status == 200


@pytest.fixture
def no_database(committed_database, monkeypatch):
    db.forget()
    monkeypatch.setenv("PF_DATABASE_URL", "postgresql+pg8000://nobody@127.0.0.1:9/none")
    DatabaseSettings.forget()
    yield
    db.forget()
    monkeypatch.undo()
    DatabaseSettings.forget()


def test_without_a_database_the_answer_is_503_and_a_key_can_be_used_again(client, no_database):
    first, second = client.post("", key="once"), client.post("", key="once")

    for reply in (first, second):
        assert (reply.status, reply.error.code) == (503, "DEPENDENCY_ERROR")
        assert "Idempotency-Replayed" not in reply.headers


def raising(code: str, *, times: int):
    """A unit of work that the database refuses with `code` a few times."""
    left = iter(range(times))

    def unit() -> str:
        with transaction() as session:
            if next(left, None) is not None:
                session.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'rival' USING ERRCODE = '{code}'; END $$"))
        return "done"

    return unit


@pytest.mark.parametrize("code", [db.SERIALIZATION_FAILURE, db.DEADLOCK_DETECTED, db.LOCK_NOT_AVAILABLE])
def test_what_the_database_asks_to_repeat_is_repeated_three_times_and_no_more(code):
    assert db.retrying(raising(code, times=3)) == "done"
    with pytest.raises(DependencyDown):
        db.retrying(raising(code, times=4))


def test_what_repeating_cannot_mend_is_not_repeated():
    with pytest.raises(DBAPIError) as failed:
        db.retrying(raising("22012", times=1))
    assert sqlstate(failed.value) == "22012"


def test_nothing_is_repeated_after_a_commit():
    runs = []

    def unit():
        runs.append(1)
        with transaction() as session:
            session.execute(text("SELECT 1"))
        with transaction() as session:
            session.execute(text("DO $$ BEGIN RAISE EXCEPTION 'rival' USING ERRCODE = '40001'; END $$"))

    with working(Work(function="probe", request_id="request-1")), pytest.raises(DependencyDown):
        db.retrying(unit)

    assert len(runs) == 1
