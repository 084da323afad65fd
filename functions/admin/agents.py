"""Agents: list them, hire one, change one.

Serves /api/v1/admin/agents.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from shared.identity import passwords
from shared.identity.agents import create_agent, select_agents, update_agent
from shared.identity.callers import AdminCaller, admin
from shared.identity.fields import CredentialNumber, Email, PersonName, Phone
from shared.identity.models import User
from shared.identity.registration import EmailTaken
from shared.kit.db import read_only, transaction
from shared.kit.errors import NotFound
from shared.kit.http import Api
from shared.kit.idempotency import MINUTES_10
from shared.kit.pagination import Order, PageQuery, page_of
from shared.kit.schemas import NOT_NULL, Page, Request, Response

api = Api("admin", prefix="/api/v1/admin/agents")

_NEWEST = Order((User.created_at, User.id))


class AgentResponse(Response):
    id: UUID
    email: str
    first_name: str
    last_name: str
    phone: str | None
    credential_number: str | None
    is_active: bool
    must_change_password: bool
    last_login_at: datetime | None
    created_at: datetime


class NewAgentResponse(Response):
    """An agent who was just hired; `temporary_password` is told here and nowhere else."""

    agent: AgentResponse
    temporary_password: str


class NewAgentRequest(Request):
    first_name: PersonName
    last_name: PersonName
    email: Email
    phone: Phone
    credential_number: CredentialNumber

    example = {
        "first_name": "Sam",
        "last_name": "Whitehorse",
        "email": "sam@packfinderz.example.com",
        "phone": "+14055550142",
        "credential_number": "OMMA-T-20441",
    }


class AgentRequest(Request):
    """Only what is given changes."""

    first_name: Annotated[PersonName | None, NOT_NULL] = None
    last_name: Annotated[PersonName | None, NOT_NULL] = None
    phone: Annotated[Phone | None, NOT_NULL] = None
    credential_number: Annotated[CredentialNumber | None, NOT_NULL] = None
    is_active: Annotated[bool | None, NOT_NULL] = None

    example = {"is_active": False}


class AgentsQuery(PageQuery):
    is_active: bool | None = None


@api.get(allow=admin())
def list_agents(_: AdminCaller, query: AgentsQuery) -> Page[AgentResponse]:
    """Agents, the newest first."""
    with read_only() as session:
        page = page_of(session, select_agents(active=query.is_active), query, _NEWEST)
        return page.of([AgentResponse.model_validate(row.User) for row in page.items])


@api.post(allow=admin(), idempotent=MINUTES_10, status=201, raises=(EmailTaken,))
def hire(_: AdminCaller, body: NewAgentRequest) -> NewAgentResponse:
    """Make an agent, with a temporary password to be replaced at the first sign-in."""
    password = passwords.temporary()
    password_hash = passwords.hash_of(password)
    with transaction() as session:
        agent = create_agent(session, password_hash=password_hash, **body.model_dump())
        return NewAgentResponse(
            agent=AgentResponse.model_validate(agent), temporary_password=password.get_secret_value()
        )


@api.patch("/<uuid:agent_id>", allow=admin(), raises=(NotFound,))
def change(_: AdminCaller, agent_id: UUID, body: AgentRequest) -> AgentResponse:
    """Change an agent; one who is made inactive is signed out at once."""
    with transaction() as session:
        return AgentResponse.model_validate(update_agent(session, agent_id, body.model_dump(exclude_unset=True)))
