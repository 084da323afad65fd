"""Outbox rows as Pub/Sub delivers them."""

import base64
import json
from typing import Any

from shared.kit.outbox import OutboxEvent


def delivery_of(row: OutboxEvent) -> dict[str, Any]:
    """The data of the CloudEvent that brings this event."""
    told = {
        "event_id": str(row.id),
        "event_type": row.event_type,
        "version": row.version,
        "aggregate_type": row.aggregate_type,
        "aggregate_id": str(row.aggregate_id),
        "sequence": row.sequence,
        "occurred_at": row.occurred_at.isoformat(),
        "actor": row.actor,
        "request_id": row.request_id,
        "data": row.payload,
    }
    attributes = {"event_id": str(row.id), "event_type": row.event_type, "version": str(row.version)}
    data = base64.b64encode(json.dumps(told).encode()).decode()
    return {"message": {"data": data, "attributes": attributes}, "subscription": "dispatch"}
