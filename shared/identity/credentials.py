"""Proving who one is by email and password. Every failure looks alike and costs the same."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import SecretStr

from shared.identity import passwords, queries
from shared.identity.models import User
from shared.identity.permissions import SystemRole
from shared.kit.context import work
from shared.kit.db import read_only, transaction
from shared.kit.errors import InvalidRequest, Unauthorized
from shared.operations.audit import audit


class SignInRefused(Unauthorized):
    """Someone did not get in. `user_id` is whose account it was about, for the audit log; it is told to nobody."""

    def __init__(self, user_id: UUID | None, *, details: dict[str, Any] | None = None) -> None:
        super().__init__(details=details)
        self.user_id = user_id


class WrongCredentials(SignInRefused):
    reason = "credentials"
    default_message = "The email or the password is wrong."


@dataclass(frozen=True)
class Proof:
    """That someone knew the password behind `seen_hash`; `better_hash` keeps it at the present cost."""

    user_id: UUID
    seen_hash: str
    better_hash: str | None

    def confirm(self, user: User) -> None:
        """Say it again of the locked row. Raises WrongCredentials when the password was changed meanwhile."""
        if user.password_hash != self.seen_hash or not user.is_active:
            raise WrongCredentials(self.user_id)
        user.password_hash = self.better_hash or self.seen_hash
        work().user_id = user.id


def match(user: User | None, password: SecretStr) -> Proof | None:
    """The proof, or none: nobody, a wrong password and a closed account take equally long.

    Hashing is slow, so no transaction should be open meanwhile; `Proof.confirm` closes the gap.
    """
    kept = user.password_hash if user else None
    matched = passwords.matches(kept, password)
    if user is None or kept is None or not matched or not user.is_active:
        return None
    return Proof(user.id, kept, passwords.hash_of(password) if passwords.is_outdated(kept) else None)


def prove(email: str, password: SecretStr, *, needed: SystemRole | None = None) -> Proof:
    """The proof of someone who has the system role, if one is needed. Raises WrongCredentials."""
    with read_only() as session:
        user = queries.find_user_by_email(session, email)
    proof = match(user, password)
    if proof is None or user is None or needed not in (None, user.system_role):
        raise WrongCredentials(user.id if user else None)
    return proof


@contextmanager
def refusals_audited() -> Iterator[None]:
    """Put around a sign-in and its transaction, which a refusal undoes: audit that there was one."""
    try:
        yield
    except SignInRefused as refusal:
        note_failure(refusal.user_id, after=refusal.details)
        raise


def note_failure(user_id: UUID | None, *, after: dict[str, Any] | None = None) -> None:
    """Audit that a stranger did not get in."""
    work().user_id, work().role = None, "anonymous"
    with transaction() as session:
        audit(session, "auth.login_failed", "user", user_id, after=after)


def prove_again(user_id: UUID, password: SecretStr) -> Proof:
    """The proof of someone who is signed in already. Raises InvalidRequest for another password, NotFound."""
    with read_only() as session:
        user = queries.get_user(session, user_id)
    proof = match(user, password)
    if proof is None:
        raise InvalidRequest.field("password", "This is not your password.")
    return proof
