"""Invite people to a store.

Serves /api/v1/stores/me/users/invite and /{user_id}/resend-invite. Publishes member_invited.
"""

from uuid import UUID

from functions.stores.schemas import MemberResponse
from shared.identity import invitations
from shared.identity.callers import MemberCaller, member
from shared.identity.fields import Email, PersonName
from shared.identity.members import RoleAboveYours
from shared.identity.permissions import Permission, Role
from shared.kit.db import transaction
from shared.kit.errors import NotFound
from shared.kit.http import Api
from shared.kit.idempotency import DAY_1
from shared.kit.schemas import Request

api = Api("stores", prefix="/api/v1/stores/me/users")


class InviteRequest(Request):
    """The names count only for people who are new here."""

    email: Email
    first_name: PersonName
    last_name: PersonName
    role: Role

    example = {"email": "lee@greenmesa.example.com", "first_name": "Lee", "last_name": "Park", "role": "staff"}


@api.post(
    "/invite",
    allow=member(Permission.MEMBERS_MANAGE),
    idempotent=DAY_1,
    status=201,
    raises=(invitations.AlreadyMember, RoleAboveYours),
)
def invite(caller: MemberCaller, body: InviteRequest) -> MemberResponse:
    """Invite someone; who has an account belongs at once, others when they have set a password."""
    with transaction() as session:
        invited = invitations.invite(
            session,
            caller.store_id,
            by=caller,
            email=body.email,
            role=body.role,
            first_name=body.first_name,
            last_name=body.last_name,
        )
        return MemberResponse.of(invited)


@api.post(
    "/<uuid:user_id>/resend-invite",
    allow=member(Permission.MEMBERS_MANAGE),
    idempotent=DAY_1,
    raises=(NotFound, invitations.NotInvited),
)
def resend(caller: MemberCaller, user_id: UUID) -> None:
    """Send an invitation again that was not followed yet."""
    with transaction() as session:
        invitations.resend(session, caller.store_id, user_id, by=caller)
