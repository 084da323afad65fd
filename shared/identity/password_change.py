"""A person replaces their password by another."""

from dataclasses import dataclass
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy.orm import Session

from shared.events.users import SecurityAlert
from shared.identity import passwords, queries, sessions
from shared.identity.models import User
from shared.kit.db import read_only
from shared.kit.errors import InvalidRequest, StateConflict
from shared.kit.outbox import emit
from shared.operations.audit import audit


class NotJoined(StateConflict):
    default_message = "This person was invited and has set no password yet; have the invitation sent again."

    def __init__(self) -> None:
        super().__init__(details={"reason": "not_joined"})


@dataclass(frozen=True)
class PasswordChange:
    """A change from the password behind `seen_hash`, proved and hashed before any transaction."""

    seen_hash: str
    new_hash: str

    def make(self, session: Session, user: User) -> None:
        """Change the locked user; told to them and audited. Raises InvalidRequest when a rival was faster."""
        if user.password_hash != self.seen_hash:
            raise _wrong_current()
        user.password_hash = self.new_hash
        user.must_change_password = False
        audit(session, "auth.password_changed", "user", user.id)
        emit(session, SecurityAlert(user_id=user.id, kind="password_changed"))


def prepare_change(user_id: UUID, *, current: SecretStr, new: SecretStr) -> PasswordChange:
    """The change asked for. Raises InvalidRequest for a weak new password or a wrong current one, NotFound."""
    with read_only() as session:
        user = queries.get_user(session, user_id)
    if new == current:
        raise InvalidRequest.field("new_password", "This is your current password.")
    passwords.refuse_weak(new, email=user.email, field="new_password")
    if user.password_hash is None or not passwords.matches(user.password_hash, current):
        raise _wrong_current()
    return PasswordChange(user.password_hash, passwords.hash_of(new))


def replace_by_temporary(session: Session, user_id: UUID, new_hash: str) -> None:
    """An admin sets a password to be replaced at the next sign-in; every session ends. Raises NotFound, NotJoined.

    The first password comes with the proof of the mailbox that an invitation is.
    """
    user = queries.lock_user(session, user_id)
    if user.password_hash is None:
        raise NotJoined
    user.password_hash, user.must_change_password = new_hash, True
    audit(session, "auth.password_reset", "user", user.id, after={"by": "admin"})
    emit(session, SecurityAlert(user_id=user.id, kind="password_reset"))
    sessions.end_all(user.id)


def _wrong_current() -> InvalidRequest:
    return InvalidRequest.field("current_password", "This is not your current password.")
