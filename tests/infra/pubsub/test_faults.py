"""Trouble on demand, by way of the control port."""

import time
import urllib.error
from typing import Any

import pytest
from google.api_core import exceptions

from infra.local.pubsub import Emulator
from tests.infra.endpoint import Endpoint
from tests.infra.pubsub.clients import Clients
from tests.infra.pubsub.control import call, stats_of
from tests.patience import PATIENCE_S

FAIR = {"refuse_publish": 0, "duplicate": 1, "reorder": False, "delay_ms": 0}


def numbered(count: int) -> list[dict[str, Any]]:
    return [{"data": b"%d" % number} for number in range(count)]


def test_the_official_client_gets_past_refusals(local: Clients, emulator: Emulator) -> None:
    topic = local.create_topic("orders")
    subscription = local.create_subscription("orders-worker", topic)

    call(emulator, "POST", "/faults", {"refuse_publish": 2})
    message_id = local.publisher.publish(topic, b"placed").result(timeout=PATIENCE_S)

    assert [m.message.message_id for m in local.pull(subscription)] == [message_id]
    assert call(emulator, "GET", "/faults") == FAIR
    assert call(emulator, "GET", "/stats")["topics"] == {topic: {"published": 1}}


def test_a_refused_publish_is_unavailable_and_leaves_nothing(local: Clients, emulator: Emulator) -> None:
    topic = local.create_topic("orders")
    subscription = local.create_subscription("orders-worker", topic)

    answer = call(emulator, "POST", "/faults", {"refuse_publish": 1})
    with pytest.raises(exceptions.ServiceUnavailable):
        local.publish(topic, *numbered(2), retry=None)

    assert answer == {**FAIR, "refuse_publish": 1}
    assert local.pull_now(subscription) == []
    assert call(emulator, "GET", "/stats")["topics"] == {topic: {"published": 0}}


def test_every_message_is_duplicated(local: Clients, emulator: Emulator, endpoint: Endpoint) -> None:
    topic = local.create_topic("orders")
    subscription = local.create_subscription("orders-worker", topic, push_config={"push_endpoint": endpoint.url})

    call(emulator, "POST", "/faults", {"duplicate": 3})
    message_ids = local.publish(topic, *numbered(2))

    seen = sorted(request.headers["ce-id"] for request in endpoint.wait_for(6))
    assert seen == sorted(message_ids * 3)
    assert stats_of(emulator, subscription)["delivered"] == 6


def test_messages_overtake_each_other(local: Clients, emulator: Emulator, endpoint: Endpoint) -> None:
    topic = local.create_topic("orders")
    local.create_subscription("orders-worker", topic, push_config={"push_endpoint": endpoint.url})
    call(emulator, "POST", "/faults", {"reorder": True})

    first, second = local.publish(topic, *numbered(2))

    assert [request.headers["ce-id"] for request in endpoint.wait_for(2)] == [second, first]


def test_nothing_overtakes_within_an_ordering_key(local: Clients, emulator: Emulator, endpoint: Endpoint) -> None:
    topic = local.create_topic("orders")
    local.create_subscription(
        "orders-worker", topic, push_config={"push_endpoint": endpoint.url}, enable_message_ordering=True
    )
    call(emulator, "POST", "/faults", {"reorder": True, "duplicate": 2})

    ids = local.publish(topic, *({**message, "ordering_key": "order-7"} for message in numbered(3)))

    requests = endpoint.wait_for(6)
    assert [request.headers["ce-id"] for request in requests] == [id_ for id_ in ids for _ in range(2)]


def test_messages_are_delayed(local: Clients, emulator: Emulator, endpoint: Endpoint) -> None:
    topic = local.create_topic("orders")
    local.create_subscription("orders-worker", topic, push_config={"push_endpoint": endpoint.url})
    call(emulator, "POST", "/faults", {"delay_ms": 150})

    before_s = time.monotonic()
    local.publish(topic, *numbered(1))

    [request] = endpoint.wait_for(1)
    assert request.at_s - before_s >= 0.15


def test_faults_add_up_until_they_are_deleted(emulator: Emulator) -> None:
    call(emulator, "POST", "/faults", {"duplicate": 2})
    call(emulator, "POST", "/faults", {"delay_ms": 5, "reorder": True})

    assert call(emulator, "GET", "/faults") == {**FAIR, "duplicate": 2, "delay_ms": 5, "reorder": True}
    assert call(emulator, "DELETE", "/faults") == FAIR
    assert call(emulator, "GET", "/faults") == FAIR


@pytest.mark.parametrize(
    "content",
    [{"explode": 1}, {"duplicate": 0}, {"delay_ms": -1}, {"refuse_publish": True}, {"reorder": 1}, ["reorder"], "x"],
)
def test_a_senseless_fault_is_refused_and_changes_nothing(emulator: Emulator, content: Any) -> None:
    with pytest.raises(urllib.error.HTTPError) as refusal:
        call(emulator, "POST", "/faults", content)

    refusal.value.close()
    assert refusal.value.code == 400
    assert call(emulator, "GET", "/faults") == FAIR


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_the_control_port_knows_no_other_path(emulator: Emulator, method: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refusal:
        call(emulator, method, "/anything")

    refusal.value.close()
    assert refusal.value.code == 404


def test_stats_tell_where_every_message_is(local: Clients, emulator: Emulator) -> None:
    topic = local.create_topic("orders")
    subscription = local.create_subscription("orders-worker", topic, ack_deadline_seconds=600)
    local.publish(topic, *numbered(4))

    first, second, third = local.pull(subscription, at_most=3)
    local.ack(subscription, first)
    local.nack(subscription, second)

    assert third.message.data == b"2"
    assert call(emulator, "GET", "/stats") == {
        "topics": {topic: {"published": 4}},
        "subscriptions": {
            subscription: {
                "delivered": 3,
                "acked": 1,
                "nacked": 1,
                "dead_lettered": 0,
                "outstanding": 1,
                "waiting": 2,
            }
        },
    }
