"""The end of every subscription: what Pub/Sub gave up delivering is kept as a dead letter."""

from typing import Any

from shared.kit import db
from shared.kit.consumer import Consumer
from shared.kit.dead_letters import bury

# What Pub/Sub adds to a message that it forwards to a dead-letter topic
# (https://cloud.google.com/pubsub/docs/handling-failures#how_dead_letter_topics_work).
_SUBSCRIPTION = "CloudPubSubDeadLetterSourceSubscription"
_DELIVERIES = "CloudPubSubDeadLetterSourceDeliveryCount"


class DeadLetterConsumer(Consumer):
    """A consumer that reads no event: it keeps the message as it came, whatever is in it."""

    def _handle(self, message: dict[str, Any]) -> str:
        attributes = message.get("attributes") or {}
        subscription = attributes.get(_SUBSCRIPTION, "unknown")
        told = attributes.get(_DELIVERIES, "")
        attempts = int(told) if told.isdecimal() else 1
        reason = f"{subscription} failed on it {attempts} times"
        return "done" if db.retrying(lambda: _keep(message, subscription, attempts, reason)) else "repeated"


def _keep(message: dict[str, Any], subscription: str, attempts: int, reason: str) -> bool:
    with db.transaction() as session:
        return bury(session, message, subscription=subscription, attempts=attempts, reason=reason)
