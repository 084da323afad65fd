"""Mail on its way: claimed for a while by whoever sends it, finished once, given back when it could not be sent.

A claim moves `due_at` ahead. Who dies with one leaves the mail to be claimed again when that time has passed, by the
database's clock: those who claim share no other, and one whose own is ahead would take what another is sending.
"""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, or_, select, update
from sqlalchemy.orm import Session

from shared.kit import clock
from shared.notifications.models import DeliveryStatus, EmailDelivery

CLAIMED_FOR = timedelta(seconds=60)
FORGOTTEN_AFTER = timedelta(minutes=10)
GIVEN_UP_AFTER = timedelta(days=1)

_PENDING = EmailDelivery.status == DeliveryStatus.PENDING
_NOW = func.statement_timestamp()


def claim(session: Session, event_id: UUID, *, limit: int) -> list[EmailDelivery]:
    """Mail of an event, ours to send until the claim ends."""
    is_free = or_(EmailDelivery.attempts == 0, EmailDelivery.due_at <= _NOW)
    return _claim(session, EmailDelivery.event_id == event_id, is_free, limit=limit)


def claim_forgotten(session: Session, *, limit: int) -> list[EmailDelivery]:
    """Mail of any event that nobody came back for, and that is not yet too old to matter."""
    is_forgotten = EmailDelivery.due_at <= _NOW - FORGOTTEN_AFTER
    return _claim(session, is_forgotten, EmailDelivery.created_at > _NOW - GIVEN_UP_AFTER, limit=limit)


def _claim(session: Session, *which: ColumnElement[bool], limit: int) -> list[EmailDelivery]:
    """What was tried less often comes first, so that one mail that always fails does not hold up the others."""
    order = (EmailDelivery.attempts, EmailDelivery.id)
    due = select(EmailDelivery.id).where(_PENDING, *which).order_by(*order).limit(limit)
    statement = (
        update(EmailDelivery)
        .where(EmailDelivery.id.in_(due.with_for_update(skip_locked=True).scalar_subquery()))
        .values(due_at=_NOW + CLAIMED_FOR, attempts=EmailDelivery.attempts + 1)
        .returning(EmailDelivery)
    )
    claimed = session.scalars(statement, execution_options={"synchronize_session": False})
    return sorted(claimed, key=lambda mail: (mail.attempts, mail.id))


def finish(session: Session, delivery_id: UUID, status: DeliveryStatus, reason: str | None = None) -> None:
    """Record what became of a mail; it is not sent any more."""
    statement = update(EmailDelivery).where(EmailDelivery.id == delivery_id, _PENDING)
    session.execute(statement.values(status=status, reason=reason, finished_at=clock.now()))


def give_back(session: Session, delivery_ids: Collection[UUID]) -> None:
    """End the claim on mail that was not sent, so that the next delivery of its event may send it."""
    statement = update(EmailDelivery).where(EmailDelivery.id.in_(delivery_ids), _PENDING)
    session.execute(statement.values(due_at=_NOW))


def is_waiting(session: Session, event_id: UUID) -> bool:
    """Whether mail of this event is still to be sent, by us or by someone who has claimed it."""
    return bool(session.scalar(select(exists().where(EmailDelivery.event_id == event_id, _PENDING))))
