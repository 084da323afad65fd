"""The platform's own drivers: hired, changed and let go by admins."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from shared.identity import sessions
from shared.identity.models import User
from shared.identity.permissions import SystemRole
from shared.identity.registration import create_user
from shared.kit.errors import NotFound
from shared.operations.audit import audit


def create_agent(
    session: Session,
    *,
    email: str,
    password_hash: str,
    first_name: str,
    last_name: str,
    phone: str,
    credential_number: str,
) -> User:
    """A new agent, who has to replace the temporary password behind the hash. Raises EmailTaken."""
    agent = create_user(
        session,
        email=email,
        password_hash=password_hash,
        must_change_password=True,
        first_name=first_name,
        last_name=last_name,
        phone=phone,
        credential_number=credential_number,
        system_role=SystemRole.AGENT,
    )
    audit(session, "agent.created", "user", agent.id)
    return agent


def select_agents(*, active: bool | None = None) -> Select[User]:
    """The agents, all or those who are active or not."""
    statement = select(User).where(User.system_role == SystemRole.AGENT)
    return statement if active is None else statement.where(User.is_active == active)


def update_agent(session: Session, agent_id: UUID, changes: dict[str, Any]) -> User:
    """Set some columns of an agent; one who is no longer active is signed out at once. Raises NotFound."""
    agent = session.scalar(select_agents().where(User.id == agent_id).with_for_update(key_share=True))
    if agent is None:
        raise NotFound
    before = {field: getattr(agent, field) for field in changes}
    for field, value in changes.items():
        setattr(agent, field, value)
    session.flush()
    audit(session, "agent.updated", "user", agent.id, before=before, after=changes)
    if not agent.is_active:
        sessions.end_all(agent.id)
    return agent
