"""Events about people. Secrets never travel in events: who sends a mail makes the token that it carries."""

from typing import ClassVar
from uuid import UUID

from shared.events import topics
from shared.kit.outbox import Event

_ID = "01980000-0000-7000-8000-000000000001"


class UserEvent(Event):
    """Something that concerns one person."""

    aggregate: ClassVar[str] = "user"
    topics: ClassVar[tuple[str, ...]] = (topics.NOTIFICATIONS,)
    user_id: UUID

    @property
    def aggregate_id(self) -> UUID:
        return self.user_id


class MemberInvited(UserEvent):
    """Someone was asked to join a store."""

    example = {"user_id": _ID, "store_id": _ID, "role": "staff", "invited_by": _ID}
    store_id: UUID
    role: str
    invited_by: UUID


class PasswordResetRequested(UserEvent):
    """A reset link is wanted."""

    example = {"user_id": _ID}


class EmailVerificationRequested(UserEvent):
    """An address waits to be proved."""

    example = {"user_id": _ID}


class SecurityAlert(UserEvent):
    """Something about an account that its owner should know, such as `refresh_reuse`."""

    example = {"user_id": _ID, "kind": "refresh_reuse"}
    kind: str
