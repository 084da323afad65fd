"""Where ours is as strict as the service itself and Google's emulator is not, and what ours leaves out."""

from typing import Any

import pytest
from google.api_core import exceptions
from google.protobuf.field_mask_pb2 import FieldMask
from google.pubsub_v1 import types

from tests.infra.pubsub.clients import Clients


@pytest.mark.parametrize(
    "message",
    [
        {"attributes": {"": "x"}},
        {"attributes": {"googclient": "x"}},
        {"attributes": {"k" * 257: "x"}},
        {"attributes": {"k": "x" * 1_025}},
        {"attributes": {str(number): "x" for number in range(101)}},
        {"data": b"x", "ordering_key": "k" * 1_025},
        {"data": b"x" * 10_000_001},
    ],
)
def test_a_message_beyond_the_limits_is_invalid(local: Clients, message: dict[str, Any]) -> None:
    topic = local.create_topic("orders")
    subscription = local.create_subscription("orders-worker", topic)

    with pytest.raises(exceptions.InvalidArgument):
        local.publish(topic, message)

    assert local.pull_now(subscription) == []


def test_a_message_at_the_limits_is_delivered(local: Clients) -> None:
    topic = local.create_topic("orders")
    subscription = local.create_subscription("orders-worker", topic)
    attributes = {str(number).zfill(256): "x" * 1_024 for number in range(100)}

    local.publish(topic, {"data": b"x" * 3_000_000, "attributes": attributes, "ordering_key": "k" * 1_024})

    received = local.pull_one(subscription).message
    assert (len(received.data), dict(received.attributes)) == (3_000_000, attributes)


@pytest.mark.parametrize("seconds", [1, 9])
def test_an_acknowledgement_deadline_has_at_least_ten_seconds(local: Clients, seconds: int) -> None:
    topic = local.create_topic("orders")

    with pytest.raises(exceptions.InvalidArgument):
        local.create_subscription("orders-worker", topic, ack_deadline_seconds=seconds)


@pytest.mark.parametrize("settings", [{"filter": 'attributes.a = "b"'}, {"enable_exactly_once_delivery": True}])
def test_what_is_left_out_says_so(local: Clients, settings: dict[str, Any]) -> None:
    topic = local.create_topic("orders")

    with pytest.raises(exceptions.MethodNotImplemented):
        local.create_subscription("orders-worker", topic, **settings)

    assert list(local.publisher.list_topic_subscriptions(topic=topic)) == []


def test_labels_and_policies_can_be_changed_and_removed(local: Clients) -> None:
    topic = local.create_topic("orders")
    name = local.create_subscription("orders-worker", topic, labels={"team": "a"}, retry_policy={})
    wanted = types.Subscription(
        name=name, labels={"team": "b"}, dead_letter_policy=types.DeadLetterPolicy(dead_letter_topic=topic)
    )

    updated = local.subscriber.update_subscription(
        subscription=wanted, update_mask=FieldMask(paths=["labels", "retry_policy", "dead_letter_policy"])
    )

    assert dict(updated.labels) == {"team": "b"}
    assert "retry_policy" not in updated
    assert updated.dead_letter_policy.max_delivery_attempts == 5
