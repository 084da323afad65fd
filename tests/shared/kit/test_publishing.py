"""What the publisher decides for each row, against a real database and topics that take notes."""

import json
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from shared.events.catalogue import CATALOGUE
from shared.events.orders import OrderNudged
from shared.kit import clock, stopping
from shared.kit.context import Work, working
from shared.kit.db import read_only, transaction
from shared.kit.dead_letters import DeadLetterKept
from shared.kit.ids import new_id
from shared.kit.publishing import Publisher, PublishingSettings, Unpublishable, queue
from tests.builders.outbox import (
    a_nudge,
    a_ready_order,
    damage,
    dead_letters,
    emitted,
    end_pause,
    outbox_row,
    waiting,
)
from tests.topics import RecordingTopics, Sent

MONDAY = datetime(2026, 7, 6, 15, 0, tzinfo=UTC)
Freeze = Callable[[datetime], None]


@pytest.fixture
def topics() -> RecordingTopics:
    return RecordingTopics()


@pytest.fixture
def publisher(topics: RecordingTopics) -> Publisher:
    return Publisher(topics, CATALOGUE, PublishingSettings())


@pytest.fixture
def patient_publisher(topics: RecordingTopics) -> Publisher:
    """Its pauses last longer than a test."""
    return Publisher(topics, CATALOGUE, PublishingSettings(outbox_backoff_s=600))


def refusing(*event_ids: UUID) -> Callable[[Sent], Exception | None]:
    """Topics that are down for these events."""
    return lambda sent: ConnectionError("the line is dead") if sent.event_id in event_ids else None


def _database_now() -> datetime:
    with read_only() as session:
        return session.execute(text("SELECT clock_timestamp()")).scalar_one()


def test_a_message_says_what_happened_to_what_and_who_asked(publisher, topics, freeze):
    freeze(MONDAY)
    event = a_nudge()
    this = Work(function="orders", request_id="request-0042", traceparent=f"00-{'a' * 32}-{'b' * 16}-01")
    with working(this):
        [event_id] = emitted(event)

    publisher.publish_batch()

    assert topics.sent == [
        Sent(
            topic="notifications",
            message={
                "event_id": str(event_id),
                "event_type": "order_nudged",
                "version": 1,
                "aggregate_type": "vendor_order",
                "aggregate_id": str(event.order_id),
                "sequence": 1,
                "occurred_at": "2026-07-06T15:00:00+00:00",
                "actor": "system",
                "request_id": "request-0042",
                "data": {
                    "order_id": str(event.order_id),
                    "order_number": event.order_number,
                    "buyer_store_id": str(event.buyer_store_id),
                    "vendor_store_id": str(event.vendor_store_id),
                },
            },
            attributes={
                "event_id": str(event_id),
                "event_type": "order_nudged",
                "version": "1",
                "aggregate_id": str(event.order_id),
                "request_id": "request-0042",
                "traceparent": f"00-{'a' * 32}-{'b' * 16}-01",
            },
        )
    ]
    row = outbox_row(event_id)
    assert (row.published_at, row.attempts, row.last_error, row.dead_at) == (MONDAY, 1, None, None)


def test_two_hundred_rows_take_two_statements_and_telling_of_the_dead_among_them_a_third(publisher, topics, events):
    emitted(*(a_nudge() for _ in range(200)))
    healthy = Work(function="test", request_id="healthy")
    with working(healthy):
        attempts = publisher.publish_batch()
    spoilt = emitted(*(a_nudge() for _ in range(200)))
    for event_id in spoilt[:50]:
        damage(event_id, event_type="'never_heard_of'")
    topics.refuses = refusing(*spoilt[50:100])
    mixed = Work(function="test", request_id="mixed")
    with working(mixed):
        outcomes = [str(attempt.outcome) for attempt in publisher.publish_batch()]

    assert (len(attempts), healthy.sql_statements) == (200, 2)
    assert (outcomes, mixed.sql_statements) == (["dead"] * 50 + ["retried"] * 50 + ["published"] * 100, 3)
    assert len(topics.sent) == 300
    [told] = [row.payload for row in events.rows() if row.event_type == DeadLetterKept.event_type()]
    assert (told["letter_about"], told["letters"]) == ("never_heard_of", 50)


def test_a_batch_is_as_large_as_the_setting_and_oldest_first(topics):
    ids = emitted(*(a_nudge() for _ in range(5)))
    publisher = Publisher(topics, CATALOGUE, PublishingSettings(outbox_batch_size=2))

    sizes = [len(publisher.publish_batch()) for _ in range(4)]

    assert sizes == [2, 2, 1, 0]
    assert topics.ids() == ids


def test_events_of_one_aggregate_go_one_batch_after_the_other(publisher, topics):
    order_id = new_id()
    first, second, other, third = emitted(a_nudge(order_id), a_nudge(order_id), a_nudge(), a_nudge(order_id))

    batches = [[attempt.row.id for attempt in publisher.publish_batch()] for _ in range(4)]

    assert batches == [[first, other], [second], [third], []]


def test_a_failing_event_holds_back_its_own_aggregate_and_nobody_else(patient_publisher, topics):
    publisher = patient_publisher
    order_id = new_id()
    first, second, other = emitted(a_nudge(order_id), a_nudge(order_id), a_nudge())
    topics.refuses = refusing(first)

    publisher.publish_batch()
    after_failure = (topics.ids(), waiting(), outbox_row(second).attempts)
    publisher.publish_batch()
    while_resting = (topics.ids(), outbox_row(first).attempts)
    topics.refuses = refusing()
    end_pause(first)
    publisher.publish_batch()
    publisher.publish_batch()

    assert after_failure == ([other], [first, second], 0)
    assert while_resting == ([other], 1)
    assert topics.ids() == [other, first, second]
    assert [outbox_row(event_id).attempts for event_id in (first, second)] == [2, 1]
    assert outbox_row(first).last_error == "notifications: ConnectionError: the line is dead"


def test_each_failure_doubles_the_pause_up_to_ten_minutes_and_the_tenth_is_the_end(publisher, topics, freeze):
    freeze(MONDAY)
    order_id = new_id()
    event_id, later = emitted(a_nudge(order_id), a_nudge(order_id))
    topics.refuses = refusing(event_id)
    pauses_s = []
    for _ in range(9):
        before = _database_now()
        [attempt] = publisher.publish_batch()
        rests_until = outbox_row(event_id).next_attempt_at
        assert before + attempt.pause < rests_until < _database_now() + attempt.pause
        pauses_s.append(attempt.pause.total_seconds())
        end_pause(event_id)
    alive = outbox_row(event_id).dead_at
    publisher.publish_batch()

    longest_s = [2, 4, 8, 16, 32, 64, 128, 256, 512]
    assert [most / 2 <= pause <= most for pause, most in zip(pauses_s, longest_s, strict=True)] == [True] * 9
    assert alive is None
    row = outbox_row(event_id)
    assert (row.attempts, row.dead_at, row.published_at) == (10, MONDAY, None)
    [dead] = dead_letters()
    assert (dead.event_id, dead.source, dead.subscription, dead.event_type, dead.attempts, dead.created_at) == (
        event_id,
        "outbox",
        "",
        "order_nudged",
        10,
        MONDAY,
    )
    assert dead.reason == "notifications: ConnectionError: the line is dead"
    assert (dead.message["event_id"], dead.message["sequence"]) == (str(event_id), 1)
    assert dead.message["data"]["order_id"] == str(order_id)
    publisher.publish_batch()
    assert topics.ids("order_nudged") == [later]


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(hours=-1)], ids=["ahead", "back"])
def test_a_publisher_whose_clock_jumps_neither_ends_a_pause_nor_lengthens_it(patient_publisher, topics, freeze, jump):
    [event_id] = emitted(a_nudge())
    topics.refuses = refusing(event_id)
    patient_publisher.publish_batch()

    freeze(clock.now() + jump)
    while_resting = patient_publisher.publish_batch()
    end_pause(event_id)
    before = _database_now()
    [attempt] = patient_publisher.publish_batch()

    assert while_resting == []
    assert before + attempt.pause < outbox_row(event_id).next_attempt_at < _database_now() + attempt.pause


def test_a_pause_that_the_databases_own_clock_made_longer_than_any_is_over(publisher, topics):
    too_long, longest = emitted(a_nudge(), a_nudge())
    for event_id, pause in ((too_long, "1 hour"), (longest, "10 minutes")):
        damage(event_id, attempts="1", next_attempt_at=f"clock_timestamp() + interval '{pause}'")

    publisher.publish_batch()

    assert topics.ids() == [too_long]


@pytest.mark.parametrize(
    ("damages", "reason"),
    [
        ({"event_type": "'never_heard_of'"}, "the catalogue has no such event"),
        ({"version": "3"}, "version 3 is not in the catalogue"),
        ({"payload": """'{"order_id": 7}'"""}, None),
    ],
)
def test_what_no_attempt_can_mend_is_dead_at_once(publisher, topics, freeze, damages, reason):
    freeze(MONDAY)
    event_id, healthy = emitted(a_nudge(), a_nudge())
    damage(event_id, **damages)

    publisher.publish_batch()

    expected = reason or "the payload does not fit: order_id, order_number, buyer_store_id, vendor_store_id"
    row = outbox_row(event_id)
    assert (row.dead_at, row.published_at, row.attempts, row.last_error) == (MONDAY, None, 1, expected)
    assert [(dead.event_id, dead.source, dead.attempts, dead.reason) for dead in dead_letters()] == [
        (event_id, "outbox", 1, expected)
    ]
    assert topics.ids() == [healthy]
    told = [attempt.row.data for attempt in publisher.publish_batch()]
    [letter] = dead_letters()
    about = outbox_row(event_id).event_type
    expected = {
        "letter_id": str(letter.id),
        "letter_about": about,
        "given_up_by": "outbox",
        "attempts": 1,
        "letters": 1,
    }
    assert told == [expected]
    assert publisher.publish_batch() == []


def test_an_announcement_of_a_dead_letter_that_dies_too_is_kept_and_not_announced(publisher, topics):
    [event_id] = emitted(a_nudge())
    damage(event_id, version="9")
    publisher.publish_batch()
    [announcement] = waiting()
    damage(announcement, version="9")

    publisher.publish_batch()

    assert [letter.event_id for letter in dead_letters()] == [event_id, announcement]
    assert (waiting(), topics.sent) == ([], [])


def test_an_event_of_the_previous_version_goes_out_as_it_was_written(publisher, topics, monkeypatch):
    [event_id] = emitted(a_nudge())
    damage(event_id, payload="payload - 'order_number' || jsonb_build_object('number', 7)")
    monkeypatch.setattr(OrderNudged, "version", 2)

    def upgraded(_: type[OrderNudged], previous: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in previous.items() if name != "number"} | {
            "order_number": previous["number"]
        }

    monkeypatch.setattr(OrderNudged, "upgraded", classmethod(upgraded))

    publisher.publish_batch()

    [sent] = topics.sent
    assert (sent.message["version"], sent.message["data"]["number"]) == (1, 7)
    assert "order_number" not in sent.message["data"]


def test_a_message_that_the_service_takes_from_nobody_is_dead_at_once(publisher, topics):
    def refuse(_: Sent) -> None:
        raise Unpublishable("the message is larger than Pub/Sub takes")

    [event_id] = emitted(a_nudge())
    topics.refuses = refuse

    publisher.publish_batch()

    assert outbox_row(event_id).dead_at is not None
    assert [dead.reason for dead in dead_letters()] == ["the message is larger than Pub/Sub takes"]


def test_an_event_is_published_only_when_every_topic_has_it(publisher, topics, freeze):
    freeze(MONDAY)
    [event_id] = emitted(a_ready_order())
    topics.refuses = lambda sent: ConnectionError("down") if sent.topic == "dispatch" else None

    publisher.publish_batch()
    halfway = outbox_row(event_id)
    topics.refuses = refusing()
    end_pause(event_id)
    publisher.publish_batch()

    assert (halfway.published_at, halfway.last_error) == (None, "dispatch: ConnectionError: down")
    assert [sent.topic for sent in topics.sent] == ["notifications", "dispatch", "notifications"]
    assert outbox_row(event_id).published_at == MONDAY


def test_a_topic_that_never_answers_is_a_failure_to_try_again(topics):
    [event_id] = emitted(a_nudge())
    topics.send = lambda *_: Future()
    publisher = Publisher(topics, CATALOGUE, PublishingSettings(outbox_acknowledge_s=0.05))

    publisher.publish_batch()

    row = outbox_row(event_id)
    assert (row.published_at, row.attempts, row.last_error) == (None, 1, "notifications: no answer in time")


def test_a_replayed_event_that_fails_again_is_one_dead_letter_and_open_again(publisher):
    [event_id] = emitted(a_nudge())
    damage(event_id, event_type="'never_heard_of'")
    publisher.publish_batch()
    [first] = dead_letters()
    damage(event_id, dead_at="NULL", attempts="0", version="9", event_type="'order_nudged'")
    with transaction() as session:
        session.execute(text("UPDATE outbox_dlq SET replayed_at = now()"))

    publisher.publish_batch()

    [again] = dead_letters()
    assert (again.id, again.replayed_at) == (first.id, None)
    assert (first.reason, again.reason) == ("the catalogue has no such event", "version 9 is not in the catalogue")


def test_every_attempt_is_one_line_of_the_log(publisher, topics, capsys):
    good, bad = emitted(a_ready_order(), a_nudge())
    topics.refuses = refusing(bad)
    capsys.readouterr()

    publisher.publish_batch()

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    told = [(line["event_id"], line["event_type"], line["topic"], line["outcome"], line["attempt"]) for line in lines]
    assert told == [
        (str(good), "order_ready_for_dispatch", ["dispatch", "notifications"], "published", 1),
        (str(bad), "order_nudged", ["notifications"], "retried", 1),
    ]
    assert [line["duration_ms"] >= 0 for line in lines] == [True, True]
    assert lines[1]["failure"] == "notifications: ConnectionError: the line is dead"


def test_a_run_begins_where_the_oldest_event_waits_and_finds_what_commits_late(topics):
    publisher, next_one = (Publisher(topics, CATALOGUE, PublishingSettings()) for _ in range(2))
    [resting] = emitted(a_nudge())
    damage(resting, attempts="1", created_at=ago("1 hour"), next_attempt_at=ago("-5 minutes"))
    publisher.begin()
    _, late, too_late = emitted(a_nudge(), a_nudge())
    damage(late, created_at=ago("1 hour 10 seconds"))
    damage(too_late, created_at=ago("2 hours"))

    publisher.publish_batch()
    end_pause(resting)
    publisher.publish_batch()
    this_run = topics.ids()
    next_one.begin()
    next_one.publish_batch()

    assert this_run == [late, resting]
    assert topics.ids() == [late, resting, too_late]


def test_where_the_oldest_event_waits_moves_on_as_events_are_published(publisher, topics, monkeypatch):
    monkeypatch.setattr(queue, "_LOOK_BACK_EVERY_S", -1)
    [first] = emitted(a_nudge())
    damage(first, created_at=ago("1 hour"))
    publisher.begin()
    publisher.publish_batch()
    publisher.publish_batch()

    late, too_late = emitted(a_nudge(), a_nudge())
    damage(late, created_at="clock_timestamp()")
    damage(too_late, created_at=ago("30 minutes"))
    publisher.publish_batch()

    assert topics.ids() == [first, late]


def test_under_load_what_lies_behind_a_full_batch_is_found_after_it(topics):
    publisher = Publisher(topics, CATALOGUE, PublishingSettings(outbox_batch_size=2))
    resting, *others = emitted(*(a_nudge() for _ in range(5)))
    damage(resting, attempts="1", created_at=ago("1 hour"), next_attempt_at=ago("-5 minutes"))
    publisher.begin()

    publisher.publish_batch()
    end_pause(resting)
    under_load = [len(publisher.publish_batch()), len(publisher.publish_batch())]
    publisher.publish_batch()

    assert under_load == [2, 0]
    assert topics.ids() == [*others, resting]


def ago(interval: str) -> str:
    return f"clock_timestamp() - interval '{interval}'"


def test_a_run_takes_what_comes_meanwhile_and_ends_when_it_is_asked_to(topics, monkeypatch):
    early = emitted(a_nudge())
    late: list[UUID] = []
    publisher = Publisher(topics, CATALOGUE, PublishingSettings(outbox_window_s=600, outbox_poll_ms=20))
    monkeypatch.setattr(stopping, "is_asked", lambda: len(topics.sent) == 2)

    def write_another(_: Sent) -> None:
        if not late:
            late.extend(set(emitted(a_nudge())) - set(early))

    topics.refuses = write_another

    counts = publisher.run()

    assert counts == {"published": 2, "retried": 0, "dead": 0}
    assert topics.ids() == early + late
