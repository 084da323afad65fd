"""The driver's shortcuts: fewer round trips, the same results, and no confusion after errors."""

import gc

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from shared.kit import db, driver
from shared.kit.db import engine, read_only, sqlstate, transaction


@pytest.fixture
def flushes(committed_database, monkeypatch):
    """How often bytes were sent to the server, by our connections."""
    sent = []
    whole = driver._flush

    def counted(sock):
        sent.append(1)
        whole(sock)

    with engine().connect():
        pass
    monkeypatch.setattr(driver, "_flush", counted)
    return sent


def test_a_statement_costs_one_trip_and_begin_none(flushes):
    with transaction() as session:
        session.execute(text("SELECT :a"), {"a": 1})
        session.execute(text("SELECT 2"))

    assert len(flushes) == 3  # two statements and the commit


def test_a_transaction_without_statements_costs_nothing(flushes):
    with transaction() as session:
        session.connection()

    assert len(flushes) == 0


def test_reads_cost_one_trip_each(flushes):
    with read_only() as session:
        assert session.scalar(text("SELECT :a + 1"), {"a": 41}) == 42
        assert session.scalar(text("SELECT 7")) == 7

    assert len(flushes) == 2


def test_an_error_is_told_and_the_next_transaction_is_not_confused(committed_database):
    with pytest.raises(DBAPIError) as failed, transaction() as session:
        session.execute(text("SELECT 1 / :zero"), {"zero": 0})
    assert sqlstate(failed.value) == "22012"

    with pytest.raises(DBAPIError) as failed, transaction() as session:
        session.execute(text("SELEKT :a"), {"a": 1})
    assert sqlstate(failed.value) == "42601"

    with transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM users WHERE first_name = :name"), {"name": "x"}) == 0


def test_statements_really_run_within_the_transaction(committed_database):
    def fail():
        with transaction() as session:
            session.execute(text("INSERT INTO outbox_sequences VALUES ('probe', gen_random_uuid(), 1)"))
            raise RuntimeError("undo")

    with pytest.raises(RuntimeError):
        fail()
    with read_only() as session:
        assert session.scalar(text("SELECT count(*) FROM outbox_sequences")) == 0

    with transaction() as session:
        session.execute(text("INSERT INTO outbox_sequences VALUES (:kind, gen_random_uuid(), 1)"), {"kind": "probe"})
    with read_only() as session:
        assert session.scalar(text("SELECT count(*) FROM outbox_sequences")) == 1


def test_a_connection_that_the_server_closed_is_replaced_without_the_caller_noticing(committed_database):
    db.forget()  # so that the pool holds no other connection than the one that is lost
    with transaction() as session:
        pid = session.scalar(text("SELECT pg_backend_pid()"))
    other = create_engine(committed_database)
    with other.connect() as connection:
        # With a time limit (in ms) it waits until the backend is gone.
        assert connection.scalar(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid}) is True
    other.dispose()

    def ask():
        with transaction() as session:
            return session.scalar(text("SELECT 1"))

    assert db.retrying(ask) == 1
    gc.collect()  # a socket left open would be told of here, and warnings are errors


def test_many_rows_and_long_statements_come_back_whole(committed_database):
    long = "x" * 300_000
    with read_only() as session:
        assert session.scalar(text("SELECT length(:long)"), {"long": long}) == 300_000
        assert len(session.execute(text("SELECT generate_series(1, 20000)")).all()) == 20_000


def test_a_statement_is_rewritten_once_and_means_the_same_each_time(committed_database, monkeypatch):
    rewritten = []
    whole = driver.dbapi.convert_paramstyle

    def counted(*arguments):
        rewritten.append(arguments[1])
        return whole(*arguments)

    monkeypatch.setattr(driver.dbapi, "convert_paramstyle", counted)
    statement = text("SELECT '100% not ' || CAST(:a AS text) || '$1''%' -- 50%\n || CAST(:b AS text) || :a")

    told = []
    for a, b in (("x", "y"), ("z", "%s")):
        with read_only() as session:
            told.append(session.scalar(statement, {"a": a, "b": b}))

    assert told == ["100% not x$1'%yx", "100% not z$1'%%sz"]
    assert len(rewritten) == 1


def test_a_cursor_says_when_it_comes_too_late(committed_database):
    connection = engine().raw_connection()
    bare = connection.driver_connection
    cursor = bare.cursor()
    cursor.execute("SELECT %s", ("here",))
    assert cursor.fetchone() == ["here"]
    bare.close()

    with pytest.raises(driver.dbapi.InterfaceError, match="connection is closed"):
        cursor.execute("SELECT %s", ("gone",))
    connection.invalidate()
