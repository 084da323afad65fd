"""Admins find stores, stop one, let it go on, and correct an address.

Serves /api/v1/admin/stores.
"""

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from functions.stores.schemas import StoreResponse
from shared.identity import suspension
from shared.identity.addresses import WrittenAddress
from shared.identity.callers import AdminCaller, admin
from shared.identity.models import KycStatus, Store
from shared.identity.permissions import StoreType
from shared.identity.queries import select_stores
from shared.kit.db import read_only, transaction
from shared.kit.errors import NotFound
from shared.kit.http import Api
from shared.kit.idempotency import DAY_1
from shared.kit.pagination import Order, PageQuery, page_of
from shared.kit.schemas import Page, Request
from shared.licensing.kyc import mirror
from shared.places.geocoding import AddressNotFound, locate

api = Api("stores", prefix="/api/v1/admin/stores")

_NEWEST = Order((Store.created_at, Store.id))


class StoresQuery(PageQuery):
    type: StoreType | None = None
    kyc_status: list[KycStatus] = []
    state: Annotated[str | None, Field(pattern="^[A-Z]{2}$")] = None


class ReasonRequest(Request):
    reason: Annotated[str, StringConstraints(min_length=1, max_length=500)]

    example = {"reason": "Complaints about three deliveries in a row."}


@api.get(allow=admin())
def list_stores(_: AdminCaller, query: StoresQuery) -> Page[StoreResponse]:
    """All stores, the newest first."""
    with read_only() as session:
        statement = select_stores(kind=query.type, kyc_statuses=query.kyc_status, state=query.state)
        page = page_of(session, statement, query, _NEWEST)
        return page.of([StoreResponse.of(row.Store) for row in page.items])


@api.post("/<uuid:store_id>/suspend", allow=admin(), idempotent=DAY_1, raises=(NotFound, suspension.AlreadySuspended))
def suspend(_: AdminCaller, store_id: UUID, body: ReasonRequest) -> StoreResponse:
    """Stop a store: its members may only read, and nobody sees what it sells."""
    with transaction() as session:
        return StoreResponse.of(suspension.suspend(session, store_id, body.reason))


@api.post("/<uuid:store_id>/reinstate", allow=admin(), idempotent=DAY_1, raises=(NotFound, suspension.NotSuspended))
def reinstate(_: AdminCaller, store_id: UUID, body: ReasonRequest) -> StoreResponse:
    """Let a suspended store go on, with the KYC status that its licenses give it."""
    with transaction() as session:
        store = suspension.reinstate(session, store_id, body.reason)
        mirror(session, [store_id])
        session.refresh(store)
        return StoreResponse.of(store)


@api.patch("/<uuid:store_id>/address", allow=admin(), raises=(NotFound, AddressNotFound))
def override_address(_: AdminCaller, store_id: UUID, body: WrittenAddress) -> StoreResponse:
    """Give a store another address; without a position it is looked up on the map."""
    address = locate(body, field="line1")
    with transaction() as session:
        return StoreResponse.of(suspension.override_address(session, store_id, address))
