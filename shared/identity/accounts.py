"""A person with the stores where they belong: what a session of theirs may know."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from shared.identity import queries
from shared.identity.callers import facts_of
from shared.identity.models import StoreMembership, User
from shared.identity.permissions import Permission, permissions_of
from shared.kit.errors import NotFound


@dataclass(frozen=True)
class Account:
    """`memberships` are the active ones, the most recently used first."""

    user: User
    memberships: list[StoreMembership]

    def find(self, store_id: UUID | None) -> StoreMembership | None:
        """The membership in a store, if there is one."""
        return next((held for held in self.memberships if held.store_id == store_id), None)

    def get(self, store_id: UUID) -> StoreMembership:
        """The membership in a store. Raises NotFound."""
        held = self.find(store_id)
        if held is None:
            raise NotFound
        return held

    def choose(self, store_id: UUID | None) -> StoreMembership | None:
        """Where to act: in the store asked for, else in the one used last, else in none. Raises NotFound."""
        if store_id is not None:
            return self.get(store_id)
        return self.memberships[0] if self.memberships else None

    def facts(self, active: StoreMembership | None) -> dict[str, Any]:
        """What a session that acts there keeps for the guards."""
        return facts_of(
            user_id=self.user.id,
            system_role=self.user.system_role,
            must_change_password=self.user.must_change_password,
            lacks_mfa=not self.user.mfa_enabled,
            lacks_verified_email=self.user.email_verified_at is None,
            store_id=active.store.id if active else None,
            store_type=active.store.type if active else None,
            role=active.role if active else None,
            read_only=active.store.is_suspended if active else False,
        )


def get_account(session: Session, user_id: UUID) -> Account:
    """The person and where they belong. Raises NotFound."""
    return Account(queries.get_user(session, user_id), queries.list_memberships(session, user_id))


def lock_account(session: Session, user_id: UUID) -> Account:
    """The same, with the person locked before the rest is read. Raises NotFound."""
    return Account(queries.lock_user(session, user_id), queries.list_memberships(session, user_id))


def permissions_in(active: StoreMembership | None) -> list[Permission]:
    """What the person may do there; nothing without a store."""
    return permissions_of(active.store.type, active.role) if active else []
