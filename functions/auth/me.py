"""One's own account.

Serves GET and PATCH /api/v1/auth/me.
"""

from typing import Annotated
from uuid import UUID

from shared.identity import queries
from shared.identity.accounts import get_account, permissions_in
from shared.identity.callers import UserCaller, signed_in
from shared.identity.fields import PersonName, Phone
from shared.identity.permissions import Permission
from shared.identity.pictures import show_user
from shared.identity.schemas import MyStoreResponse, UserResponse
from shared.kit.db import read_only, transaction
from shared.kit.errors import Forbidden, InvalidRequest, NotFound
from shared.kit.http import Api
from shared.kit.schemas import NOT_NULL, Request, Response
from shared.media.attachments import MediaNotAttachable
from shared.media.models import MediaNotFound

api = Api("auth", prefix="/api/v1/auth")


class MeResponse(Response):
    """The caller, where they belong, and what they may do in the active store."""

    user: UserResponse
    memberships: list[MyStoreResponse]
    active_store: MyStoreResponse | None
    permissions: list[Permission]


class ProfileRequest(Request):
    """Only what is given changes; null removes a phone or a picture. The picture is a file of the active store."""

    first_name: Annotated[PersonName | None, NOT_NULL] = None
    last_name: Annotated[PersonName | None, NOT_NULL] = None
    phone: Phone | None = None
    avatar_media_id: UUID | None = None

    example = {"first_name": "Rosa", "phone": "+14055550100"}


@api.get("/me", allow=signed_in(even_with_temporary_password=True), raises=(NotFound,))
def me(caller: UserCaller) -> MeResponse:
    """The caller's account, memberships and permissions."""
    with read_only() as session:
        account = get_account(session, caller.user_id)
    active = account.find(caller.store_id)
    return MeResponse(
        user=UserResponse.model_validate(account.user),
        memberships=[MyStoreResponse.of(held) for held in account.memberships],
        active_store=MyStoreResponse.of(active) if active else None,
        permissions=permissions_in(active),
    )


@api.patch("/me", allow=signed_in(), raises=(NotFound, Forbidden, InvalidRequest, MediaNotFound, MediaNotAttachable))
def update_me(caller: UserCaller, body: ProfileRequest) -> UserResponse:
    """Change one's names, phone or picture."""
    with transaction() as session:
        user = queries.lock_user(session, caller.user_id)
        for field, value in body.model_dump(exclude={"avatar_media_id"}, exclude_unset=True).items():
            setattr(user, field, value)
        if "avatar_media_id" in body.model_fields_set:
            show_user(session, user, body.avatar_media_id, from_store_id=caller.store_id)
        return UserResponse.model_validate(user)
