"""How a person gets in, stays in and changes stores."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from shared.events.users import SecurityAlert
from shared.identity import sessions
from shared.identity.accounts import Account, lock_account
from shared.identity.models import StoreMembership
from shared.identity.refresh_tokens import RefreshToken
from shared.identity.sessions import RefreshReused, Tokens
from shared.kit import clock
from shared.kit.context import work
from shared.kit.outbox import emit
from shared.kit.tokens import BadToken
from shared.operations.audit import audit


@dataclass(frozen=True)
class Entry:
    """A person who is in: with which tokens, and acting where."""

    account: Account
    active: StoreMembership | None
    tokens: Tokens


def sign_in(session: Session, account: Account, active: StoreMembership | None) -> Entry:
    """Open a session for a locked account that has proved itself."""
    account.user.last_login_at = clock.now()
    _note_use(active)
    work().user_id, work().store_id = account.user.id, active.store_id if active else None
    audit(session, "auth.login_succeeded", "user", account.user.id)
    return Entry(account, active, sessions.open_session(account.facts(active)))


def refresh(session: Session, token: RefreshToken) -> Entry:
    """Carry a session on, with the rights that the person has by now; a lost store leaves it without one.

    Raises BadToken when it is over, RefreshReused when the token was spent.
    """
    account = lock_account(session, sessions.owner_of(token))
    if not account.user.is_active:
        raise BadToken
    held = sessions.hold(token)
    active = account.find(held.store_id)
    return Entry(account, active, sessions.carry_on(held, account.facts(active)))


def end_reused(session: Session, reuse: RefreshReused) -> None:
    """End a session that two parties know the tokens of, and tell its owner (RFC 9700, section 4.14.2)."""
    work().role = "anonymous"
    audit(session, "auth.refresh_reused", "user", reuse.user_id)
    emit(session, SecurityAlert(user_id=reuse.user_id, kind="refresh_reuse"))
    sessions.end(reuse.user_id, reuse.sid)


def switch_store(account: Account, sid: str, store_id: UUID) -> Entry:
    """Let a session of a locked account act for another of its stores. Raises NotFound, BadToken."""
    active = account.get(store_id)
    _note_use(active)
    return Entry(account, active, sessions.move(sid, account.facts(active)))


def start_over(session: Session, account: Account, store_id: UUID | None) -> Entry:
    """End every session of a locked account and open one in their place, acting for the same store."""
    session.flush()
    active = account.find(store_id)
    sessions.end_all(account.user.id)
    return Entry(account, active, sessions.open_session(account.facts(active)))


def _note_use(active: StoreMembership | None) -> None:
    if active is not None:
        active.last_used_at = active.store.last_active_at = clock.now()
