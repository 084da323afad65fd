"""Who can be told something: the people of stores, the people of the platform, and how they are addressed."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from shared.identity.models import MembershipStatus, Store, StoreMembership, User
from shared.identity.permissions import Permission, Role, StoreType, SystemRole, may


@dataclass(frozen=True)
class ActiveMember:
    """A person who belongs to a store now, and as what."""

    store_id: UUID
    user_id: UUID
    store_type: StoreType
    role: Role

    def may(self, permission: Permission) -> bool:
        """Whether the role holds the permission."""
        return may(self.store_type, self.role, permission)


@dataclass(frozen=True)
class Addressee:
    """How a person is written to. Without a password they have been invited and not yet come."""

    user_id: UUID
    email: str
    first_name: str
    last_name: str
    is_active: bool
    has_password: bool


def list_active_members(session: Session, store_ids: Collection[UUID]) -> list[ActiveMember]:
    """The active people of these stores, in order of membership; none for a deleted store."""
    if not store_ids:
        return []
    statement = (
        select(Store.id, User.id, Store.type, StoreMembership.role)
        .join(StoreMembership, StoreMembership.store_id == Store.id)
        .join(User, User.id == StoreMembership.user_id)
        .where(
            Store.id.in_(store_ids),
            Store.deleted_at.is_(None),
            StoreMembership.status == MembershipStatus.ACTIVE,
            User.is_active,
        )
        .order_by(StoreMembership.id)
    )
    return [ActiveMember(*row) for row in session.execute(statement)]


def list_active_users(
    session: Session, user_ids: Collection[UUID], roles: Collection[SystemRole]
) -> list[tuple[UUID, SystemRole | None]]:
    """Active people among these or with one of these roles, with their system roles."""
    if not user_ids and not roles:
        return []
    statement = select(User.id, User.system_role).where(
        User.is_active, or_(User.id.in_(user_ids), User.system_role.in_(roles))
    )
    return [(row.id, row.system_role) for row in session.execute(statement.order_by(User.id))]


def list_addressees(session: Session, user_ids: Collection[UUID]) -> list[Addressee]:
    """These people, closed accounts included."""
    columns = (User.id, User.email, User.first_name, User.last_name, User.is_active, User.password_hash.is_not(None))
    return [Addressee(*row) for row in session.execute(select(*columns).where(User.id.in_(user_ids)))]


def store_names(session: Session, store_ids: Collection[UUID]) -> dict[UUID, str]:
    """What people call these stores."""
    statement = select(Store.id, func.coalesce(Store.dba_name, Store.company_name)).where(Store.id.in_(store_ids))
    return {row[0]: row[1] for row in session.execute(statement)}
