"""What buyers make of it all: products on their wishlists, and reviews of what was brought to them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from sqlalchemy import select

from infra.local.seed.acting import acting
from infra.local.seed.stores import SeededStore
from shared.catalog.models import Product
from shared.catalog.visibility import get_buyer_place, visible_product
from shared.catalog.wishlist import wish
from shared.identity.models import Store
from shared.identity.permissions import Role
from shared.kit import clock
from shared.kit.db import read_only, transaction
from shared.orders.models import LineStatus, Order, OrderLine
from shared.orders.received import RECEIVED
from shared.reviews.writing import ReviewRequest, write_review

_WISHES = (2, 7)
_STARS = (5, 5, 5, 4, 4, 4, 3, 2)
_WORDS = {
    5: ("As good as it gets", "Fresh, complete, and at the door when they said. We will be back."),
    4: ("Solid", "Good stuff, well packed. One jar less than perfect."),
    3: ("All right", "Does what it says. Our patients asked for something brighter."),
    2: ("Not this time", "Dry, and the labels were hard to read."),
}


def make_wishes(buyers: Sequence[SeededStore], rng: Random) -> int:
    """Let every buyer that may buy wish for a few products that it sees; how many wishes there are."""
    return sum(_wish(buyer, rng) for buyer in buyers if buyer.is_verified)


def write_reviews(buyers: Sequence[SeededStore], rng: Random) -> int:
    """Let buyers review most vendors and half of the products of their deliveries; how many they wrote."""
    return sum(_review(buyer, rng) for buyer in buyers)


def _wish(buyer: SeededStore, rng: Random) -> int:
    with read_only() as session:
        place = get_buyer_place(session, buyer.id)
        seen = select(Product.id).join(Store, Store.id == Product.vendor_store_id).where(visible_product(place))
        offers = session.scalars(seen.order_by(Product.vendor_name, Product.sku)).all()
    wanted = rng.sample(offers, rng.randint(*_WISHES))
    with acting(buyer.owner_id, buyer.id, Role.OWNER), transaction() as session:
        for product_id in wanted:
            with clock.frozen_at(clock.now() - timedelta(minutes=rng.randint(30, 10_000))):
                wish(session, buyer.id, product_id)
    return len(wanted)


def _review(buyer: SeededStore, rng: Random) -> int:
    with read_only() as session:
        brought = session.execute(
            select(Order.vendor_store_id, Order.delivered_at, OrderLine.product_id)
            .join(OrderLine, OrderLine.order_id == Order.id)
            .where(Order.buyer_store_id == buyer.id, Order.status.in_(RECEIVED))
            .where(OrderLine.status != LineStatus.REJECTED)
            .order_by(Order.order_number, OrderLine.position)
        ).all()
    vendors = {row.vendor_store_id: row.delivered_at for row in brought if rng.random() < 0.9}
    products = {row.product_id: row.delivered_at for row in brought if rng.random() < 0.5}
    for vendor_id, delivered_at in vendors.items():
        _write(buyer, delivered_at, rng, store_id=vendor_id)
    for product_id, delivered_at in products.items():
        _write(buyer, delivered_at, rng, product_id=product_id)
    return len(vendors) + len(products)


def _write(buyer: SeededStore, delivered_at: datetime, rng: Random, **subject: UUID) -> None:
    rating = rng.choice(_STARS)
    title, body = _WORDS[rating]
    request = ReviewRequest(rating=rating, title=title, body=body if rng.random() < 0.7 else None, **subject)
    written_at = min(delivered_at + timedelta(minutes=rng.randint(60, 3_000)), clock.now())
    with clock.frozen_at(written_at), acting(buyer.owner_id, buyer.id, Role.OWNER), transaction() as session:
        write_review(session, buyer.id, request, author_id=buyer.owner_id)
