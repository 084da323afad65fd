"""A delivery as the HTTP request that a Gen2 Cloud Function with a Pub/Sub trigger receives.

Binary content mode of the CloudEvents HTTP binding; type and data as in
https://cloud.google.com/eventarc/docs/cloudevents#pubsub. Like the service, the data names id and time twice.
"""

import base64
import json
from datetime import UTC, datetime
from typing import Any

from infra.local.pubsub.backlog import Delivery
from infra.local.pubsub.message import Message

EVENT_TYPE = "google.cloud.pubsub.topic.v1.messagePublished"


def headers_of(message: Message) -> dict[str, str]:
    """The event's context attributes, as HTTP headers."""
    return {
        "ce-id": message.id,
        "ce-source": f"//pubsub.googleapis.com/{message.topic}",
        "ce-specversion": "1.0",
        "ce-type": EVENT_TYPE,
        "ce-time": _rfc3339(message.published_at),
        "Content-Type": "application/json",
    }


def body_of(delivery: Delivery, *, subscription: str, has_attempts: bool) -> bytes:
    """The event's data as JSON; absent parts are left out, as protobuf's JSON mapping does."""
    data: dict[str, Any] = {"message": _message(delivery.message), "subscription": subscription}
    if has_attempts:
        data["deliveryAttempt"] = delivery.attempt
    return json.dumps(data).encode()


def _message(message: Message) -> dict[str, Any]:
    draft, published_at = message.draft, _rfc3339(message.published_at)
    optional = {
        "data": base64.b64encode(draft.data).decode(),
        "attributes": dict(draft.attributes),
        "orderingKey": draft.ordering_key,
    }
    return {name: value for name, value in optional.items() if value} | {
        "messageId": message.id,
        "message_id": message.id,
        "publishTime": published_at,
        "publish_time": published_at,
    }


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
