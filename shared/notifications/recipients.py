"""To whom something is told, and whose notifications a caller reads."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, or_

from shared.identity.callers import UserCaller
from shared.identity.permissions import SystemRole
from shared.notifications.models import Notification


@dataclass(frozen=True)
class Recipient:
    """A store, everybody with a system role, or a user: exactly one of the three."""

    store_id: UUID | None = None
    role: SystemRole | None = None
    user_id: UUID | None = None


ADMINS = Recipient(role=SystemRole.ADMIN)


def mine(caller: UserCaller) -> ColumnElement[bool]:
    """The notifications for the caller: those of the active store, of the system role, and the user's own."""
    told = [Notification.recipient_user_id == caller.user_id]
    if caller.store_id is not None:
        told.append(Notification.recipient_store_id == caller.store_id)
    if caller.system_role is not None:
        told.append(Notification.recipient_role == caller.system_role)
    return or_(*told)
