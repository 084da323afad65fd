"""Topics and subscriptions, as our emulator and Google's agree on them."""

from typing import Any

import pytest
from google.api_core import exceptions
from google.protobuf.field_mask_pb2 import FieldMask
from google.pubsub_v1 import types

from tests.infra.pubsub.clients import Clients


def test_a_topic_is_created_once(clients: Clients) -> None:
    topic = clients.create_topic("orders")

    with pytest.raises(exceptions.AlreadyExists):
        clients.create_topic("orders")

    assert clients.publisher.get_topic(topic=topic) == types.Topic(name=topic)


@pytest.mark.parametrize("name", ["nope", "projects/shop/topics/1st", "projects/shop/topics/google-news"])
def test_a_topic_needs_a_proper_name(clients: Clients, name: str) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        clients.publisher.create_topic(name=name)


def test_a_topic_that_nobody_created_is_not_found(clients: Clients) -> None:
    missing = clients.topic("missing")

    with pytest.raises(exceptions.NotFound):
        clients.publisher.get_topic(topic=missing)
    with pytest.raises(exceptions.NotFound):
        clients.publisher.delete_topic(topic=missing)
    with pytest.raises(exceptions.NotFound):
        clients.publish(missing, {"data": b"x"})


def test_topics_are_listed_by_project_in_pages(clients: Clients) -> None:
    names = [clients.create_topic(name) for name in ("analytics", "billing", "dispatch")]

    pages = clients.publisher.list_topics(request={"project": clients.project, "page_size": 2}).pages

    assert [[topic.name for topic in page.topics] for page in pages] == [names[:2], names[2:]]


def test_a_deleted_topic_leaves_its_subscription_behind(clients: Clients) -> None:
    topic = clients.create_topic("orders")
    orphan = clients.create_subscription("orders-worker", topic)

    clients.publisher.delete_topic(topic=topic)
    clients.create_topic("orders")

    assert clients.subscriber.get_subscription(subscription=orphan).topic == "_deleted-topic_"
    assert list(clients.publisher.list_topic_subscriptions(topic=topic)) == []


def test_a_subscription_gets_the_defaults(clients: Clients) -> None:
    topic = clients.create_topic("orders")

    name = clients.create_subscription("orders-worker", topic, retry_policy={})

    found = clients.subscriber.get_subscription(subscription=name)
    assert (found.name, found.topic) == (name, topic)
    assert found.ack_deadline_seconds == 10
    assert found.message_retention_duration.total_seconds() == 7 * 24 * 3600
    assert found.retry_policy.minimum_backoff.total_seconds() == 10
    assert found.retry_policy.maximum_backoff.total_seconds() == 600
    assert "dead_letter_policy" not in found
    assert found.push_config.push_endpoint == ""


def test_a_subscription_is_created_once(clients: Clients) -> None:
    topic = clients.create_topic("orders")
    clients.create_subscription("orders-worker", topic)

    with pytest.raises(exceptions.AlreadyExists):
        clients.create_subscription("orders-worker", topic)


def test_a_subscription_needs_its_topics(clients: Clients) -> None:
    topic = clients.create_topic("orders")

    with pytest.raises(exceptions.NotFound):
        clients.create_subscription("orders-worker", clients.topic("missing"))
    with pytest.raises(exceptions.NotFound):
        clients.create_subscription(
            "orders-worker", topic, dead_letter_policy={"dead_letter_topic": clients.topic("missing")}
        )

    assert list(clients.subscriber.list_subscriptions(project=clients.project)) == []


@pytest.mark.parametrize(
    "settings",
    [
        {"ack_deadline_seconds": 601},
        {"push_config": {"push_endpoint": "orders-worker"}},
        {"retry_policy": {"minimum_backoff": {"seconds": 601}}},
        {"retry_policy": {"minimum_backoff": {"seconds": 20}, "maximum_backoff": {"seconds": 5}}},
    ],
)
def test_settings_beyond_their_bounds_are_invalid(clients: Clients, settings: dict[str, Any]) -> None:
    topic = clients.create_topic("orders")

    with pytest.raises(exceptions.InvalidArgument):
        clients.create_subscription("orders-worker", topic, **settings)

    assert list(clients.publisher.list_topic_subscriptions(topic=topic)) == []


@pytest.mark.parametrize("attempts", [4, 101])
def test_a_dead_letter_policy_allows_5_to_100_attempts(clients: Clients, attempts: int) -> None:
    topic = clients.create_topic("orders")
    policy = {"dead_letter_topic": topic, "max_delivery_attempts": attempts}

    with pytest.raises(exceptions.OutOfRange):
        clients.create_subscription("orders-worker", topic, dead_letter_policy=policy)


def test_an_update_changes_what_its_mask_names(clients: Clients) -> None:
    topic = clients.create_topic("orders")
    name = clients.create_subscription("orders-worker", topic)
    wanted = types.Subscription(name=name, ack_deadline_seconds=45, retain_acked_messages=True)

    updated = clients.subscriber.update_subscription(
        subscription=wanted, update_mask=FieldMask(paths=["ack_deadline_seconds"])
    )

    assert (updated.ack_deadline_seconds, updated.retain_acked_messages) == (45, False)
    assert clients.subscriber.get_subscription(subscription=name) == updated


@pytest.mark.parametrize("paths", [[], ["colour"], ["topic"], ["enable_message_ordering"]])
def test_an_update_of_nothing_the_unknown_or_the_fixed_is_invalid(clients: Clients, paths: list[str]) -> None:
    name = clients.create_subscription("orders-worker", clients.create_topic("orders"))
    before = clients.subscriber.get_subscription(subscription=name)
    wanted = types.Subscription(name=name, topic=clients.topic("other"), enable_message_ordering=True)

    with pytest.raises(exceptions.InvalidArgument):
        clients.subscriber.update_subscription(subscription=wanted, update_mask=FieldMask(paths=paths))

    assert clients.subscriber.get_subscription(subscription=name) == before


def test_subscriptions_are_listed_by_project_and_by_topic(clients: Clients) -> None:
    orders, billing = clients.create_topic("orders"), clients.create_topic("billing")
    names = [
        clients.create_subscription("a-orders", orders),
        clients.create_subscription("b-orders", orders),
        clients.create_subscription("c-billing", billing),
    ]

    pages = clients.subscriber.list_subscriptions(request={"project": clients.project, "page_size": 2}).pages

    assert [[s.name for s in page.subscriptions] for page in pages] == [names[:2], names[2:]]
    assert list(clients.publisher.list_topic_subscriptions(topic=orders)) == names[:2]


def test_a_deleted_subscription_is_not_found(clients: Clients) -> None:
    name = clients.create_subscription("orders-worker", clients.create_topic("orders"))

    clients.subscriber.delete_subscription(subscription=name)

    with pytest.raises(exceptions.NotFound):
        clients.subscriber.get_subscription(subscription=name)
    with pytest.raises(exceptions.NotFound):
        clients.subscriber.delete_subscription(subscription=name)
    with pytest.raises(exceptions.NotFound):
        clients.pull(name)
    with pytest.raises(exceptions.NotFound):
        clients.subscriber.modify_push_config(subscription=name, push_config={})
