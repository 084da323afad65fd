"""The driver's shortcuts: fewer round trips, the same results, and no confusion after errors."""

import gc

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from shared.kit import db, driver
from shared.kit.db import engine, planned_once, read_only, sqlstate, transaction


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


@pytest.fixture
def parses(flushes, monkeypatch):
    """The statements that the server was told to parse, on a connection that has been told none before."""
    told = []
    whole = driver.Connection.send_PARSE

    def noted(connection, name, statement, oids):
        if statement not in ("commit", "rollback"):
            told.append(statement)
        whole(connection, name, statement, oids)

    db.forget()
    with engine().connect():
        pass
    flushes.clear()
    monkeypatch.setattr(driver.Connection, "send_PARSE", noted)
    return told


def test_a_statement_that_is_planned_once_is_parsed_once_and_costs_one_trip_each_time(parses, flushes):
    rows = planned_once(text("SELECT n, CAST(:word AS text) AS word FROM generate_series(1, CAST(:most AS int)) AS n"))
    none = planned_once(text("UPDATE outbox_sequences SET last_sequence = :n WHERE false"))

    for most, word in ((2, "a"), (0, "b"), (1, None)):
        with transaction() as session:
            assert session.execute(rows, {"most": most, "word": word}).all() == [(n + 1, word) for n in range(most)]
            assert session.execute(none, {"n": most}).rowcount == 0

    assert len(parses) == 2
    assert len(flushes) == 3 * 3  # two statements and the commit


def test_after_errors_it_is_parsed_again_only_if_it_was_never_well(parses):
    divided = planned_once(text("SELECT 12 / CAST(:by AS int)"))

    def divide(by):
        with transaction() as session:
            return session.scalar(divided, {"by": by})

    for by in (0, 3, 0, 4):
        if by:
            assert divide(by) == 12 // by
            continue
        with pytest.raises(DBAPIError) as failed:
            divide(by)
        assert sqlstate(failed.value) == "22012"

    assert len(parses) == 2


@pytest.mark.parametrize("change", ["ALTER TABLE probe ALTER a TYPE text", "DEALLOCATE ALL"])
def test_a_migration_under_a_kept_plan_is_not_noticed(parses, change):
    kept = planned_once(text("SELECT a FROM probe WHERE a IS NOT NULL AND :yes"))

    def ask():
        with transaction() as session:
            return session.scalar(kept, {"yes": True})

    with transaction() as session:
        session.execute(text("CREATE TABLE probe AS SELECT 7 AS a"))
    try:
        before = ask()
        with transaction() as session:
            session.execute(text(change))
        after = db.retrying(ask)
    finally:
        with transaction() as session:
            session.execute(text("DROP TABLE probe"))

    assert (before, str(after)) == (7, "7")
    assert len(parses) == 2
