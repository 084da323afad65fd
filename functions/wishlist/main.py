"""The buyer's wishlist: products to come back to, one list per store.

Serves /api/v1/wishlist.
"""

from uuid import UUID

from shared.catalog.wishlist import (
    WishlistFull,
    WishlistItemResponse,
    WishResponse,
    list_ids,
    list_wishes,
    unwish,
    wish,
)
from shared.identity.callers import BuyerCaller, buyer
from shared.identity.permissions import Permission
from shared.kit.db import read_only, transaction
from shared.kit.errors import NotFound
from shared.kit.http import Api, Reply
from shared.kit.idempotency import DAY_1
from shared.kit.pagination import Page, PageQuery
from shared.kit.schemas import Request

api = Api("wishlist", prefix="/api/v1/wishlist")


class WishRequest(Request):
    product_id: UUID

    example = {"product_id": "01980000-0000-7000-8000-000000000001"}


@api.get(allow=buyer(Permission.WISHLIST_READ))
def list_items(caller: BuyerCaller, query: PageQuery) -> Page[WishlistItemResponse]:
    """The store's wishlist, what was added last first; what it does not see any more is marked."""
    with read_only() as session:
        return list_wishes(session, caller.store_id, query)


@api.get("/ids", allow=buyer(Permission.WISHLIST_READ))
def list_all_ids(caller: BuyerCaller) -> list[UUID]:
    """The ids of all products on the wishlist, to mark them elsewhere."""
    with read_only() as session:
        return list_ids(session, caller.store_id)


@api.post(
    "/items",
    allow=buyer(Permission.WISHLIST_WRITE),
    idempotent=DAY_1,
    status=201,
    raises=(NotFound, WishlistFull),
)
def add(caller: BuyerCaller, body: WishRequest) -> Reply[WishResponse]:
    """Put a product on the wishlist: 200 when it is there already, 404 when the buyer does not see it."""
    with transaction() as session:
        item, is_new = wish(session, caller.store_id, body.product_id)
        return Reply(item, status=201 if is_new else 200)


@api.delete("/items/<uuid:product_id>", allow=buyer(Permission.WISHLIST_WRITE), raises=(NotFound,))
def remove(caller: BuyerCaller, product_id: UUID) -> None:
    """Take a product off the wishlist: 404 when it is not there."""
    with transaction() as session:
        unwish(session, caller.store_id, product_id)


main = api.entry_point()
