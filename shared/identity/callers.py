"""Who calls, proved: each guard of a route turns a session into one of these callers, or refuses.

The session's facts are written at sign-in and whenever a membership or a role changes, so what a
guard believes is the server's word and never the token's.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.identity.permissions import Permission, Role, StoreType, SystemRole, may
from shared.kit.auth import Session
from shared.kit.context import work
from shared.kit.errors import Forbidden


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
    """A member whose role in the active store holds the permission; `store_type` narrows which stores."""

    permission: Permission
    store_type: StoreType | None = None
    needs_session: bool = True

    @property
    def label(self) -> str:
        return f"{self.store_type or 'any'} store: {self.permission}"

    def admit(self, session: Session | None, *, writes: bool) -> MemberCaller:
        """The member. Raises Forbidden without an active store, of the wrong type, or without the permission."""
        held = _held(session, writes=writes)
        _refuse_temporary_password(held)
        _refuse_without_mfa(held)
        facts = held.facts
        if held.store_id is None:
            raise Forbidden("Choose a store first.", details={"reason": "no_active_store"})
        store_type, role = StoreType(facts["store_type"]), Role(facts["role"])
        if self.store_type not in (None, store_type):
            raise Forbidden(f"Only a {self.store_type} store may do this.", details={"reason": "store_type"})
        if not may(store_type, role, self.permission):
            raise Forbidden("Your role does not allow this.", details={"permission": self.permission})
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
        _refuse_without_mfa(held)
        if held.facts.get("system_role") != self.role:
            raise Forbidden(details={"reason": "system_role"})
        work().role = self.role
        kind = AdminCaller if self.role is SystemRole.ADMIN else AgentCaller
        return kind(held.user_id, held.sid, held.store_id, self.role)


def anyone() -> Anyone:
    return Anyone()


def signed_in(*, even_with_temporary_password: bool = False) -> SignedIn:
    return SignedIn(even_with_temporary_password)


def member(permission: Permission) -> Member:
    return Member(permission)


def buyer(permission: Permission) -> Member:
    return Member(permission, StoreType.BUYER)


def vendor(permission: Permission) -> Member:
    return Member(permission, StoreType.VENDOR)


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
    if session.facts.get("must_enroll_mfa"):
        raise MustEnrollMfa(details={"reason": "mfa_required"})


def facts_of(
    *,
    user_id: UUID,
    system_role: SystemRole | None = None,
    store_id: UUID | None = None,
    store_type: StoreType | None = None,
    role: Role | None = None,
    read_only: bool = False,
    must_change_password: bool = False,
    must_enroll_mfa: bool = False,
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
        "must_enroll_mfa": must_enroll_mfa,
        "gen": generation,
    }
