"""google.pubsub.v1.Publisher and Subscriber, RPC by RPC, over a broker."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from google.protobuf import empty_pb2
from google.pubsub_v1 import types

from infra.local.pubsub import streaming
from infra.local.pubsub.broker import Broker
from infra.local.pubsub.errors import InvalidArgument
from infra.local.pubsub.message import Draft
from infra.local.pubsub.received import received

# Google's emulator answers an empty pull after about a second, too.
_PULL_PATIENCE_S = 1.0
_PAGE_SIZE = 100

Item = TypeVar("Item")


class PublisherService:
    """The topics' side. Methods carry the names of the RPCs in snake case and may raise PubsubError."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def create_topic(self, request: types.Topic, _: Any) -> types.Topic:
        return self._broker.create_topic(request)

    def get_topic(self, request: types.GetTopicRequest, _: Any) -> types.Topic:
        return self._broker.get_topic(request.topic).config

    def list_topics(self, request: types.ListTopicsRequest, _: Any) -> types.ListTopicsResponse:
        topics, token = _page(self._broker.list_topics(request.project), request.page_size, request.page_token)
        return types.ListTopicsResponse(topics=topics, next_page_token=token)

    def delete_topic(self, request: types.DeleteTopicRequest, _: Any) -> empty_pb2.Empty:
        self._broker.delete_topic(request.topic)
        return empty_pb2.Empty()

    def list_topic_subscriptions(
        self, request: types.ListTopicSubscriptionsRequest, _: Any
    ) -> types.ListTopicSubscriptionsResponse:
        names = self._broker.list_topic_subscriptions(request.topic)
        page, token = _page(names, request.page_size, request.page_token)
        return types.ListTopicSubscriptionsResponse(subscriptions=page, next_page_token=token)

    def publish(self, request: types.PublishRequest, _: Any) -> types.PublishResponse:
        drafts = [Draft(m.data, dict(m.attributes), m.ordering_key) for m in request.messages]
        return types.PublishResponse(message_ids=self._broker.publish(request.topic, drafts))


class SubscriberService:
    """The subscriptions' side. Methods carry the names of the RPCs in snake case and may raise PubsubError."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def create_subscription(self, request: types.Subscription, _: Any) -> types.Subscription:
        return self._broker.create_subscription(request)

    def get_subscription(self, request: types.GetSubscriptionRequest, _: Any) -> types.Subscription:
        return self._broker.get_subscription(request.subscription).config

    def update_subscription(self, request: types.UpdateSubscriptionRequest, _: Any) -> types.Subscription:
        return self._broker.change_subscription(request.subscription, request.update_mask.paths)

    def modify_push_config(self, request: types.ModifyPushConfigRequest, _: Any) -> empty_pb2.Empty:
        wanted = types.Subscription(name=request.subscription, push_config=request.push_config)
        self._broker.change_subscription(wanted, ["push_config"])
        return empty_pb2.Empty()

    def list_subscriptions(self, request: types.ListSubscriptionsRequest, _: Any) -> types.ListSubscriptionsResponse:
        found = self._broker.list_subscriptions(request.project)
        page, token = _page(found, request.page_size, request.page_token)
        return types.ListSubscriptionsResponse(subscriptions=page, next_page_token=token)

    def delete_subscription(self, request: types.DeleteSubscriptionRequest, _: Any) -> empty_pb2.Empty:
        self._broker.delete_subscription(request.subscription)
        return empty_pb2.Empty()

    def pull(self, request: types.PullRequest, context: Any) -> types.PullResponse:
        subscription = self._broker.get_subscription(request.subscription)
        subscription.check_pullable()
        if request.max_messages <= 0:
            raise InvalidArgument("No max_messages specified")
        context.add_callback(subscription.mailbox.wake)
        deliveries = subscription.mailbox.take(
            request.max_messages,
            patience_s=0.0 if request.return_immediately else _PULL_PATIENCE_S,
            is_cancelled=lambda: not context.is_active(),
        )
        return types.PullResponse(received_messages=[received(subscription, d) for d in deliveries])

    def streaming_pull(
        self, requests: Iterator[types.StreamingPullRequest], context: Any
    ) -> Iterator[types.StreamingPullResponse]:
        yield from streaming.stream(self._broker, requests, context)

    def acknowledge(self, request: types.AcknowledgeRequest, _: Any) -> empty_pb2.Empty:
        self._broker.get_subscription(request.subscription).ack(request.ack_ids)
        return empty_pb2.Empty()

    def modify_ack_deadline(self, request: types.ModifyAckDeadlineRequest, _: Any) -> empty_pb2.Empty:
        subscription = self._broker.get_subscription(request.subscription)
        subscription.set_deadline(request.ack_ids, seconds=request.ack_deadline_seconds)
        return empty_pb2.Empty()


def _page(items: Sequence[Item], size: int, token: str) -> tuple[Sequence[Item], str]:
    """One page, and the token of the next ("" when it is the last); a token is the place to go on from."""
    if token and not token.isdecimal():
        raise InvalidArgument("Invalid page token")
    start = int(token or 0)
    end = start + (size or _PAGE_SIZE)
    return items[start:end], str(end) if end < len(items) else ""
