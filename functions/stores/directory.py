"""Buyers look for vendors, and open the storefront of one.

Serves /api/v1/stores/vendors.
"""

from shared.catalog.directory import (
    OriginQuery,
    VendorResponse,
    VendorRowResponse,
    VendorsQuery,
    get_vendor,
    list_vendors,
)
from shared.identity.callers import BuyerCaller, buyer
from shared.identity.permissions import Permission
from shared.kit.db import read_only
from shared.kit.errors import NotFound
from shared.kit.http import Api
from shared.kit.pagination import Page

api = Api("stores", prefix="/api/v1/stores/vendors")


@api.get(allow=buyer(Permission.BROWSE), raises=(NotFound,))
def list_all(caller: BuyerCaller, query: VendorsQuery) -> Page[VendorRowResponse]:
    """The vendors that sell to the buyer, nearest first unless sorted by rating or name."""
    with read_only() as session:
        return list_vendors(session, caller.store_id, query)


@api.get("/<store_id_or_slug>", allow=buyer(Permission.BROWSE), raises=(NotFound,))
def show(caller: BuyerCaller, store_id_or_slug: str, query: OriginQuery) -> VendorResponse:
    """The head of a vendor's storefront: 404 when it does not sell to the buyer."""
    with read_only() as session:
        return get_vendor(session, caller.store_id, store_id_or_slug, query)
