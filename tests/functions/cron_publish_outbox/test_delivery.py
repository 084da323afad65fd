"""The function with real commits, through the official client to a Pub/Sub that keeps what it gets."""

import signal
import subprocess
import sys
import threading
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import functions_framework
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from functions.cron_publish_outbox.main import publish
from infra.local.paths import CHECKOUT
from shared.events.catalogue import CATALOGUE
from shared.events.orders import OrderNudged
from shared.kit.consumer import Consumer
from shared.kit.db import transaction
from shared.kit.ids import new_id
from shared.kit.publishing import Publisher, PublishingSettings
from tests.builders.outbox import a_nudge, a_ready_order, emitted, outbox_row, waiting
from tests.functions.cron_publish_outbox.conftest import PubSub
from tests.patience import PATIENCE_S
from tests.topics import RecordingTopics, Sent

pytestmark = pytest.mark.usefixtures("committed_database")


@pytest.fixture(autouse=True)
def _short_runs(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("PF_OUTBOX_WINDOW_S", "0.2")
    monkeypatch.setenv("PF_OUTBOX_POLL_MS", "20")
    PublishingSettings.forget()
    yield
    PublishingSettings.forget()


def ids_of(deliveries: list[dict[str, Any]]) -> list[UUID]:
    return [UUID(delivery["message"]["attributes"]["event_id"]) for delivery in deliveries]


def test_each_event_reaches_exactly_its_topics(pub_sub: PubSub):
    nudge, ready = emitted(a_nudge(), a_ready_order())

    counts = publish()

    assert counts == {"published": 2, "retried": 0, "dead": 0}
    assert ids_of(pub_sub.received("notifications")) == [nudge, ready]
    assert ids_of(pub_sub.received("dispatch")) == [ready]
    assert pub_sub.counts() == {"notifications": 2, "dispatch": 1}
    assert waiting() == []


def test_a_refusal_of_the_moment_is_overcome_by_the_client(pub_sub: PubSub):
    [event_id] = emitted(a_nudge())
    pub_sub.refuse_next(2)

    counts = publish()

    assert counts == {"published": 1, "retried": 0, "dead": 0}
    assert outbox_row(event_id).attempts == 1
    assert ids_of(pub_sub.received("notifications")) == [event_id]


def test_a_topic_that_does_not_exist_yet_is_tried_again_later(pub_sub: PubSub):
    pub_sub.clients.publisher.delete_topic(topic=pub_sub.clients.topic("dispatch"))
    ready, nudge = emitted(a_ready_order(), a_nudge())

    counts = publish()

    assert counts == {"published": 1, "retried": 1, "dead": 0}
    assert (outbox_row(ready).published_at, waiting()) == (None, [ready])
    assert str(outbox_row(ready).last_error).startswith("dispatch: NotFound: 404")
    assert outbox_row(nudge).attempts == 1


def test_two_publishers_at_once_publish_each_row_once_and_in_order():
    orders = [new_id() for _ in range(40)]
    rows = emitted(*(a_nudge(order_id) for _ in range(5) for order_id in orders))
    topics, together = RecordingTopics(), threading.Barrier(2)

    def empty_the_outbox() -> None:
        publisher = Publisher(topics, CATALOGUE, PublishingSettings(outbox_batch_size=7, outbox_window_s=0.2))
        together.wait()
        while waiting():
            publisher.run()

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(empty_the_outbox) for _ in range(2)]:
            done.result()

    assert waiting() == []
    assert Counter(topics.ids()) == Counter(rows)
    sequences: dict[UUID, list[int]] = defaultdict(list)
    for sent in topics.sent:
        sequences[sent.aggregate_id].append(sent.message["sequence"])
    assert sequences == {order_id: [1, 2, 3, 4, 5] for order_id in orders}


def test_killed_between_publishing_and_writing_it_down_it_publishes_again_and_the_consumer_does_it_once(
    pub_sub: PubSub, committed_database: str
):
    [event_id] = emitted(a_nudge())
    done: list[OrderNudged] = []
    consumer = Consumer("on_event_notify")

    @consumer.on(OrderNudged)
    def remind(_: Session, event: OrderNudged) -> None:
        done.append(event)

    victim = subprocess.run(
        [sys.executable, "-m", "tests.functions.cron_publish_outbox.dies_after_publishing", committed_database],
        check=False,
        cwd=CHECKOUT,
        capture_output=True,
        timeout=PATIENCE_S,
    )
    survived = (victim.returncode, outbox_row(event_id).attempts, waiting())
    publish()
    deliveries = pub_sub.received("notifications")
    answers = [consumer.deliver(delivery) for delivery in deliveries]

    assert survived == (-signal.SIGKILL, 0, [event_id])
    assert ids_of(deliveries) == [event_id, event_id]
    assert answers == [True, True]
    assert [event.order_id for event in done] == [outbox_row(event_id).aggregate_id]
    assert waiting() == []


def test_a_database_that_breaks_off_costs_a_repetition_and_no_event():
    [event_id, *_] = rows = emitted(a_nudge(), a_nudge())
    topics, broken = RecordingTopics(), []

    def break_off(sent: Sent) -> None:
        if not broken:
            broken.append(sent.event_id)
            with transaction() as session:
                session.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                        " AND state = 'idle in transaction'"
                    )
                )

    topics.refuses = break_off
    publisher, counts = Publisher(topics, CATALOGUE, PublishingSettings(outbox_window_s=0.5)), Counter[str]()
    while waiting():
        counts.update(publisher.run())

    assert broken == [event_id]
    assert counts == {"published": 2, "retried": 0, "dead": 0}
    assert Counter(topics.ids()) == Counter(dict.fromkeys(rows, 2))
    assert waiting() == []


def test_posted_to_under_the_framework_it_runs_and_answers_what_it_did(pub_sub: PubSub):
    emitted(a_nudge())
    source = CHECKOUT / "functions/cron_publish_outbox/main.py"
    served = functions_framework.create_app(target="main", source=str(source)).test_client()

    run = served.post("/")
    peek = served.get("/")

    assert (run.status_code, run.json) == (200, {"data": {"published": 1, "retried": 0, "dead": 0}})
    assert (peek.status_code, pub_sub.counts()) == (405, {"notifications": 1})
