"""Who signs in: the platform's own people, and the members of every store. They all have one password."""

from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy.orm import Session

from infra.local.seed.names import FIRST, LAST
from shared.identity.models import StoreMembership, User
from shared.identity.passwords import hash_of
from shared.identity.permissions import Role, SystemRole
from shared.kit import clock
from shared.kit.ids import new_id
from shared.kit.tables import insert_all

PASSWORD = "packfinderz-local"  # noqa: S105 - printed for everybody who runs the local stack
ADMIN_EMAIL = "admin@example.com"
AGENT_EMAILS = ("agent1@example.com", "agent2@example.com", "agent3@example.com")


@dataclass(frozen=True)
class Member:
    """A person of a store, with the role there."""

    user: dict[str, Any]
    store_id: UUID
    role: Role


class People:
    """Makes people with names drawn by lot; all are written at once."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._password_hash = hash_of(SecretStr(PASSWORD))
        self._users: list[dict[str, Any]] = []
        self._members: list[Member] = []

    def staff(self) -> tuple[UUID, list[UUID]]:
        """The admin and the agents."""
        admin = self._person(ADMIN_EMAIL, SystemRole.ADMIN)
        agents = [self._person(email, SystemRole.AGENT, f"OK-DRV-{n:03}") for n, email in enumerate(AGENT_EMAILS, 1)]
        return admin["id"], [agent["id"] for agent in agents]

    def owner(self, store_id: UUID, slug: str) -> UUID:
        """The owner of a store, whose email begins with the store's slug."""
        return self.member(store_id, f"{slug}@example.com", Role.OWNER)

    def member(self, store_id: UUID, email: str, role: Role) -> UUID:
        """Somebody who belongs to a store."""
        user = self._person(email)
        self._members.append(Member(user, store_id, role))
        user_id: UUID = user["id"]
        return user_id

    def write(self, session: Session) -> None:
        """Insert everybody who was made."""
        insert_all(session, User, self._users)
        insert_all(
            session,
            StoreMembership,
            [
                {
                    "id": new_id(),
                    "store_id": member.store_id,
                    "user_id": member.user["id"],
                    "role": member.role,
                    "status": "active",
                    "created_at": member.user["created_at"],
                }
                for member in self._members
            ],
        )

    def _person(
        self, email: str, system_role: SystemRole | None = None, credential_number: str | None = None
    ) -> dict[str, Any]:
        person = {
            "id": new_id(),
            "email": email,
            "password_hash": self._password_hash,
            "first_name": self._rng.choice(FIRST),
            "last_name": self._rng.choice(LAST),
            "phone": f"+1405555{self._rng.randint(0, 9_999):04}",
            "system_role": system_role,
            "credential_number": credential_number,
            "is_active": True,
            "must_change_password": False,
            "email_verified_at": clock.now(),
            "created_at": clock.now(),
        }
        self._users.append(person)
        return person
