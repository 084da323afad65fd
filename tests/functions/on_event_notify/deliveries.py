"""Events as they lie in the outbox and come by Pub/Sub, and the mail that was written down for them."""

from typing import Any

from sqlalchemy import select, text

from shared.kit.db import read_only, transaction
from shared.kit.outbox import Event, OutboxEvent, emit
from shared.notifications.models import EmailDelivery
from tests.deliveries import delivery_of
from tests.events import Events


def announced(event: Event) -> OutboxEvent:
    """The event as it lies in the outbox."""
    with transaction() as session:
        emit(session, event)
    return next(row for row in reversed(Events().rows()) if row.event_type == event.event_type())


def delivered(event: Event) -> dict[str, Any]:
    """The delivery of a new event."""
    return delivery_of(announced(event))


def written() -> list[EmailDelivery]:
    """The mail that was written down, in order."""
    with read_only() as session:
        return list(session.scalars(select(EmailDelivery).order_by(EmailDelivery.id)))


def end_claims() -> None:
    """Let the time pass for which mail is claimed."""
    with transaction() as session:
        session.execute(text("UPDATE email_deliveries SET due_at = clock_timestamp()"))


def outcomes() -> list[tuple[str, int, str | None]]:
    """What became of the mail: status, tries, reason."""
    return [(mail.status.value, mail.attempts, mail.reason) for mail in written()]
