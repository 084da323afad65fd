"""Who reviews what, and what the ratings have come to."""

from uuid import UUID

from shared.catalog.models import Product
from shared.identity.models import Store
from shared.identity.permissions import Role
from shared.kit.db import read_only
from shared.orders.models import OrderStatus
from tests.api import Answer, Client
from tests.builders.orders import A, an_order
from tests.builders.products import a_product
from tests.builders.stores import a_buyer, a_member, a_vendor


def a_customer(api: Client, *products: Product, of: Store | None = None, **shop: object) -> Client:
    """A member of a buyer store to which these products, or something of this vendor, were delivered."""
    store = a_buyer(**shop)
    for product in products:
        an_order(OrderStatus.DELIVERED, buyer=store, vendor=vendor_of(product), lines=(A(product=product),))
    if of is not None:
        an_order(OrderStatus.CLOSED, buyer=store, vendor=of)
    return api.as_member(store, Role.OPS, user_id=a_member(store, Role.OPS).id)


def vendor_of(product: Product) -> Store:
    with read_only() as session:
        return session.get_one(Store, product.vendor_store_id)


def a_farm_with_a_product() -> tuple[Store, Product]:
    farm = a_vendor()
    return farm, a_product(farm)


def review(caller: Client, subject: Store | Product, rating: int = 5, **words: str) -> Answer:
    """The answer to a review, which is taken."""
    named = "store_id" if isinstance(subject, Store) else "product_id"
    reply = caller.post("", {named: str(subject.id), "rating": rating, **words})
    assert reply.status in (200, 201), reply.raw
    return reply


def rating_of(subject: Store | Product) -> tuple[int, int]:
    """How many ratings count for it, and their sum."""
    with read_only() as session:
        held = session.get_one(type(subject), subject.id, populate_existing=True)
        return held.rating_count, held.rating_sum


def id_of(reply: Answer) -> UUID:
    return UUID(reply.data["id"])
