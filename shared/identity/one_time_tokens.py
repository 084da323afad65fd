"""Tokens that are mailed to prove a mailbox: single use, short-lived, and only their digest is kept.

Whoever sends the mail issues the token, so that it never travels in an event.
"""

import hashlib
import secrets
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from shared.identity.models import OneTimeToken, TokenPurpose, User
from shared.kit import clock
from shared.kit.errors import InvalidRequest

LIFETIMES = {
    TokenPurpose.PASSWORD_RESET: timedelta(minutes=30),
    TokenPurpose.INVITATION: timedelta(days=7),
    TokenPurpose.EMAIL_VERIFICATION: timedelta(hours=24),
}
SETS_PASSWORD = (TokenPurpose.PASSWORD_RESET, TokenPurpose.INVITATION)


class TokenNotGood(InvalidRequest):
    def __init__(self) -> None:
        found = {"path": "token", "message": "This link was used already, or is too old; ask for another."}
        super().__init__(details={"fields": [found]})


def issue(session: Session, user_id: UUID, purpose: TokenPurpose) -> str:
    """A new token to be mailed to a person. Earlier ones stay good until one of them is used."""
    token = secrets.token_urlsafe(32)
    session.add(
        OneTimeToken(
            user_id=user_id, purpose=purpose, digest=_digest(token), expires_at=clock.now() + LIFETIMES[purpose]
        )
    )
    return token


def get_bearer(session: Session, token: str, *purposes: TokenPurpose) -> User:
    """Whom a token was mailed to. Raises TokenNotGood when it is unknown, used or too old, or the account closed."""
    statement = select(User).join(OneTimeToken, OneTimeToken.user_id == User.id).where(*_good(token, *purposes))
    user = session.scalar(statement.where(User.is_active))
    if user is None:
        raise TokenNotGood
    return user


def spend(session: Session, token: str, *purposes: TokenPurpose) -> TokenPurpose:
    """Use a token, once only, and with it all others of these purposes; its purpose. Raises TokenNotGood."""
    statement = update(OneTimeToken).where(*_good(token, *purposes)).values(used_at=clock.now())
    spent = session.execute(statement.returning(OneTimeToken.user_id, OneTimeToken.purpose)).one_or_none()
    if spent is None:
        raise TokenNotGood
    others = update(OneTimeToken).where(
        OneTimeToken.user_id == spent.user_id, OneTimeToken.purpose.in_(purposes), OneTimeToken.used_at.is_(None)
    )
    session.execute(others.values(used_at=clock.now()))
    return TokenPurpose(spent.purpose)


def _good(token: str, *purposes: TokenPurpose) -> tuple[ColumnElement[bool], ...]:
    return (
        OneTimeToken.digest == _digest(token),
        OneTimeToken.purpose.in_(purposes),
        OneTimeToken.used_at.is_(None),
        OneTimeToken.expires_at > clock.now(),
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
