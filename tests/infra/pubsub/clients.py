"""The official Pub/Sub clients, in a project of their own, with the few words that the tests repeat."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1 import types
from google.pubsub_v1.services.publisher import PublisherClient as PublisherCalls
from uuid_utils import uuid7

from tests.patience import PATIENCE_S

# Google's emulator answers that there is nothing only when the caller's time is nearly up.
_PULL_S = 10


@dataclass
class Clients:
    """Both clients of one project; `calls` is the publisher without batching."""

    publisher: PublisherClient
    subscriber: SubscriberClient
    calls: PublisherCalls
    project: str = field(default_factory=lambda: f"projects/shop-{uuid7().hex[-12:]}")

    def topic(self, name: str) -> str:
        """The full name of a topic, existing or not."""
        return f"{self.project}/topics/{name}"

    def subscription(self, name: str) -> str:
        """The full name of a subscription, existing or not."""
        return f"{self.project}/subscriptions/{name}"

    def create_topic(self, name: str) -> str:
        return str(self.publisher.create_topic(name=self.topic(name)).name)

    def create_subscription(self, name: str, topic: str, **settings: Any) -> str:
        request = {"name": self.subscription(name), "topic": topic, **settings}
        return str(self.subscriber.create_subscription(request=request).name)

    def publish(self, topic: str, *messages: dict[str, Any], **call: Any) -> list[str]:
        """One publish call with these messages; their ids."""
        return list(self.calls.publish(request={"topic": topic, "messages": list(messages)}, **call).message_ids)

    def pull(self, subscription: str, *, at_most: int = 100) -> list[types.ReceivedMessage]:
        """What one pull gives, which may be nothing."""
        request = {"subscription": subscription, "max_messages": at_most}
        return list(self.subscriber.pull(request=request, timeout=_PULL_S).received_messages)

    def pull_now(self, subscription: str) -> list[types.ReceivedMessage]:
        """What is due at this moment. Google advises against it: a real subscription may hide what it holds."""
        request = {"subscription": subscription, "max_messages": 100, "return_immediately": True}
        with pytest.warns(DeprecationWarning, match="return_immediately"):
            return list(self.subscriber.pull(request=request, timeout=_PULL_S).received_messages)

    def pull_one(self, subscription: str, *, within_s: float = PATIENCE_S) -> types.ReceivedMessage:
        """The next message; fails when none comes."""
        deadline = time.monotonic() + within_s
        while not (messages := self.pull(subscription, at_most=1)):
            assert time.monotonic() < deadline, f"nothing in {subscription}"
        return messages[0]

    def ack(self, subscription: str, *messages: types.ReceivedMessage) -> None:
        self.subscriber.acknowledge(subscription=subscription, ack_ids=[m.ack_id for m in messages])

    def nack(self, subscription: str, *messages: types.ReceivedMessage) -> None:
        self.subscriber.modify_ack_deadline(
            subscription=subscription, ack_ids=[m.ack_id for m in messages], ack_deadline_seconds=0
        )


@contextmanager
def clients_of_this_environment() -> Iterator[Clients]:
    """Clients as production makes them: where they connect is up to the environment."""
    publisher = PublisherClient()
    with PublisherCalls(transport=publisher.transport) as calls, SubscriberClient() as subscriber:
        yield Clients(publisher, subscriber, calls)
        publisher.stop()
