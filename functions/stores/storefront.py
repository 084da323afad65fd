"""What there is between the caller's store and another: what it sells to the caller, what buyers think of it, and
what was ordered.

Serves /api/v1/stores/{store_id}/products, /reviews and /orders.
"""

from uuid import UUID

from shared.catalog.browse import BrowseQuery, browse_storefront
from shared.catalog.summaries import ProductSummaryResponse
from shared.identity.callers import BuyerCaller, MemberCaller, buyer, member
from shared.identity.models import Store
from shared.identity.permissions import Permission
from shared.kit.db import read_only
from shared.kit.errors import NotFound
from shared.kit.http import Api
from shared.kit.pagination import Page
from shared.orders.between import list_orders_with
from shared.orders.listing import OrderRowResponse, OrdersQuery, Side
from shared.reviews.listing import ReviewResponse, ReviewsQuery, list_reviews
from shared.reviews.subjects import Subject

api = Api("stores", prefix="/api/v1/stores/<uuid:store_id>")


@api.get("/products", allow=buyer(Permission.BROWSE), raises=(NotFound,))
def list_products(caller: BuyerCaller, store_id: UUID, query: BrowseQuery) -> Page[ProductSummaryResponse]:
    """A vendor's products, filtered and sorted like the whole grid: 404 when it does not sell to the buyer."""
    with read_only() as session:
        return browse_storefront(session, caller.store_id, store_id, query)


@api.get("/reviews", allow=member(Permission.BROWSE), raises=(NotFound,))
def list_store_reviews(caller: MemberCaller, store_id: UUID, query: ReviewsQuery) -> Page[ReviewResponse]:
    """What buyers think of a vendor, the newest first: 404 when it does not sell to the buyer, or is not the caller."""
    with read_only() as session:
        return list_reviews(session, caller.store_id, Subject(Store, store_id), query)


@api.get("/orders", allow=member(Permission.ORDERS_READ), raises=(NotFound,))
def list_orders(caller: MemberCaller, store_id: UUID, query: OrdersQuery) -> Page[OrderRowResponse]:
    """The orders between the caller's store and this one, newest first, with their totals."""
    with read_only() as session:
        return list_orders_with(session, caller.store_id, store_id, query, side=Side(caller.store_type))
