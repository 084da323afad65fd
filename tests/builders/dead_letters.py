"""Messages that consumers gave up on, as Pub/Sub brings them to the dead-letter topic."""

import base64
import itertools
import json
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from shared.kit import clock
from shared.kit.db import read_only, transaction
from shared.kit.dead_letters import bury
from shared.kit.outbox import DeadLetter, OutboxEvent
from shared.kit.publishing.messages import Due, attributes_of, message_of
from shared.kit.tables import as_json
from tests.builders.outbox import a_nudge, damage, emitted, outbox_row

_numbers = itertools.count(1)


def a_message(row_id: UUID, **attributes: str) -> dict[str, Any]:
    """An event of the outbox as its topic hands it out, under a message id of its own."""
    row = outbox_row(row_id)
    names = [name for name in Due.__dataclass_fields__ if name not in ("data", "occurred_at", "created_at")]
    due = Due(
        **{name: getattr(row, name) for name in names},
        data=row.payload,
        occurred_at=row.occurred_at.isoformat(),
        created_at=row.created_at.isoformat(),
    )
    return {
        "data": base64.b64encode(as_json(message_of(due)).encode()).decode(),
        "attributes": attributes_of(due) | attributes,
        "messageId": str(next(_numbers)),
    }


def forwarded(message: dict[str, Any], subscription: str = "on_event_notify", deliveries: int = 10) -> dict[str, Any]:
    """The delivery by which `on_dead_letter` hears of a message."""
    added = {
        "CloudPubSubDeadLetterSourceDeliveryCount": str(deliveries),
        "CloudPubSubDeadLetterSourceSubscription": subscription,
        "CloudPubSubDeadLetterSourceSubscriptionProject": "packfinderz-test",
        "CloudPubSubDeadLetterSourceTopicPublishTime": "2026-07-06T15:00:00.000+00:00",
    }
    attributes = (message.get("attributes") or {}) | added
    return {"message": {**message, "attributes": attributes}, "subscription": "on_dead_letter"}


def a_dead_letter(
    event_id: UUID | None = None,
    *,
    subscription: str = "on_event_notify",
    message: dict[str, Any] | None = None,
    at: datetime | None = None,
) -> DeadLetter:
    """A letter about a nudge that was published and that a consumer failed on ten times; operators know of it."""
    message = message or a_message(event_id or a_published_event())
    with clock.frozen_at(at or clock.now()), transaction() as session:
        bury(session, message, subscription=subscription, attempts=10, reason=f"{subscription} failed on it 10 times")
        kept = select(DeadLetter).where(DeadLetter.message["messageId"].astext == message["messageId"])
        letter = session.scalars(kept).one()
        told = update(OutboxEvent).where(OutboxEvent.aggregate_id == letter.id)
        session.execute(told.values(published_at=clock.now(), attempts=1))
        return letter


def a_published_event() -> UUID:
    """A nudge whose topics have it."""
    event_id = emitted(a_nudge())[-1]
    damage(event_id, published_at="clock_timestamp()", attempts="1")
    return event_id


def letter_now(letter_id: UUID) -> DeadLetter:
    with read_only() as session:
        return session.get_one(DeadLetter, letter_id)


def event_in(message: dict[str, Any]) -> dict[str, Any]:
    """What a message tells."""
    told: dict[str, Any] = json.loads(base64.b64decode(message["data"]))
    return told
