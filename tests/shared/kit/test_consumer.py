"""A consumer's promise: each effect once, whatever is delivered how often, and nothing unreadable for ever."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from shared.events.products import InventoryLow
from shared.identity.models import User
from shared.kit import redis
from shared.kit.consumer import LEASE_S, Consumer, ProcessedEvent, envelope_of
from shared.kit.db import read_only, transaction
from shared.kit.outbox import DeadLetter, OutboxEvent, emit
from tests.deliveries import delivery_of

calls: list[InventoryLow] = []


@pytest.fixture
def consumer() -> Consumer:
    """It greets: the effect is a person, named after the product."""
    calls.clear()
    made = Consumer("greeter")

    @made.on(InventoryLow)
    def greet(session, event):
        calls.append(event)
        session.add(User(email=f"{event.product_id}@example.com", first_name="New", last_name="Greeted"))

    return made


def an_event() -> dict:
    product = uuid4()
    with transaction() as session:
        emit(session, InventoryLow(product_id=product, vendor_store_id=product, available_qty=3, low_stock_threshold=5))
        (row,) = session.scalars(select(OutboxEvent).where(OutboxEvent.aggregate_id == product))
    return delivery_of(row)


def greeted() -> int:
    with read_only() as session:
        return session.scalar(select(func.count()).select_from(User).where(User.last_name == "Greeted"))


def buried() -> list[tuple[str, str, str]]:
    with read_only() as session:
        rows = session.scalars(select(DeadLetter))
        return [(row.source, row.subscription, row.reason) for row in rows]


def test_an_event_is_handled_once_however_often_it_comes(consumer):
    delivery = an_event()

    assert [consumer.deliver(delivery) for _ in range(3)] == [True, True, True]

    assert (greeted(), len(calls)) == (1, 1)


def test_without_redis_memory_the_mark_in_the_database_decides(consumer):
    delivery = an_event()
    consumer.deliver(delivery)
    redis.client().flushdb()

    assert consumer.deliver(delivery) is True

    assert (greeted(), len(calls)) == (1, 1)


def test_a_failure_leaves_nothing_and_the_next_delivery_does_it(consumer, monkeypatch):
    kind, handler = consumer.handlers["inventory_low"]
    delivery = an_event()

    def fail(session, event):
        handler(session, event)
        raise RuntimeError("no")

    consumer.handlers["inventory_low"] = (kind, fail)
    assert [consumer.deliver(delivery) for _ in range(9)] == [False] * 9
    assert greeted() == 0

    consumer.handlers["inventory_low"] = (kind, handler)
    assert consumer.deliver(delivery) is True
    assert greeted() == 1
    with read_only() as session:
        assert session.scalar(select(func.count()).select_from(ProcessedEvent)) == 1


def test_a_second_delivery_during_the_first_is_refused_and_comes_again(consumer):
    delivery = an_event()
    event_id = json.loads(base64.b64decode(delivery["message"]["data"]))["event_id"]
    key = f"pf:evt:processed:greeter:{event_id}"
    redis.client().set(key, "working", ex=LEASE_S)

    assert consumer.deliver(delivery) is False
    assert greeted() == 0

    redis.client().delete(key)
    assert consumer.deliver(delivery) is True
    assert greeted() == 1


@pytest.mark.usefixtures("committed_database")
def test_ten_deliveries_at_once_without_redis_have_one_effect(consumer, monkeypatch):
    delivery = an_event()
    from redis.exceptions import ConnectionError as Unreachable

    def down():
        raise Unreachable

    monkeypatch.setattr(redis, "client", down)
    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(lambda _: consumer.deliver(delivery), range(10))) == [True] * 10

    assert greeted() == 1


def test_events_of_another_kind_are_acknowledged_and_left_alone(consumer):
    delivery = an_event()
    told = json.loads(base64.b64decode(delivery["message"]["data"]))
    told["event_type"] = "something_else"
    delivery["message"]["data"] = base64.b64encode(json.dumps(told).encode()).decode()

    assert consumer.deliver(delivery) is True
    assert (greeted(), buried()) == (0, [])


def spoiled(delivery: dict, **changes) -> dict:
    told = json.loads(base64.b64decode(delivery["message"]["data"])) | changes
    delivery["message"]["data"] = base64.b64encode(json.dumps(told).encode()).decode()
    return delivery


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"data": {"product_id": "x"}}, "the payload does not fit inventory_low"),
        ({"version": 7}, "version 7 of inventory_low is not understood"),
        ({"event_id": None}, "the payload does not fit inventory_low"),
    ],
)
def test_what_can_never_be_read_is_buried_at_once(consumer, changes, reason):
    delivery = spoiled(an_event(), **changes)

    assert [consumer.deliver(delivery), consumer.deliver(delivery)] == [True, True]

    assert (greeted(), buried()) == (0, [("consumer", "greeter", reason)])


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.mark.parametrize(
    "data",
    ["", "not base64!", encoded(b"[]"), encoded(b"{"), encoded(b"{}"), encoded(b'{"event_type": ["inventory_low"]}')],
)
def test_a_message_that_is_no_event_is_buried(consumer, data):
    assert consumer.deliver({"message": {"data": data, "attributes": {"event_id": str(uuid4())}}}) is True

    assert [(source, subscription) for source, subscription, _ in buried()] == [("consumer", "greeter")]


def test_the_previous_version_is_still_understood_as_the_current_one_has_it(consumer, monkeypatch):
    delivery = an_event()
    monkeypatch.setattr(InventoryLow, "version", 2)

    def upgraded(_, previous):
        kept = {name: value for name, value in previous.items() if name != "left"}
        return kept | {"available_qty": previous["left"]}

    monkeypatch.setattr(InventoryLow, "upgraded", classmethod(upgraded))
    told = json.loads(base64.b64decode(delivery["message"]["data"]))["data"]
    previous = {name: value for name, value in told.items() if name != "available_qty"} | {"left": 2}

    assert consumer.deliver(spoiled(delivery, data=previous, version=1)) is True

    assert ([event.available_qty for event in calls], greeted(), buried()) == ([2], 1, [])


def test_the_version_before_the_previous_one_is_not(consumer, monkeypatch):
    delivery = an_event()
    monkeypatch.setattr(InventoryLow, "version", 3)

    assert consumer.deliver(delivery) is True

    assert (greeted(), buried()) == (0, [("consumer", "greeter", "version 1 of inventory_low is not understood")])


def test_a_handler_can_ask_for_the_envelope(consumer):
    seen = []
    consumer.handlers["inventory_low"] = (InventoryLow, lambda session, _: seen.append(envelope_of(session)))
    delivery = an_event()

    consumer.deliver(delivery)

    told = json.loads(base64.b64decode(delivery["message"]["data"]))
    assert (seen[0].event_id, seen[0].sequence, seen[0].actor) == (UUID(told["event_id"]), 1, "system")
