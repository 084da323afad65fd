"""Topics, subscriptions and what flows between them. Needs no network: gRPC and HTTP stand around it."""

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from google.pubsub_v1 import types

from infra.local.pubsub import resources
from infra.local.pubsub.backlog import Delivery
from infra.local.pubsub.errors import AlreadyExists, InvalidArgument, NotFound, Unavailable
from infra.local.pubsub.faults import Faults
from infra.local.pubsub.mailbox import Mailbox
from infra.local.pubsub.message import MAX_MESSAGES_PER_PUBLISH, Draft, Message, dead_letter_draft
from infra.local.pubsub.policy import DeliveryPolicy
from infra.local.pubsub.subscription import Subscription
from shared.kit import clock


@dataclass
class Topic:
    """A topic as its creator described it, and how many messages it accepted."""

    config: types.Topic
    published_count: int = 0


class Broker:
    """All state of one emulator, in memory. `now_s` drives deadlines and backoff and only goes forward."""

    def __init__(self, faults: Faults, *, now_s: Callable[[], float] = time.monotonic) -> None:
        self._faults = faults
        self._now_s = now_s
        self._lock = threading.RLock()
        self._topics: dict[str, Topic] = {}
        self._subscriptions: dict[str, Subscription] = {}
        self._watchers: list[Callable[[Subscription], None]] = []
        # From the wall clock, so that an id is not given out again after a restart.
        self._message_ids = itertools.count(time.time_ns() // 1_000)

    def watch(self, watcher: Callable[[Subscription], None]) -> None:
        """Tell `watcher` of every subscription that is created, changed or deleted."""
        self._watchers.append(watcher)

    # Topics

    def create_topic(self, config: types.Topic) -> types.Topic:
        """Raises InvalidArgument (name), AlreadyExists."""
        resources.check_name("topics", config.name)
        with self._lock:
            if config.name in self._topics:
                raise AlreadyExists("Topic already exists")
            self._topics[config.name] = Topic(config)
            self._refresh_policies()
        return config

    def get_topic(self, name: str) -> Topic:
        """Raises InvalidArgument (name), NotFound."""
        resources.check_name("topics", name)
        topic = self._topics.get(name)
        if topic is None:
            raise NotFound("Topic not found")
        return topic

    def list_topics(self, project: str) -> list[types.Topic]:
        """The project's topics by name. Raises InvalidArgument."""
        resources.check_project(project)
        with self._lock:
            found = [topic.config for name, topic in self._topics.items() if name.startswith(f"{project}/")]
        return sorted(found, key=lambda config: str(config.name))

    def delete_topic(self, name: str) -> None:
        """Its subscriptions stay, keep what they have and never receive more. Raises NotFound."""
        with self._lock:
            self.get_topic(name)
            del self._topics[name]
            for subscription in self._subscriptions_of(name):
                subscription.config.topic = resources.DELETED_TOPIC
            self._refresh_policies()

    def list_topic_subscriptions(self, topic: str) -> list[str]:
        """Names of the topic's subscriptions, sorted. Raises NotFound."""
        with self._lock:
            self.get_topic(topic)
            return sorted(subscription.name for subscription in self._subscriptions_of(topic))

    def publish(self, topic: str, drafts: Sequence[Draft]) -> list[str]:
        """Accept all messages or none; their ids. Raises InvalidArgument, NotFound, Unavailable (a fault)."""
        if not drafts:
            raise InvalidArgument("No messages to publish")
        if len(drafts) > MAX_MESSAGES_PER_PUBLISH:
            raise InvalidArgument("Too many messages to publish")
        for draft in drafts:
            draft.check()
        with self._lock:
            self.get_topic(topic)
            if self._faults.take_refusal():
                raise Unavailable("The service is currently unavailable.")
            return self._route(topic, drafts)

    # Subscriptions

    def create_subscription(self, wanted: types.Subscription) -> types.Subscription:
        """Raises InvalidArgument, OutOfRange, Unimplemented, AlreadyExists, NotFound (a topic)."""
        resources.check_name("subscriptions", wanted.name)
        resources.check_name("topics", wanted.topic)
        config = resources.complete(wanted)
        with self._lock:
            if config.name in self._subscriptions:
                raise AlreadyExists("Subscription already exists")
            if config.topic not in self._topics:
                raise NotFound("Subscription topic does not exist")
            self._check_dead_letter_topic(config)
            subscription = self._subscriptions[config.name] = self._open(config)
        self._announce(subscription)
        return config

    def get_subscription(self, name: str) -> Subscription:
        """Raises InvalidArgument (name), NotFound."""
        resources.check_name("subscriptions", name)
        subscription = self._subscriptions.get(name)
        if subscription is None:
            raise NotFound("Subscription does not exist")
        return subscription

    def list_subscriptions(self, project: str) -> list[types.Subscription]:
        """The project's subscriptions by name. Raises InvalidArgument."""
        resources.check_project(project)
        with self._lock:
            found = [s.config for name, s in self._subscriptions.items() if name.startswith(f"{project}/")]
        return sorted(found, key=lambda config: str(config.name))

    def change_subscription(self, wanted: types.Subscription, paths: Iterable[str]) -> types.Subscription:
        """Take the named fields from `wanted`. Raises as creation does."""
        with self._lock:
            subscription = self.get_subscription(wanted.name)
            config = resources.changed(subscription.config, wanted, paths)
            self._check_dead_letter_topic(config)
            subscription.config = config
            subscription.mailbox.set_policy(self._policy_of(config))
        self._announce(subscription)
        return config

    def delete_subscription(self, name: str) -> None:
        """Its messages are lost. Raises NotFound."""
        with self._lock:
            subscription = self.get_subscription(name)
            del self._subscriptions[name]
            subscription.mailbox.close()
        self._announce(subscription)

    def stats(self) -> dict[str, dict[str, dict[str, int]]]:
        """Counts by topic and by subscription, under their full names."""
        with self._lock:
            return {
                "topics": {name: {"published": topic.published_count} for name, topic in self._topics.items()},
                "subscriptions": {name: s.mailbox.stats() for name, s in self._subscriptions.items()},
            }

    def close(self) -> None:
        """Send home everyone who waits for a delivery."""
        with self._lock:
            for subscription in self._subscriptions.values():
                subscription.mailbox.close()

    def _open(self, config: types.Subscription) -> Subscription:
        def forward(delivery: Delivery) -> None:
            self._dead_letter(subscription, delivery)

        mailbox = Mailbox(config.name, self._policy_of(config), now_s=self._now_s, forward=forward)
        subscription = Subscription(config, mailbox)
        return subscription

    def _route(self, topic: str, drafts: Sequence[Draft]) -> list[str]:
        subscribers = self._subscriptions_of(topic)
        messages = [Message(str(next(self._message_ids)), topic, draft, clock.now()) for draft in drafts]
        self._topics[topic].published_count += len(messages)
        for message in messages:
            delays_s = self._faults.delays_s()
            for subscription in subscribers:
                subscription.mailbox.put(message, delays_s=delays_s)
        return [message.id for message in messages]

    def _dead_letter(self, subscription: Subscription, delivery: Delivery) -> None:
        draft = dead_letter_draft(delivery.message, subscription=subscription.name, delivery_count=delivery.failures)
        topic = subscription.config.dead_letter_policy.dead_letter_topic
        with self._lock:
            if topic in self._topics:
                self._route(topic, [draft])
            else:
                # The topic was deleted this instant: the message stays with its subscription.
                subscription.mailbox.put(delivery.message, delays_s=[0.0])

    def _subscriptions_of(self, topic: str) -> list[Subscription]:
        return [s for s in self._subscriptions.values() if s.config.topic == topic]

    def _check_dead_letter_topic(self, config: types.Subscription) -> None:
        if "dead_letter_policy" in config and config.dead_letter_policy.dead_letter_topic not in self._topics:
            raise NotFound("Dead letter topic not found")

    def _policy_of(self, config: types.Subscription) -> DeliveryPolicy:
        can_dead_letter = config.dead_letter_policy.dead_letter_topic in self._topics
        return resources.policy_of(config, can_dead_letter=can_dead_letter)

    def _refresh_policies(self) -> None:
        """A dead-letter topic came or went: without it, messages stay with their subscription."""
        for subscription in self._subscriptions.values():
            subscription.mailbox.set_policy(self._policy_of(subscription.config))

    def _announce(self, subscription: Subscription) -> None:
        for watcher in self._watchers:
            watcher(subscription)
