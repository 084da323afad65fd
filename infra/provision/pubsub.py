"""Topics, and for each function with a topic a push subscription that retries and then gives up to dead letters."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from google.api_core.exceptions import NotFound
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1 import types

from infra.manifest import Manifest
from infra.provision.steps import Step
from shared.events import topics

# Pub/Sub takes acknowledgement deadlines from 10 s to 10 minutes.
_SHORTEST_DEADLINE_S, _LONGEST_DEADLINE_S = 10, 600
_COMPARED = ("ack_deadline_seconds", "retry_policy", "dead_letter_policy", "expiration_policy")


@dataclass(frozen=True)
class Delivery:
    """How subscriptions deliver. `endpoint` holds `{name}` for the function's name; with a service account each
    push carries its OIDC token."""

    endpoint: str
    minimum_backoff_s: float = 1.0
    maximum_backoff_s: float = 60.0
    attempts: int = 10
    service_account: str = ""


class Clients:
    """The two sides of Pub/Sub in one project, connected at first use (raising DefaultCredentialsError)."""

    def __init__(self, project: str) -> None:
        self.project = project

    @cached_property
    def publisher(self) -> PublisherClient:
        return PublisherClient()

    @cached_property
    def subscriber(self) -> SubscriberClient:
        return SubscriberClient()

    def close(self) -> None:
        """Let go of the connections that were made."""
        if "publisher" in self.__dict__:
            self.publisher.stop()
            self.publisher.transport.close()
        if "subscriber" in self.__dict__:
            self.subscriber.close()

    def topic(self, name: str) -> str:
        return f"projects/{self.project}/topics/{name}"

    def subscription(self, name: str) -> str:
        return f"projects/{self.project}/subscriptions/{name}"


def plan(clients: Clients, manifests: Iterable[Manifest], delivery: Delivery, *, compare: bool = True) -> list[Step]:
    """The steps from what is there to what is wanted; without `compare`, as if nothing were there."""
    steps = [_topic_step(clients, name, compare) for name in topics.ALL]
    for manifest in manifests:
        if manifest.topic:
            steps.append(_subscription_step(clients, subscription_of(clients, manifest, delivery), compare))
    return steps


def subscription_of(clients: Clients, manifest: Manifest, delivery: Delivery) -> types.Subscription:
    """The wanted subscription of a function with a topic; it never expires and is named like the function."""
    wanted = types.Subscription(
        name=clients.subscription(manifest.name),
        topic=clients.topic(manifest.topic or ""),
        push_config=_push_config(manifest, delivery),
        ack_deadline_seconds=min(max(manifest.run.timeout_s, _SHORTEST_DEADLINE_S), _LONGEST_DEADLINE_S),
        retry_policy=types.RetryPolicy(
            minimum_backoff=timedelta(seconds=delivery.minimum_backoff_s),
            maximum_backoff=timedelta(seconds=delivery.maximum_backoff_s),
        ),
        expiration_policy=types.ExpirationPolicy(),
    )
    if manifest.topic != topics.DEAD_LETTER:
        wanted.dead_letter_policy = types.DeadLetterPolicy(
            dead_letter_topic=clients.topic(topics.DEAD_LETTER), max_delivery_attempts=delivery.attempts
        )
    return wanted


def _push_config(manifest: Manifest, delivery: Delivery) -> types.PushConfig:
    endpoint = delivery.endpoint.format(name=manifest.name)
    if not delivery.service_account:
        return types.PushConfig(push_endpoint=endpoint)
    token = types.PushConfig.OidcToken(service_account_email=delivery.service_account, audience=endpoint)
    return types.PushConfig(push_endpoint=endpoint, oidc_token=token)


def _topic_step(clients: Clients, name: str, compare: bool) -> Step:
    path = clients.topic(name)
    if compare and _exists(clients, path):
        return Step("keep", "topic", name, "")
    return Step("create", "topic", name, "", lambda: clients.publisher.create_topic(name=path))


def _exists(clients: Clients, path: str) -> bool:
    try:
        clients.publisher.get_topic(topic=path)
    except NotFound:
        return False
    return True


def _subscription_step(clients: Clients, wanted: types.Subscription, compare: bool) -> Step:
    name, detail = wanted.name.rpartition("/")[2], _detail(wanted)
    current = _find_subscription(clients, wanted.name) if compare else None
    if current is None:
        return Step(
            "create", "subscription", name, detail, lambda: clients.subscriber.create_subscription(request=wanted)
        )
    if current.topic != wanted.topic:
        return Step("change", "subscription", name, f"{detail}, made anew", lambda: _replace(clients, wanted))
    differing = list(_differences(current, wanted))
    if not differing:
        return Step("keep", "subscription", name, detail)
    request = types.UpdateSubscriptionRequest(subscription=wanted, update_mask={"paths": differing})
    return Step(
        "change",
        "subscription",
        name,
        f"{detail} ({', '.join(differing)})",
        lambda: clients.subscriber.update_subscription(request=request),
    )


def _find_subscription(clients: Clients, path: str) -> types.Subscription | None:
    try:
        found: types.Subscription = clients.subscriber.get_subscription(subscription=path)
    except NotFound:
        return None
    return found


def _replace(clients: Clients, wanted: types.Subscription) -> None:
    """A subscription cannot move to another topic; what waits in the old one is of that topic and goes with it."""
    clients.subscriber.delete_subscription(subscription=wanted.name)
    clients.subscriber.create_subscription(request=wanted)


def _differences(current: types.Subscription, wanted: types.Subscription) -> Iterator[str]:
    """Fields to change. Of the push configuration only ours count: the service adds attributes of its own."""
    now, then = current.push_config, wanted.push_config
    if (now.push_endpoint, now.oidc_token) != (then.push_endpoint, then.oidc_token):
        yield "push_config"
    yield from (field for field in _COMPARED if getattr(current, field) != getattr(wanted, field))


def _detail(wanted: types.Subscription) -> str:
    retry, dead = wanted.retry_policy, wanted.dead_letter_policy
    waits = f"{retry.minimum_backoff.total_seconds():g}-{retry.maximum_backoff.total_seconds():g} s"
    end = f"{dead.max_delivery_attempts} deliveries, then dead-letter" if dead.dead_letter_topic else "without end"
    topic = wanted.topic.rpartition("/")[2]
    return f"{topic} -> {wanted.push_config.push_endpoint}, retried after {waits}, {end}"
