"""What was written to the outbox."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from shared.events.catalogue import CATALOGUE
from shared.kit.db import read_only
from shared.kit.outbox import Event, OutboxEvent


class Events:
    """The outbox, as the typed events that were emitted, oldest first."""

    def emitted(self, *kinds: type[Event]) -> list[Event]:
        """All events, or those of some kinds."""
        return [
            CATALOGUE[row.event_type].model_validate(row.payload)
            for row in self.rows()
            if not kinds or CATALOGUE[row.event_type] in kinds
        ]

    def rows(self) -> list[OutboxEvent]:
        with read_only() as session:
            return list(session.scalars(select(OutboxEvent).order_by(OutboxEvent.created_at, OutboxEvent.id)))

    def types(self) -> list[str]:
        return [row.event_type for row in self.rows()]


def audited(action: str | None = None) -> list[tuple[str, UUID | None, dict[str, Any] | None]]:
    """The audit log as (action, target id, after), oldest first."""
    from shared.operations.audit import AuditLog

    with read_only() as session:
        rows = session.scalars(select(AuditLog).order_by(AuditLog.created_at, AuditLog.id))
        return [(row.action, row.target_id, row.after) for row in rows if action in (None, row.action)]
