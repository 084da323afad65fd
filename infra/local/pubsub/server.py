"""The gRPC server that the official clients reach through PUBSUB_EMULATOR_HOST."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf import empty_pb2
from google.pubsub_v1 import types

from infra.local.pubsub.broker import Broker
from infra.local.pubsub.errors import PubsubError
from infra.local.pubsub.service import PublisherService, SubscriberService

# Each waiting Pull and each open StreamingPull keeps one thread.
_THREADS = 64
# A publish call may carry 10 MB of messages (https://cloud.google.com/pubsub/quotas) and what wraps them.
_MAX_REQUEST_BYTES = 20 * 1024 * 1024

Handlers = dict[str, grpc.RpcMethodHandler]


def create_server(broker: Broker, *, host: str, port: int) -> tuple[grpc.Server, int]:
    """A server not yet started, and its port (0 picks a free one). Raises RuntimeError when the port is taken."""
    server = grpc.server(
        ThreadPoolExecutor(_THREADS, thread_name_prefix="pubsub"),
        options=[("grpc.max_receive_message_length", _MAX_REQUEST_BYTES), ("grpc.so_reuseport", 0)],
    )
    services = {
        "google.pubsub.v1.Publisher": _publisher(PublisherService(broker)),
        "google.pubsub.v1.Subscriber": _subscriber(SubscriberService(broker)),
    }
    for name, handlers in services.items():
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(name, handlers)])
    return server, server.add_insecure_port(f"{host}:{port}")


def _publisher(service: PublisherService) -> Handlers:
    return {
        "CreateTopic": _unary(service.create_topic, types.Topic),
        "GetTopic": _unary(service.get_topic, types.GetTopicRequest),
        "ListTopics": _unary(service.list_topics, types.ListTopicsRequest),
        "DeleteTopic": _unary(service.delete_topic, types.DeleteTopicRequest),
        "ListTopicSubscriptions": _unary(service.list_topic_subscriptions, types.ListTopicSubscriptionsRequest),
        "Publish": _unary(service.publish, types.PublishRequest),
    }


def _subscriber(service: SubscriberService) -> Handlers:
    return {
        "CreateSubscription": _unary(service.create_subscription, types.Subscription),
        "GetSubscription": _unary(service.get_subscription, types.GetSubscriptionRequest),
        "UpdateSubscription": _unary(service.update_subscription, types.UpdateSubscriptionRequest),
        "ModifyPushConfig": _unary(service.modify_push_config, types.ModifyPushConfigRequest),
        "ListSubscriptions": _unary(service.list_subscriptions, types.ListSubscriptionsRequest),
        "DeleteSubscription": _unary(service.delete_subscription, types.DeleteSubscriptionRequest),
        "Pull": _unary(service.pull, types.PullRequest),
        "StreamingPull": _stream(service.streaming_pull, types.StreamingPullRequest),
        "Acknowledge": _unary(service.acknowledge, types.AcknowledgeRequest),
        "ModifyAckDeadline": _unary(service.modify_ack_deadline, types.ModifyAckDeadlineRequest),
    }


def _unary(method: Callable[[Any, Any], Any], request_type: Any) -> grpc.RpcMethodHandler:
    def answer(request: Any, context: Any) -> Any:
        try:
            return method(request, context)
        except PubsubError as error:
            return _refuse(context, error)

    return grpc.unary_unary_rpc_method_handler(answer, request_type.deserialize, _serialize)


def _stream(method: Callable[[Any, Any], Iterator[Any]], request_type: Any) -> grpc.RpcMethodHandler:
    def answer(requests: Any, context: Any) -> Iterator[Any]:
        try:
            yield from method(requests, context)
        except PubsubError as error:
            _refuse(context, error)

    return grpc.stream_stream_rpc_method_handler(answer, request_type.deserialize, _serialize)


def _refuse(context: Any, error: PubsubError) -> None:
    context.abort(grpc.StatusCode[error.code], str(error))


def _serialize(response: Any) -> bytes:
    if isinstance(response, empty_pb2.Empty):
        return b""
    return bytes(type(response).serialize(response))
