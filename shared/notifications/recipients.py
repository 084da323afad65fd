"""To whom something is told."""

from dataclasses import dataclass
from uuid import UUID

from shared.identity.permissions import SystemRole


@dataclass(frozen=True)
class Recipient:
    """A store, everybody with a system role, or a user: exactly one of the three."""

    store_id: UUID | None = None
    role: SystemRole | None = None
    user_id: UUID | None = None


ADMINS = Recipient(role=SystemRole.ADMIN)
