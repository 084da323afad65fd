"""An outbox row as the message that consumers read, if it fits the catalogue."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from shared.kit.outbox import Event, UnknownVersion

Catalogue = Mapping[str, type[Event]]


class Unpublishable(Exception):
    """No attempt will ever bring this event to its topics."""


@dataclass(frozen=True, slots=True)
class Due:
    """A claimed row; times are text as JSON has them, `attempts` counts those before this one."""

    id: UUID
    event_type: str
    version: int
    aggregate_type: str
    aggregate_id: UUID
    sequence: int
    occurred_at: str
    actor: str
    request_id: str
    traceparent: str | None
    data: dict[str, Any]
    attempts: int
    created_at: str


def fitting(row: Due, catalogue: Catalogue) -> type[Event]:
    """The row's class, whose current and previous version go out. Raises Unpublishable."""
    kind = catalogue.get(row.event_type)
    if kind is None:
        raise Unpublishable("the catalogue has no such event")
    try:
        kind.read(row.version, row.data)
    except UnknownVersion as error:
        raise Unpublishable(str(error)) from error
    except ValidationError as error:
        places = (".".join(map(str, found["loc"])) for found in error.errors(include_input=False, include_url=False))
        raise Unpublishable(f"the payload does not fit: {', '.join(places)}") from error
    return kind


def message_of(row: Due) -> dict[str, Any]:
    """The event as it travels; `shared.kit.consumer` reads the same fields."""
    return {
        "event_id": row.id,
        "event_type": row.event_type,
        "version": row.version,
        "aggregate_type": row.aggregate_type,
        "aggregate_id": row.aggregate_id,
        "sequence": row.sequence,
        "occurred_at": row.occurred_at,
        "actor": row.actor,
        "request_id": row.request_id,
        "data": row.data,
    }


def attributes_of(row: Due) -> dict[str, str]:
    """What can be told of the event without opening it."""
    told = {
        "event_id": str(row.id),
        "event_type": row.event_type,
        "version": str(row.version),
        "aggregate_id": str(row.aggregate_id),
        "request_id": row.request_id,
        "traceparent": row.traceparent,
    }
    return {name: value for name, value in told.items() if value}
