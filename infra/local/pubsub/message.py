"""A published message, and the copy of it that a dead-letter topic receives."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from infra.local.pubsub.errors import InvalidArgument

# https://cloud.google.com/pubsub/quotas#resource_limits
MAX_MESSAGES_PER_PUBLISH = 1_000
MAX_MESSAGE_BYTES = 10_000_000
MAX_ATTRIBUTES = 100
MAX_ATTRIBUTE_KEY_BYTES = 256
MAX_ATTRIBUTE_VALUE_BYTES = 1_024
MAX_ORDERING_KEY_BYTES = 1_024


@dataclass(frozen=True)
class Draft:
    """What a publisher hands in: data, attributes, or both."""

    data: bytes = b""
    attributes: Mapping[str, str] = field(default_factory=dict)
    ordering_key: str = ""

    def check(self) -> None:
        """Raises InvalidArgument for a message beyond the documented limits."""
        if not self.data and not self.attributes:
            raise InvalidArgument("Some messages are empty")
        if len(self.data) > MAX_MESSAGE_BYTES:
            raise InvalidArgument("A message is larger than 10 MB")
        if len(self.ordering_key.encode()) > MAX_ORDERING_KEY_BYTES:
            raise InvalidArgument("An ordering key is longer than 1,024 bytes")
        if len(self.attributes) > MAX_ATTRIBUTES:
            raise InvalidArgument("A message has more than 100 attributes")
        for key, value in self.attributes.items():
            _check_attribute(key, value)


@dataclass(frozen=True)
class Message:
    """A draft that a topic accepted."""

    id: str
    topic: str
    draft: Draft
    published_at: datetime


def dead_letter_draft(message: Message, *, subscription: str, delivery_count: int) -> Draft:
    """The same message with the attributes that Google adds when it gives up on it.

    Source: https://cloud.google.com/pubsub/docs/handling-failures#how_dead_letter_topics_work
    """
    _, project, _, name = subscription.split("/")
    added = {
        "CloudPubSubDeadLetterSourceDeliveryCount": str(delivery_count),
        "CloudPubSubDeadLetterSourceSubscription": name,
        "CloudPubSubDeadLetterSourceSubscriptionProject": project,
        "CloudPubSubDeadLetterSourceTopicPublishTime": message.published_at.isoformat(timespec="milliseconds"),
    }
    return Draft(message.draft.data, {**message.draft.attributes, **added}, message.draft.ordering_key)


def _check_attribute(key: str, value: str) -> None:
    if not key or len(key.encode()) > MAX_ATTRIBUTE_KEY_BYTES:
        raise InvalidArgument("An attribute key must have 1 to 256 bytes")
    if key.startswith("goog"):
        raise InvalidArgument(f"An attribute key must not begin with goog: {key}")
    if len(value.encode()) > MAX_ATTRIBUTE_VALUE_BYTES:
        raise InvalidArgument(f"The value of attribute {key} is longer than 1,024 bytes")
