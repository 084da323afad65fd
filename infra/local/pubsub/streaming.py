"""StreamingPull: a subscriber keeps one stream open, on which deliveries go out and decisions come in.

There is no flow control on this side: the official client holds what it has no room for.
"""

import threading
from collections.abc import Iterator
from typing import Any

import grpc
from google.pubsub_v1 import types

from infra.local.pubsub.broker import Broker
from infra.local.pubsub.errors import PubsubError, Unavailable
from infra.local.pubsub.received import received
from infra.local.pubsub.subscription import Subscription

_BATCH = 100


def stream(
    broker: Broker, requests: Iterator[types.StreamingPullRequest], context: Any
) -> Iterator[types.StreamingPullResponse]:
    """Deliver until the client leaves. Raises as Pull does, NotFound once the subscription is deleted, and
    Unavailable when the emulator stops."""
    first = next(requests)
    subscription = broker.get_subscription(first.subscription)
    subscription.check_pullable()
    context.add_callback(subscription.mailbox.wake)
    threading.Thread(target=_listen, args=(subscription, requests, context), daemon=True).start()
    while context.is_active():
        if subscription.mailbox.is_closed:
            broker.get_subscription(first.subscription)
            raise Unavailable("The service is stopping.")
        yield _next_response(subscription, first.stream_ack_deadline_seconds, context)


def _next_response(subscription: Subscription, ack_deadline_s: int, context: Any) -> types.StreamingPullResponse:
    """Wait for deliveries; empty when the wait was ended."""
    deliveries = subscription.mailbox.take(_BATCH, patience_s=None, is_cancelled=lambda: not context.is_active())
    if deliveries and ack_deadline_s:
        subscription.set_deadline([delivery.ack_id for delivery in deliveries], seconds=ack_deadline_s)
    return types.StreamingPullResponse(
        received_messages=[received(subscription, delivery) for delivery in deliveries],
        subscription_properties=types.StreamingPullResponse.SubscriptionProperties(
            message_ordering_enabled=subscription.config.enable_message_ordering
        ),
    )


def _listen(subscription: Subscription, requests: Iterator[types.StreamingPullRequest], context: Any) -> None:
    """Carry out what the client decides on its side of the stream; a senseless request ends the stream."""
    try:
        for request in requests:
            _decide(subscription, request)
    except PubsubError:
        context.cancel()
    except grpc.RpcError:
        # The stream is over, which `stream` learns by itself.
        return


def _decide(subscription: Subscription, request: types.StreamingPullRequest) -> None:
    if request.ack_ids:
        subscription.ack(request.ack_ids)
    for ack_id, seconds in zip(request.modify_deadline_ack_ids, request.modify_deadline_seconds, strict=True):
        subscription.set_deadline([ack_id], seconds=seconds)
