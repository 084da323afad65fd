"""The people of a store: nobody lifts anyone above themselves, and the last owner stays.

Locks are taken in one order everywhere: the person, then memberships by id, then the store.
"""

from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from shared.identity import queries, sessions
from shared.identity.callers import MemberCaller
from shared.identity.models import MembershipStatus, StoreMembership
from shared.identity.permissions import Role
from shared.kit.errors import Conflict, Forbidden, NotFound
from shared.operations.audit import audit

PRESENT = (MembershipStatus.ACTIVE, MembershipStatus.INVITED)
_RANKS = list(Role)
"""From the owner downwards, as the roles are declared."""


class LastOwner(Conflict):
    default_message = "A store cannot be without an owner; make someone else one first."

    def __init__(self) -> None:
        super().__init__(details={"reason": "last_owner"})


class RoleAboveYours(Forbidden):
    default_message = "You cannot give, change or take away a role above your own."

    def __init__(self) -> None:
        super().__init__(details={"reason": "role_above_yours"})


def select_people(store_id: UUID) -> Select[StoreMembership]:
    """Members of a store and those invited, with the people."""
    return (
        select(StoreMembership)
        .join(StoreMembership.user)
        .options(contains_eager(StoreMembership.user))
        .where(StoreMembership.store_id == store_id, StoreMembership.status.in_(PRESENT))
    )


def refuse_above(by: MemberCaller, *roles: Role) -> None:
    """Raises RoleAboveYours when one of the roles is higher than the caller's."""
    if any(_RANKS.index(role) < _RANKS.index(by.role) for role in roles):
        raise RoleAboveYours


def change_role(session: Session, store_id: UUID, user_id: UUID, role: Role, *, by: MemberCaller) -> StoreMembership:
    """Give someone another role; what they may do changes with their next request.

    Raises NotFound, RoleAboveYours, LastOwner.
    """
    membership, is_last_owner = _lock(session, store_id, user_id)
    before = membership.role
    refuse_above(by, before, role)
    if is_last_owner and role is not Role.OWNER:
        raise LastOwner
    if role is not before:
        membership.role = role
        audit(session, "member.role_changed", "user", user_id, before={"role": before}, after={"role": role})
        sessions.outdate(store_id, user_id)
    return membership


def remove(session: Session, store_id: UUID, user_id: UUID, *, by: MemberCaller) -> None:
    """Send someone away; their next request for this store is refused. Raises NotFound, RoleAboveYours, LastOwner."""
    membership, is_last_owner = _lock(session, store_id, user_id)
    refuse_above(by, membership.role)
    if is_last_owner:
        raise LastOwner
    audit(session, "member.removed", "user", user_id, before={"role": membership.role, "status": membership.status})
    membership.status = MembershipStatus.REMOVED
    session.flush()
    sessions.outdate(store_id, user_id)


def _lock(session: Session, store_id: UUID, user_id: UUID) -> tuple[StoreMembership, bool]:
    """The membership, and whether it is the store's last active owner's; rivals wait for the same owners."""
    queries.lock_user(session, user_id)
    statement = (
        select(StoreMembership)
        .options(joinedload(StoreMembership.user, innerjoin=True))
        .where(
            StoreMembership.store_id == store_id,
            StoreMembership.status.in_(PRESENT),
            or_(StoreMembership.user_id == user_id, StoreMembership.role == Role.OWNER),
        )
        .order_by(StoreMembership.id)
        .with_for_update(of=StoreMembership)
    )
    held = list(session.scalars(statement))
    membership = next((one for one in held if one.user_id == user_id), None)
    if membership is None:
        raise NotFound
    owners = [one for one in held if one.role is Role.OWNER and one.status is MembershipStatus.ACTIVE]
    return membership, owners == [membership]
