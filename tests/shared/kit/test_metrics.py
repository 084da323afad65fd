"""What the kit measures: requests, refusals, deliveries, publishing, jobs, and the database's connections."""

import base64
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from flask import Request as FlaskRequest
from werkzeug.test import EnvironBuilder

from shared.events.catalogue import CATALOGUE
from shared.events.orders import OrderNudged
from shared.identity.callers import UserCaller, anyone, signed_in
from shared.kit import db, startup
from shared.kit.consumer import Consumer
from shared.kit.context import Work, working
from shared.kit.db import DatabaseSettings, read_only
from shared.kit.errors import DependencyDown, Unauthorized
from shared.kit.http import Api
from shared.kit.jobs import Job
from shared.kit.limits import Limit, per_address
from shared.kit.object_trigger import ObjectTrigger
from shared.kit.publishing import Publisher, PublishingSettings
from shared.kit.publishing.backlog import tell_backlog
from tests.api import Client
from tests.builders.outbox import a_nudge, damage, emitted
from tests.builders.stores import a_user
from tests.patience import PATIENCE_S
from tests.topics import RecordingTopics

pytestmark = pytest.mark.usefixtures("database")

MONDAY = datetime(2026, 7, 6, 15, 0, tzinfo=UTC)
PREFIX = "/api/v1/measured"
api = Api("measured", prefix=PREFIX)


class WrongWord(Unauthorized):
    reason = "word"


@api.get("/seldom/<uuid:thing_id>", allow=anyone(), limit=Limit("seldom", "2/minute", per_address))
def seldom(thing_id) -> str:
    """Answers twice in a minute."""
    return "seen"


@api.get("/mine", allow=signed_in())
def mine(_: UserCaller) -> str:
    """Answers those who are signed in."""
    return "yours"


@api.get("/word", allow=anyone())
def word() -> str:
    """Refuses everybody."""
    raise WrongWord


@pytest.fixture
def client() -> Client:
    return Client.of(api.entry_point(), PREFIX)


def test_a_request_is_measured_by_its_route_and_status_and_never_by_what_it_asks_for(client, metrics):
    for last in "123":
        client.get(f"/seldom/0198000{last}-0000-7000-8000-000000000001")

    route = f"{PREFIX}/seldom/<uuid:thing_id>"
    told = [{"method": "GET", "route": route, "status": status} for status in (200, 200, 429)]
    assert metrics.of("request") == told
    assert metrics.of("rate_limited") == [{"limit": "seldom", "value": 1}]


def test_who_is_not_proved_is_counted_by_the_proof_that_failed(client, metrics):
    client.get("/mine")
    client.with_token("never.signed.this").get("/mine")
    client.get("/word")
    client.as_user(a_user()).get("/mine")

    assert metrics.of("auth_failed") == [{"cause": cause, "value": 1} for cause in ("token", "token", "word")]


def test_a_delivery_is_measured_by_what_became_of_it(metrics):
    consumer = Consumer("greeter")

    @consumer.on(OrderNudged)
    def greet(session, event):
        raise RuntimeError("not today")

    other = base64.b64encode(b'{"event_type": "order_decided"}').decode()
    consumer.deliver({"message": {"data": other, "attributes": {"event_type": "order_decided"}}})
    consumer.deliver({"message": {"data": "!", "attributes": {"event_type": "order_nudged"}}})

    told = [("order_decided", "ignored"), ("order_nudged", "dead")]
    assert metrics.of("delivery") == [
        {"consumer": "greeter", "event_type": event_type, "outcome": outcome} for event_type, outcome in told
    ]
    assert metrics.of("dead_letter") == [{"consumer": "greeter", "value": 1}]


def test_a_file_that_cannot_be_read_is_measured_too(metrics):
    trigger = ObjectTrigger("on_files")
    trigger.on_finalized(lambda _: "done")

    trigger.deliver({"ce-type": "google.cloud.storage.object.v1.finalized"}, b"{}")

    assert [line["outcome"] for line in metrics.of("delivery")] == ["unreadable"]


def test_every_attempt_to_publish_and_every_event_given_up_on_is_counted(metrics):
    healthy, refused, spoilt = emitted(a_nudge(), a_nudge(), a_nudge())
    damage(spoilt, version="9")
    topics = RecordingTopics()
    topics.refuses = lambda sent: ConnectionError("down") if sent.event_id == refused else None

    Publisher(topics, CATALOGUE, PublishingSettings()).publish_batch()

    outcomes = sorted(line["outcome"] for line in metrics.of("publish"))
    assert outcomes == ["dead", "published", "retried"]
    assert {line["event_type"] for line in metrics.of("publish")} == {"order_nudged"}
    assert metrics.of("dead_letter") == [{"consumer": "outbox", "value": 1}]
    assert topics.ids() == [healthy]


def test_a_run_of_the_publisher_begins_by_telling_what_waits_by_the_databases_clock(freeze, metrics):
    publisher = Publisher(RecordingTopics(), CATALOGUE, PublishingSettings(outbox_window_s=0.05, outbox_poll_ms=10))
    publisher.run()
    first, second = emitted(a_nudge(), a_nudge())
    damage(first, created_at="clock_timestamp() - interval '1 hour'")
    damage(second, attempts="3", next_attempt_at="clock_timestamp() + interval '60 s'")
    freeze(MONDAY)
    began = time.monotonic()
    this = Work(function="test", request_id="request-1")
    with working(this):
        tell_backlog()
    publisher.run()
    most_s = 3_600 + time.monotonic() - began

    assert this.sql_statements == 1
    assert metrics.of("outbox_pending") == [{"value": waiting} for waiting in (0, 2, 2)]
    none, *ages_s = (line["value"] for line in metrics.of("outbox_oldest_s"))
    assert none == 0
    assert all(3_600 <= age_s <= most_s + 1 for age_s in ages_s)


def test_a_run_of_a_job_is_measured_by_how_it_ended(metrics):
    job = Job("cron_nothing")
    main = job.entry_point()
    request = FlaskRequest(EnvironBuilder(method="POST", path="/").get_environ())
    job.run(lambda: {"failed": 0})
    main(request)

    @job.run
    def fail() -> dict[str, int]:
        raise RuntimeError("not today")

    with pytest.raises(RuntimeError):
        main(request)

    assert metrics.of("job_run") == [{"job": "cron_nothing", "outcome": o} for o in ("succeeded", "failed")]


def test_a_start_is_counted_before_anything_can_go_wrong(metrics, monkeypatch):
    def refuse() -> None:
        raise SystemExit("Setting PF_X is not usable: missing.")

    monkeypatch.setattr("shared.kit.config.load_all", refuse)

    with pytest.raises(SystemExit):
        startup.finish("jars")

    assert metrics.of("instance_started") == [{"started": "jars", "value": 1}]


@pytest.fixture
def pool(committed_database, monkeypatch):
    """Resize the pool of this process: `pool(3)`."""

    def of(size: int) -> None:
        db.forget()
        monkeypatch.setenv("PF_DATABASE_POOL_SIZE", str(size))
        monkeypatch.setenv("PF_DATABASE_POOL_WAIT_S", "0.05")
        DatabaseSettings.forget()

    yield of
    db.forget()
    monkeypatch.undo()
    DatabaseSettings.forget()


def use_of(others: int) -> float:
    """The pool's use as it looks to one more work beside these."""
    held, go_on = threading.Barrier(others + 1), threading.Event()

    def hold() -> None:
        with read_only():
            held.wait(timeout=PATIENCE_S)
            go_on.wait(timeout=PATIENCE_S)

    with ThreadPoolExecutor(others or 1) as threads:
        holding = [threads.submit(hold) for _ in range(others)]
        held.wait(timeout=PATIENCE_S)
        this = Work(function="test", request_id="request-1")
        try:
            with working(this), read_only():
                pass
        finally:
            go_on.set()
    assert [each.result() for each in holding] == [None] * others
    return this.pool_use


@pytest.mark.parametrize(("size", "others", "use"), [(3, 0, 0.0), (3, 1, 0.5), (3, 2, 1.0), (1, 0, 0.0)])
def test_the_use_of_the_pool_is_the_share_of_connections_that_others_have(pool, size, others, use):
    pool(size)

    assert use_of(others) == use


def test_a_request_that_waits_for_a_connection_in_vain_is_counted(pool, metrics):
    pool(1)

    with pytest.raises(DependencyDown):
        use_of(1)

    assert metrics.of("database_pool_exhausted") == [{"value": 1}]


def test_the_use_of_the_pool_stands_in_the_line_of_a_request(client, metrics):
    client.get("/word")

    assert [line["pool_use"] for line in metrics.lines("request")] == [0.0]


def test_ages_do_not_run_backwards(metrics):
    [event] = emitted(a_nudge())
    damage(event, created_at="clock_timestamp() + interval '1 hour'")

    tell_backlog()

    assert metrics.of("outbox_oldest_s") == [{"value": 0}]
