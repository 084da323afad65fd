"""A delivery as a subscriber receives it."""

from google.pubsub_v1 import types

from infra.local.pubsub.backlog import Delivery
from infra.local.pubsub.subscription import Subscription


def received(subscription: Subscription, delivery: Delivery) -> types.ReceivedMessage:
    """The delivery on the wire; the attempt only where a dead-letter policy counts it."""
    message, draft = delivery.message, delivery.message.draft
    return types.ReceivedMessage(
        ack_id=delivery.ack_id,
        message=types.PubsubMessage(
            data=draft.data,
            attributes=dict(draft.attributes),
            message_id=message.id,
            publish_time=message.published_at,
            ordering_key=draft.ordering_key,
        ),
        delivery_attempt=delivery.attempt if subscription.has_attempts else 0,
    )
