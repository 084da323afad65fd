"""The promises of the fixtures themselves. Each test runs twice: the second time sees what the first left."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import create_engine, text

from shared.kit import clock, redis
from shared.kit.db import transaction
from shared.kit.outbox import OutboxSequence

twice = pytest.mark.parametrize("time", ["first", "second"])
AN_ID = UUID("018f0000-0000-7000-8000-000000000001")


def _count() -> int:
    with transaction() as session:
        return session.query(OutboxSequence).count()


def _count_and_add() -> int:
    count = _count()
    with transaction() as session:
        session.add(OutboxSequence(aggregate_type="jar", aggregate_id=AN_ID, last_sequence=1))
    return count


def _seen_from_outside(url: str) -> object:
    engine = create_engine(url)
    with engine.connect() as connection:
        count = connection.scalar(text("SELECT count(*) FROM outbox_sequences"))
    engine.dispose()
    return count


@twice
def test_what_a_test_changes_is_undone(database: None, time: str) -> None:
    assert _count_and_add() == 0
    assert _count() == 1


@twice
def test_committed_changes_are_seen_by_others_and_emptied_after(committed_database: str, time: str) -> None:
    assert _count_and_add() == 0
    assert _seen_from_outside(committed_database) == 1


@twice
def test_asking_for_both_is_asking_for_commits(database: None, committed_database: str, time: str) -> None:
    assert _count_and_add() == 0
    assert _seen_from_outside(committed_database) == 1


def test_emptying_keeps_what_the_ground_needs(committed_database: str) -> None:
    with transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM alembic_version")) == 1
        assert session.scalar(text("SELECT count(*) > 1000 FROM spatial_ref_sys")) is True


@twice
def test_redis_is_empty_before_each_test(time: str) -> None:
    assert redis.client().dbsize() == 0

    redis.client().set("jars", 7)


def test_the_clock_stands_where_it_is_put_and_can_be_moved(freeze: Callable[[datetime], None]) -> None:
    freeze(datetime(2026, 4, 20, 16, 20, tzinfo=UTC))
    assert clock.now() == datetime(2026, 4, 20, 16, 20, tzinfo=UTC)

    freeze(datetime(2026, 4, 21, tzinfo=UTC))

    assert clock.now() == datetime(2026, 4, 21, tzinfo=UTC)
