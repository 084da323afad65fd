"""Mailed links: a forgotten password is replaced, an invitation is followed, an email is proved."""

from dataclasses import dataclass

from pydantic import SecretStr
from sqlalchemy.orm import Session

from shared.events.users import EmailVerificationRequested, PasswordResetRequested, SecurityAlert
from shared.identity import invitations, one_time_tokens, passwords, queries, sessions
from shared.identity.models import TokenPurpose, User
from shared.identity.one_time_tokens import SETS_PASSWORD, TokenNotGood
from shared.kit import clock
from shared.kit.context import work
from shared.kit.db import read_only
from shared.kit.errors import StateConflict
from shared.kit.outbox import emit
from shared.operations.audit import audit


class AlreadyVerified(StateConflict):
    default_message = "This email is verified already."

    def __init__(self) -> None:
        super().__init__(details={"reason": "already_verified"})


def request_reset(session: Session, email: str) -> None:
    """Have a reset link mailed, if there is such an open account; tells nothing."""
    user = queries.find_user_by_email(session, email)
    if user is not None and user.is_active:
        emit(session, PasswordResetRequested(user_id=user.id))


@dataclass(frozen=True)
class Reset:
    """A new password for whom a link was mailed to, hashed before any transaction."""

    token: str
    user: User
    new_hash: str

    def make(self, session: Session) -> None:
        """Use the link: set the password, end all sessions, follow open invitations. Raises TokenNotGood."""
        user = queries.lock_user(session, self.user.id)
        purpose = one_time_tokens.spend(session, self.token, *SETS_PASSWORD)
        if not user.is_active:
            raise TokenNotGood
        user.password_hash = self.new_hash
        user.must_change_password = False
        user.email_verified_at = user.email_verified_at or clock.now()
        work().user_id = user.id
        invitations.accept_all(session, user.id)
        audit(session, "auth.password_reset", "user", user.id, after={"by": purpose})
        if purpose is TokenPurpose.PASSWORD_RESET:
            emit(session, SecurityAlert(user_id=user.id, kind="password_reset"))
        sessions.end_all(user.id)


def prepare_reset(token: str, new: SecretStr) -> Reset:
    """The reset asked for. Raises TokenNotGood, and InvalidRequest for a weak password."""
    with read_only() as session:
        user = one_time_tokens.get_bearer(session, token, *SETS_PASSWORD)
    passwords.refuse_weak(new, email=user.email, field="new_password")
    return Reset(token, user, passwords.hash_of(new))


def request_verification(session: Session, user: User) -> None:
    """Have a link mailed that proves the email. Raises AlreadyVerified."""
    if user.email_verified_at is not None:
        raise AlreadyVerified
    emit(session, EmailVerificationRequested(user_id=user.id))


def verify_email(session: Session, token: str) -> None:
    """Use a link that proves an email; open sessions may trade from their next request on. Raises TokenNotGood."""
    bearer = one_time_tokens.get_bearer(session, token, TokenPurpose.EMAIL_VERIFICATION)
    user = queries.lock_user(session, bearer.id)
    one_time_tokens.spend(session, token, TokenPurpose.EMAIL_VERIFICATION)
    user.email_verified_at = user.email_verified_at or clock.now()
    session.flush()
    sessions.note_verified_email(user.id)
