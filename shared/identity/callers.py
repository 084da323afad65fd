"""Who calls, proved: each guard of a route turns a session into one of these callers, or refuses.

The session's facts are written at sign-in and whenever a membership or a role changes, so what a
guard believes is the server's word and never the token's.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.identity.permissions import TRADING, Permission, Role, StoreType, SystemRole, may
from shared.kit.auth import Session
from shared.kit.context import work
from shared.kit.errors import Forbidden
from shared.operations.flags import Flag, flag


@dataclass(frozen=True)
class UserCaller:
    """Anyone who is signed in; `store_id` is the active store, `system_role` what the platform made of them."""

    user_id: UUID
    sid: str
    store_id: UUID | None
    system_role: SystemRole | None


@dataclass(frozen=True)
class MemberCaller(UserCaller):
    """A member acting for the active store."""

    store_id: UUID
    system_role: None
    store_type: StoreType
    role: Role


@dataclass(frozen=True)
class BuyerCaller(MemberCaller):
    """A member acting for a buyer store."""


@dataclass(frozen=True)
class VendorCaller(MemberCaller):
    """A member acting for a vendor store."""


@dataclass(frozen=True)
class AdminCaller(UserCaller):
    """An operator of the platform."""


@dataclass(frozen=True)
class AgentCaller(UserCaller):
    """A driver of the platform."""


class MustChangePassword(Forbidden):
    default_message = "Change your temporary password first."


class MustEnrollMfa(Forbidden):
    default_message = "Set up two-factor sign-in first."


class MustVerifyEmail(Forbidden):
    default_message = "Verify your email first; we can send you the link again."


@dataclass(frozen=True)
class Anyone:
    """Strangers may call; the route's function gets no caller."""

    label: str = "anyone"
    needs_session: bool = False

    def admit(self, session: Session | None, *, writes: bool) -> None:
        """Always lets in."""


@dataclass(frozen=True)
class SignedIn:
    """Whoever is signed in. `even_with_temporary_password` marks the routes that end that state."""

    even_with_temporary_password: bool = False
    label: str = "signed in"
    needs_session: bool = True

    def admit(self, session: Session | None, *, writes: bool) -> UserCaller:  # noqa: ARG002 - a suspended store does not bind the person
        """The user, whatever the active store. Raises Forbidden."""
        held = _held(session, writes=False)
        if not self.even_with_temporary_password:
            _refuse_temporary_password(held)
        return UserCaller(held.user_id, held.sid, held.store_id, _system_role(held))


@dataclass(frozen=True)
class Member:
    """A member whose role in the active store holds the permission; `store_type` narrows which stores.

    `trades` marks what an unverified email may not do where the flag asks for a verified one.
    """

    permission: Permission
    store_type: StoreType | None = None
    trades: bool = False
    needs_session: bool = True

    @property
    def label(self) -> str:
        return f"{self.store_type or 'any'} store: {self.permission}"

    def admit(self, session: Session | None, *, writes: bool) -> MemberCaller:
        """The member. Raises Forbidden without an active store, of the wrong type, or without the permission."""
        held = _held(session, writes=writes)
        _refuse_temporary_password(held)
        facts = held.facts
        if facts["store_type"] == StoreType.VENDOR:
            _refuse_without_mfa(held)
        if held.store_id is None:
            raise Forbidden("Choose a store first.", details={"reason": "no_active_store"})
        store_type, role = StoreType(facts["store_type"]), Role(facts["role"])
        if self.store_type not in (None, store_type):
            raise Forbidden(f"Only a {self.store_type} store may do this.", details={"reason": "store_type"})
        if not may(store_type, role, self.permission):
            raise Forbidden("Your role does not allow this.", details={"permission": self.permission})
        if writes and self.trades:
            _refuse_unverified_email(held)
        work().role = role
        kind = BuyerCaller if store_type is StoreType.BUYER else VendorCaller
        return kind(held.user_id, held.sid, held.store_id, None, store_type, role)


@dataclass(frozen=True)
class System:
    """A user with a system role, who needs no store."""

    role: SystemRole
    needs_session: bool = True

    @property
    def label(self) -> str:
        return f"platform {self.role}"

    def admit(self, session: Session | None, *, writes: bool) -> AdminCaller | AgentCaller:
        """The admin or agent. Raises Forbidden for everybody else."""
        held = _held(session, writes=writes)
        _refuse_temporary_password(held)
        if held.facts.get("system_role") != self.role:
            raise Forbidden(details={"reason": "system_role"})
        if self.role is SystemRole.ADMIN:
            _refuse_without_mfa(held)
        work().role = self.role
        kind = AdminCaller if self.role is SystemRole.ADMIN else AgentCaller
        return kind(held.user_id, held.sid, held.store_id, self.role)


def anyone() -> Anyone:
    return Anyone()


def signed_in(*, even_with_temporary_password: bool = False) -> SignedIn:
    return SignedIn(even_with_temporary_password)


def member(permission: Permission) -> Member:
    return Member(permission, trades=permission in TRADING)


def buyer(permission: Permission, *, trades: bool = False) -> Member:
    return Member(permission, StoreType.BUYER, trades or permission in TRADING)


def vendor(permission: Permission, *, trades: bool = False) -> Member:
    return Member(permission, StoreType.VENDOR, trades or permission in TRADING)


def admin() -> System:
    return System(SystemRole.ADMIN)


def agent() -> System:
    return System(SystemRole.AGENT)


def _held(session: Session | None, *, writes: bool) -> Session:
    assert session is not None, "a guard with needs_session is only asked with one"  # noqa: S101
    if writes and session.facts.get("read_only"):
        raise Forbidden("The store is suspended.", details={"reason": "store_suspended"})
    return session


def _system_role(session: Session) -> SystemRole | None:
    role = session.facts.get("system_role")
    return SystemRole(role) if role else None


def _refuse_temporary_password(session: Session) -> None:
    if session.facts.get("must_change_password"):
        raise MustChangePassword(details={"reason": "must_change_password"})


def _refuse_without_mfa(session: Session) -> None:
    if session.facts.get("lacks_mfa") and flag(Flag.REQUIRE_VENDOR_MFA, session.store_id):
        raise MustEnrollMfa(details={"reason": "mfa_required"})


def _refuse_unverified_email(session: Session) -> None:
    if session.facts.get("lacks_verified_email") and flag(Flag.REQUIRE_EMAIL_VERIFICATION, session.store_id):
        raise MustVerifyEmail(details={"reason": "email_unverified"})


def facts_of(
    *,
    user_id: UUID,
    system_role: SystemRole | None = None,
    store_id: UUID | None = None,
    store_type: StoreType | None = None,
    role: Role | None = None,
    read_only: bool = False,
    must_change_password: bool = False,
    lacks_mfa: bool = False,
    lacks_verified_email: bool = False,
    generation: int = 0,
) -> dict[str, Any]:
    """The facts that a session keeps for these guards; the one place that says how they are written."""
    return {
        "user_id": str(user_id),
        "system_role": system_role,
        "store_id": str(store_id) if store_id else None,
        "store_type": store_type,
        "role": role,
        "read_only": read_only,
        "must_change_password": must_change_password,
        "lacks_mfa": lacks_mfa,
        "lacks_verified_email": lacks_verified_email,
        "gen": generation,
    }
