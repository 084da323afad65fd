"""The people of a store: see them, change a role, send one away.

Serves /api/v1/stores/me/users.
"""

from uuid import UUID

from functions.stores.schemas import MemberResponse
from shared.identity import members
from shared.identity.callers import MemberCaller, member
from shared.identity.models import StoreMembership
from shared.identity.permissions import Permission, Role
from shared.kit.db import read_only, transaction
from shared.kit.errors import NotFound
from shared.kit.http import Api
from shared.kit.pagination import Order, PageQuery, page_of
from shared.kit.schemas import Page, Request

api = Api("stores", prefix="/api/v1/stores/me/users")

_NEWEST = Order((StoreMembership.created_at, StoreMembership.id))


class RoleRequest(Request):
    role: Role

    example = {"role": "ops"}


@api.get(allow=member(Permission.MEMBERS_MANAGE))
def list_members(caller: MemberCaller, query: PageQuery) -> Page[MemberResponse]:
    """Members and those invited, the newest first."""
    with read_only() as session:
        page = page_of(session, members.select_people(caller.store_id), query, _NEWEST)
        return page.of([MemberResponse.of(row.StoreMembership) for row in page.items])


@api.patch(
    "/<uuid:user_id>",
    allow=member(Permission.MEMBERS_MANAGE),
    raises=(NotFound, members.RoleAboveYours, members.LastOwner),
)
def change_role(caller: MemberCaller, user_id: UUID, body: RoleRequest) -> MemberResponse:
    """Give a member another role, none above one's own; the store keeps an owner."""
    with transaction() as session:
        return MemberResponse.of(members.change_role(session, caller.store_id, user_id, body.role, by=caller))


@api.delete(
    "/<uuid:user_id>",
    allow=member(Permission.MEMBERS_MANAGE),
    raises=(NotFound, members.RoleAboveYours, members.LastOwner),
)
def remove(caller: MemberCaller, user_id: UUID) -> None:
    """Send a member away, or take an invitation back; the store keeps an owner."""
    with transaction() as session:
        members.remove(session, caller.store_id, user_id, by=caller)
