"""Publishing, pulling, ordering and dead letters, as our emulator and Google's agree on them."""

import queue
from datetime import datetime, timedelta

import pytest
from google.api_core import exceptions
from google.cloud.pubsub_v1.subscriber.message import Message

from shared.kit import clock
from tests.infra.pubsub.clients import Clients
from tests.patience import PATIENCE_S


def test_a_published_message_reaches_every_subscription(clients: Clients) -> None:
    topic = clients.create_topic("orders")
    subscriptions = [clients.create_subscription(name, topic) for name in ("email", "ledger")]
    before = clock.now() - timedelta(milliseconds=1)  # a time of publication may be cut to the millisecond

    [message_id] = clients.publish(topic, {"data": b"placed", "attributes": {"event_type": "order_created"}})

    for subscription in subscriptions:
        received = clients.pull_one(subscription)
        assert received.message.data == b"placed"
        assert dict(received.message.attributes) == {"event_type": "order_created"}
        assert received.message.message_id == message_id
        assert before <= received.message.publish_time <= clock.now()
        assert received.delivery_attempt == 0


def test_a_subscription_receives_nothing_from_before_its_time(clients: Clients) -> None:
    topic = clients.create_topic("orders")
    clients.publish(topic, {"data": b"early"})
    subscription = clients.create_subscription("orders-worker", topic)

    clients.publish(topic, {"data": b"late"})

    assert [m.message.data for m in clients.pull(subscription)] == [b"late"]


def test_a_publish_call_needs_1_to_1000_messages_with_content(clients: Clients) -> None:
    topic = clients.create_topic("orders")
    subscription = clients.create_subscription("orders-worker", topic)

    for messages in ([], [{"data": b"good"}, {"data": b""}], [{"data": b"x"}] * 1_001):
        with pytest.raises(exceptions.InvalidArgument):
            clients.publish(topic, *messages)

    assert clients.pull_now(subscription) == []


def test_an_acknowledged_message_is_not_delivered_again(clients: Clients) -> None:
    topic = clients.create_topic("orders")
    subscription = clients.create_subscription("orders-worker", topic)
    clients.publish(topic, {"data": b"placed"})
    received = clients.pull_one(subscription)

    clients.ack(subscription, received)
    clients.nack(subscription, received)

    assert clients.pull_now(subscription) == []


def test_a_message_is_not_delivered_twice_at_once(clients: Clients) -> None:
    topic = clients.create_topic("orders")
    subscription = clients.create_subscription("orders-worker", topic, ack_deadline_seconds=600)
    clients.publish(topic, {"data": b"placed"})

    clients.pull_one(subscription)

    assert clients.pull_now(subscription) == []


def test_a_message_given_back_is_delivered_again(clients: Clients) -> None:
    topic = clients.create_topic("orders")
    subscription = clients.create_subscription("orders-worker", topic)
    [message_id] = clients.publish(topic, {"data": b"placed"})
    first = clients.pull_one(subscription)

    clients.nack(subscription, first)
    second = clients.pull_one(subscription)

    assert (second.message.message_id, second.ack_id == first.ack_id) == (message_id, False)


def test_an_empty_subscription_answers_an_empty_pull(clients: Clients) -> None:
    subscription = clients.create_subscription("orders-worker", clients.create_topic("orders"))

    assert clients.pull(subscription) == []


def test_senseless_pulls_and_acknowledgements_are_invalid(clients: Clients) -> None:
    subscription = clients.create_subscription("orders-worker", clients.create_topic("orders"))

    with pytest.raises(exceptions.InvalidArgument):
        clients.pull(subscription, at_most=0)
    for ack_ids in ([], ["made-up"]):
        with pytest.raises(exceptions.InvalidArgument):
            clients.subscriber.acknowledge(subscription=subscription, ack_ids=ack_ids)
        with pytest.raises(exceptions.InvalidArgument):
            clients.subscriber.modify_ack_deadline(subscription=subscription, ack_ids=ack_ids, ack_deadline_seconds=10)


def test_messages_of_one_ordering_key_arrive_in_order(clients: Clients) -> None:
    topic = clients.create_topic("orders")
    subscription = clients.create_subscription("orders-worker", topic, enable_message_ordering=True)
    steps = [(f"order-{number % 2}", f"{number}".encode()) for number in range(8)]
    clients.publish(topic, *({"data": data, "ordering_key": key} for key, data in steps))

    seen: list[tuple[str, bytes]] = []
    while len(seen) < len(steps):
        batch = clients.pull(subscription)
        seen += [(received.message.ordering_key, received.message.data) for received in batch]
        clients.ack(subscription, *batch)

    for key in ("order-0", "order-1"):
        assert [step for step in seen if step[0] == key] == [step for step in steps if step[0] == key]


def test_a_message_that_fails_five_times_goes_to_the_dead_letter_topic(clients: Clients) -> None:
    topic, dead = clients.create_topic("orders"), clients.create_topic("dead-letter")
    policy = {"dead_letter_topic": dead, "max_delivery_attempts": 5}
    subscription = clients.create_subscription("orders-worker", topic, dead_letter_policy=policy)
    morgue = clients.create_subscription("dead-letter", dead)
    clients.publish(topic, {"data": b"poison", "attributes": {"event_type": "order_created"}})

    attempts = []
    for _ in range(5):
        received = clients.pull_one(subscription)
        attempts.append(received.delivery_attempt)
        clients.nack(subscription, received)
    left = clients.pull_now(subscription)
    buried = clients.pull_one(morgue)

    attributes = dict(buried.message.attributes)
    published_at = datetime.fromisoformat(attributes.pop("CloudPubSubDeadLetterSourceTopicPublishTime"))
    assert attempts == [1, 2, 3, 4, 5]
    assert buried.message.data == b"poison"
    assert attributes == {
        "event_type": "order_created",
        "CloudPubSubDeadLetterSourceDeliveryCount": "5",
        "CloudPubSubDeadLetterSourceSubscription": "orders-worker",
        "CloudPubSubDeadLetterSourceSubscriptionProject": clients.project.removeprefix("projects/"),
    }
    assert abs(published_at - received.message.publish_time) < timedelta(milliseconds=1)
    assert left == []


def test_the_streaming_client_receives_and_acknowledges(clients: Clients) -> None:
    topic = clients.create_topic("orders")
    subscription = clients.create_subscription("orders-worker", topic)
    arrived: queue.Queue[bytes] = queue.Queue()

    def receive(message: Message) -> None:
        message.ack_with_response().result(5)
        arrived.put(message.data)

    streaming = clients.subscriber.subscribe(subscription, receive)
    clients.publish(topic, {"data": b"placed"})
    received = arrived.get(timeout=PATIENCE_S)
    streaming.cancel()
    streaming.result(5)

    assert received == b"placed"
    assert clients.pull_now(subscription) == []
