"""Stores: one's own profile, the stores where one belongs, and any store's public face.

Serves /api/v1/stores/me, /my and /{store_id}.
"""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from functions.stores.schemas import PublicStoreResponse, StoreResponse
from shared.catalog.models import Category
from shared.identity import pictures, queries
from shared.identity.callers import MemberCaller, UserCaller, member, signed_in
from shared.identity.deletion import delete_store
from shared.identity.fields import CompanyName, Email, LongText, Phone
from shared.identity.models import StoreMembership
from shared.identity.permissions import Permission, StoreType
from shared.identity.schemas import MyStoreResponse, SocialLinks
from shared.kit.db import read_only, transaction
from shared.kit.errors import InvalidRequest, NotFound
from shared.kit.http import Api
from shared.kit.pagination import Order, PageQuery, page_of
from shared.kit.schemas import NOT_NULL, Page, Request
from shared.media.attachments import MediaNotAttachable
from shared.media.models import MediaNotFound

api = Api("stores", prefix="/api/v1/stores")

_NEWEST = Order((StoreMembership.created_at, StoreMembership.id))


class StoreRequest(Request):
    """Only what is given changes; null removes what may be absent. The address is not among it.

    A vendor delivers within `delivery_radius_meters`; 0 means anywhere in its state.
    """

    company_name: Annotated[CompanyName | None, NOT_NULL] = None
    dba_name: CompanyName | None = None
    description: LongText | None = None
    phone: Phone | None = None
    email: Email | None = None
    delivery_radius_meters: Annotated[int | None, NOT_NULL, Field(ge=0, le=1_000_000)] = None
    categories: Annotated[list[Category] | None, NOT_NULL, Field(max_length=len(Category))] = None
    social_links: Annotated[SocialLinks | None, NOT_NULL] = None
    logo_media_id: UUID | None = None
    banner_media_id: UUID | None = None

    example = {
        "description": "Small-batch flower from the banks of the Red River.",
        "delivery_radius_meters": 120_000,
        "categories": ["flower", "pre_roll"],
        "social_links": {"website": "https://redriver.example.com"},
    }


@api.get("/me", allow=member(Permission.BROWSE), raises=(NotFound,))
def show_mine(caller: MemberCaller) -> StoreResponse:
    """The active store."""
    with read_only() as session:
        return StoreResponse.of(queries.get_store(session, caller.store_id))


_REFUSALS = (NotFound, InvalidRequest, MediaNotFound, MediaNotAttachable)


@api.put("/me", allow=member(Permission.STORE_UPDATE), raises=_REFUSALS)
@api.patch("/me", allow=member(Permission.STORE_UPDATE), raises=_REFUSALS)
def update_mine(caller: MemberCaller, body: StoreRequest) -> StoreResponse:
    """Change the active store's profile."""
    shown = body.model_dump(include=set(pictures.STORE_PICTURES), exclude_unset=True)
    changes = body.model_dump(mode="json", exclude=set(pictures.STORE_PICTURES), exclude_unset=True)
    if "delivery_radius_meters" in changes and caller.store_type is not StoreType.VENDOR:
        raise InvalidRequest.field("delivery_radius_meters", "Only vendors deliver.")
    with transaction() as session:
        store = queries.lock_store(session, caller.store_id)
        for field, value in changes.items():
            setattr(store, field, value)
        for column, media_id in shown.items():
            pictures.show_store(session, store, column, media_id)
        return StoreResponse.of(store)


@api.delete("/me", allow=member(Permission.STORE_DELETE), raises=(NotFound,))
def delete_mine(caller: MemberCaller) -> None:
    """Delete the active store: nobody sees it or acts for it any more; it is erased after 30 days."""
    with transaction() as session:
        delete_store(session, caller.store_id)


@api.get("/my", allow=signed_in())
def list_mine(caller: UserCaller, query: PageQuery) -> Page[MyStoreResponse]:
    """The stores where the caller belongs, the one joined last first."""
    with read_only() as session:
        page = page_of(session, queries.select_memberships(caller.user_id), query, _NEWEST)
        return page.of([MyStoreResponse.of(row.StoreMembership) for row in page.items])


@api.get("/<uuid:store_id>", allow=signed_in(), raises=(NotFound,))
def show(_: UserCaller, store_id: UUID) -> PublicStoreResponse:
    """What anyone may know of a store."""
    with read_only() as session:
        return PublicStoreResponse.of(pictures.get_store_in_public(session, store_id))
