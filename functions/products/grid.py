"""The buyers' side: browse what the vendors around offer, look at one product, and read what others think of it.

Serves /api/v1/products.
"""

from uuid import UUID

from shared.catalog.browse import BrowseQuery, browse
from shared.catalog.details import ProductResponse, get_visible_product
from shared.catalog.models import Product
from shared.catalog.summaries import ProductSummaryResponse
from shared.identity.callers import BuyerCaller, MemberCaller, buyer, member
from shared.identity.permissions import Permission
from shared.kit.db import read_only
from shared.kit.errors import NotFound
from shared.kit.http import Api
from shared.kit.pagination import Page
from shared.reviews.listing import ReviewResponse, ReviewsQuery, list_reviews
from shared.reviews.subjects import Subject

api = Api("products", prefix="/api/v1/products")


@api.get("", allow=buyer(Permission.BROWSE), raises=(NotFound,))
def list_products(caller: BuyerCaller, query: BrowseQuery) -> Page[ProductSummaryResponse]:
    """The products that the buyer sees, filtered and sorted, with counts per facet when asked for."""
    with read_only() as session:
        return browse(session, caller.store_id, query)


@api.get("/<uuid:product_id>", allow=buyer(Permission.BROWSE), raises=(NotFound,))
def show(caller: BuyerCaller, product_id: UUID) -> ProductResponse:
    """One product with its gallery, lab report and tiers: 404 when it is hidden from the buyer."""
    with read_only() as session:
        seen = get_visible_product(session, caller.store_id, product_id)
    return seen.signed()


@api.get("/<uuid:product_id>/reviews", allow=member(Permission.BROWSE), raises=(NotFound,))
def list_product_reviews(caller: MemberCaller, product_id: UUID, query: ReviewsQuery) -> Page[ReviewResponse]:
    """What buyers think of a product, the newest first: 404 when it is hidden from the buyer, or not the caller's."""
    with read_only() as session:
        return list_reviews(session, caller.store_id, Subject(Product, product_id), query)
