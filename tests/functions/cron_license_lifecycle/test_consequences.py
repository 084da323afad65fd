"""A store that loses its license is gone from the grid at once, and does not check out."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.kit.db import read_only
from shared.orders.models import Order
from tests.api import Client
from tests.builders.carts import a_cart, checkout_of
from tests.builders.media import a_license
from tests.builders.products import a_product
from tests.builders.stores import a_buyer, a_vendor
from tests.stock import stock_of

# Two minutes before midnight in Oklahoma, so that carts and sessions still hold after it.
EVENING = datetime(2026, 3, 3, 5, 58, tzinfo=UTC)


@pytest.fixture
def products() -> Client:
    from functions.products.main import main

    return Client.of(main, "/api/v1/products")


@pytest.fixture
def checkout() -> Client:
    from functions.checkout.main import main

    return Client.of(main, "/api/v1/checkout")


@pytest.fixture
def last_minutes(freeze):
    """The last minutes of a license; call it for the first one without."""
    freeze(EVENING)
    return lambda: freeze(EVENING + timedelta(minutes=3))


def orders() -> list[Order]:
    with read_only() as session:
        return list(session.query(Order))


def test_a_vendor_vanishes_with_its_products(fire, products, checkout, last_minutes):
    vendor, other, buyer = a_vendor(), a_vendor(), a_buyer()
    a_license(buyer)
    a_license(other)
    a_license(vendor, expires_in_days=0)
    gone, stays = a_product(vendor), a_product(other)
    caller = products.as_member(buyer)
    cart = a_cart(buyer, (gone, 1))

    before = {item["id"] for item in caller.get().data}
    last_minutes()
    fire()
    after = {item["id"] for item in caller.get().data}
    detail = caller.get(f"/{gone.id}")
    reply = checkout.as_staff_of(buyer).post("", checkout_of(cart))

    assert (before, after) == ({str(gone.id), str(stays.id)}, {str(stays.id)})
    assert detail.status == 404
    assert (reply.status, reply.error.details) == (409, {"reason": "nothing_orderable"})
    assert (orders(), stock_of(gone.id)) == ([], (100, 0))


def test_a_buyer_cannot_check_out_any_more(fire, checkout, last_minutes):
    vendor, buyer = a_vendor(), a_buyer()
    a_license(vendor)
    a_license(buyer, expires_in_days=0)
    product = a_product(vendor)
    cart = a_cart(buyer, (product, 1))

    last_minutes()
    fire()
    reply = checkout.as_staff_of(buyer).post("", checkout_of(cart))

    assert (reply.status, reply.error.reason) == (403, "kyc_expired")
    assert (orders(), stock_of(product.id)) == ([], (100, 0))
