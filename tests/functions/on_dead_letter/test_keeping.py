"""What Pub/Sub gives up on is kept once, whatever is in it."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from sqlalchemy import text

from shared.kit import logging
from shared.kit.db import read_only, transaction
from shared.kit.dead_letters import DeadLetterKept
from shared.operations.replay import replay
from tests.builders.dead_letters import a_message, a_published_event, event_in, forwarded
from tests.builders.outbox import dead_letters, waiting
from tests.security.leaks import find_leaks


@pytest.fixture
def consumer():
    # Imported here, because a function reads its settings when it is imported, and the servers come first.
    from functions.on_dead_letter.main import main

    return main.consumer


def test_a_letter_says_which_message_who_failed_how_often_and_why(consumer):
    event_id = a_published_event()
    message = a_message(event_id)

    acknowledged = consumer.deliver(forwarded(message, "on_event_notify", deliveries=10))

    (letter,) = dead_letters()
    assert acknowledged
    assert (letter.event_id, letter.event_type, letter.source) == (event_id, "order_nudged", "consumer")
    assert (letter.subscription, letter.attempts) == ("on_event_notify", 10)
    assert letter.reason == "on_event_notify failed on it 10 times"
    assert (letter.message["messageId"], event_in(letter.message)) == (message["messageId"], event_in(message))


def test_a_message_that_comes_twice_is_kept_once(consumer, statements):
    delivery = forwarded(a_message(a_published_event()))

    with statements() as counted:
        acknowledged = [consumer.deliver(delivery), consumer.deliver(delivery)]

    assert acknowledged == [True, True]
    assert len(dead_letters()) == 1
    assert (counted.requests, counted.sql) == (2, 3)


def test_each_consumer_of_an_event_has_its_own_letter(consumer):
    message = a_message(a_published_event())

    consumer.deliver(forwarded(message, "on_event_notify"))
    consumer.deliver(forwarded(message, "on_event_analytics"))

    assert [letter.subscription for letter in dead_letters()] == ["on_event_notify", "on_event_analytics"]


def test_what_is_no_event_is_kept_too_and_once(consumer):
    delivery = forwarded({"data": "bm90IEpTT04=", "messageId": "4711"}, deliveries=5)

    acknowledged = [consumer.deliver(delivery), consumer.deliver(delivery)]

    (letter,) = dead_letters()
    assert acknowledged == [True, True]
    assert (letter.event_id, letter.event_type, letter.attempts) == (None, None, 5)
    assert letter.message["data"] == "bm90IEpTT04="


def test_a_message_that_says_nothing_of_its_way_is_kept_as_well(consumer):
    assert consumer.deliver({"message": {"messageId": "4712"}, "subscription": "on_dead_letter"})

    (letter,) = dead_letters()
    assert (letter.subscription, letter.attempts) == ("unknown", 1)


def test_without_its_table_the_message_comes_again(consumer, monkeypatch):
    from shared.operations import dead_letter_topic

    def fail(*_, **__):
        raise ConnectionError

    monkeypatch.setattr(dead_letter_topic, "bury", fail)

    assert not consumer.deliver(forwarded(a_message(a_published_event())))
    assert dead_letters() == []


def test_operators_are_told_of_a_letter_once_and_again_only_when_its_replay_fails(consumer, events):
    message = a_message(a_published_event())
    again = a_message(UUID(message["attributes"]["event_id"]))

    for _ in range(3):
        consumer.deliver(forwarded(message))
    (letter,) = dead_letters()
    told = events.emitted(DeadLetterKept)
    with transaction() as session:
        replay(session, letter.id)
    consumer.deliver(forwarded(message))
    consumer.deliver(forwarded(again, deliveries=12))

    announcement = DeadLetterKept(
        letter_id=letter.id, letter_about="order_nudged", given_up_by="on_event_notify", attempts=10
    )
    assert told == [announcement]
    assert events.emitted(DeadLetterKept) == [announcement, announcement.model_copy(update={"attempts": 12})]


def test_operators_are_told_of_a_kind_once_an_hour_and_of_how_many_there_were(consumer, events):
    def told() -> list[tuple[str, int]]:
        return [(event.given_up_by, event.letters) for event in events.emitted(DeadLetterKept)]

    for by in ("on_event_notify", "on_event_notify", "on_order_ready", "on_event_notify"):
        consumer.deliver(forwarded(a_message(a_published_event()), by))
    at_once = told()
    an_announcement_ages("59 minutes")
    consumer.deliver(forwarded(a_message(a_published_event())))
    within_the_hour = told()
    an_announcement_ages("2 minutes")
    for _ in range(2):
        consumer.deliver(forwarded(a_message(a_published_event())))

    assert at_once == within_the_hour == [("on_event_notify", 1), ("on_order_ready", 1)]
    assert told() == [*at_once, ("on_event_notify", 4)]
    assert len(dead_letters()) == 7


def test_an_announcement_from_before_the_databases_clock_was_set_back_holds_up_none(consumer, events):
    consumer.deliver(forwarded(a_message(a_published_event())))
    an_announcement_ages("-1 hour")

    consumer.deliver(forwarded(a_message(a_published_event())))

    assert [event.letters for event in events.emitted(DeadLetterKept)] == [1, 1]


@pytest.mark.usefixtures("committed_database")
def test_letters_that_are_opened_at_once_are_announced_once(consumer, events):
    deliveries = [forwarded(a_message(a_published_event())) for _ in range(8)]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(consumer.deliver, deliveries)) == [True] * 8

    assert len(events.emitted(DeadLetterKept)) == 1
    with read_only() as session:
        assert session.execute(text("SELECT announced, waiting FROM dead_letter_kinds")).all() == [(1, 7)]


def an_announcement_ages(by: str) -> None:
    with transaction() as session:
        age = text("UPDATE dead_letter_kinds SET announced_at = announced_at - CAST(:by AS interval)")
        session.execute(age, {"by": by})


def test_nothing_that_a_stranger_wrote_is_told(consumer, events):
    attributes = {"event_type": "Rosa <rosa@example.com>", "event_id": "Rosa"}
    lines: list[str] = []
    stop = logging.listen(lines.append)

    consumer.deliver(forwarded({"data": "", "messageId": "4713", "attributes": attributes}, "rosa@example.com"))
    stop()

    assert len(lines) >= 2
    assert list(find_leaks(lines)) == []
    (letter,) = dead_letters()
    assert events.emitted() == [
        DeadLetterKept(
            letter_id=letter.id, letter_about="unknown_message", given_up_by="unknown_subscription", attempts=10
        )
    ]


def test_a_letter_about_an_announcement_is_kept_and_not_announced(consumer, events):
    consumer.deliver(forwarded(a_message(a_published_event())))
    (announcement,) = waiting()

    consumer.deliver(forwarded(a_message(announcement)))

    assert [letter.event_type for letter in dead_letters()] == ["order_nudged", "dead_letter_kept"]
    assert waiting() == [announcement]
