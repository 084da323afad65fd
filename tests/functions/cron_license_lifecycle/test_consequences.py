"""A store that loses its license is gone from everywhere at once and does not check out; its orders go on."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.identity.models import Store
from shared.kit.db import read_only
from shared.orders.models import Order, OrderStatus
from tests.api import Client
from tests.builders.carts import a_cart, checkout_of
from tests.builders.media import a_license
from tests.builders.products import a_product
from tests.builders.stores import a_buyer, a_vendor
from tests.stock import stock_of

# Two minutes before midnight in Oklahoma, so that carts and sessions still hold after it.
EVENING = datetime(2026, 3, 3, 5, 58, tzinfo=UTC)


@pytest.fixture
def functions(object_storage: None) -> dict[str, Client]:
    """The real functions that buyers and vendors call."""
    from functions.cart.main import main as cart
    from functions.checkout.main import main as checkout
    from functions.orders.main import main as orders
    from functions.products.main import main as products
    from functions.stores.main import main as stores

    return {
        "cart": Client.of(cart, "/api/v1/cart"),
        "checkout": Client.of(checkout, "/api/v1/checkout"),
        "orders": Client.of(orders, "/api/v1"),
        "products": Client.of(products, "/api/v1/products"),
        "stores": Client.of(stores, "/api/v1/stores"),
    }


@pytest.fixture
def last_minutes(freeze):
    """The last minutes of a license; call it for the first one without."""
    freeze(EVENING)
    return lambda: freeze(EVENING + timedelta(minutes=3))


def orders() -> list[Order]:
    with read_only() as session:
        return list(session.query(Order).order_by(Order.created_at))


def seen_of(functions: dict[str, Client], buyer: Store, vendor: Store, product_id) -> dict[str, object]:
    """Everywhere that a buyer may meet a vendor and its product: whether it does."""
    products, stores = functions["products"].as_member(buyer), functions["stores"].as_member(buyer)
    return {
        "grid": str(product_id) in {item["id"] for item in products.get().data},
        "search": str(product_id) in {item["id"] for item in products.get(q="midnight").data},
        "detail": products.get(f"/{product_id}").status == 200,
        "directory": str(vendor.id) in {row["id"] for row in stores.get("/vendors").data},
        "storefront": stores.get(f"/vendors/{vendor.slug}").status == 200,
        "storefront_products": stores.get(f"/{vendor.id}/products").status == 200,
    }


def wanting(*product_ids) -> dict[str, object]:
    return {"items": [{"product_id": str(each), "quantity": 1} for each in product_ids]}


def test_a_vendor_vanishes_with_its_products_and_what_was_ordered_goes_on(fire, functions, last_minutes):
    vendor, other, buyer = a_vendor(), a_vendor(), a_buyer()
    a_license(buyer)
    a_license(other)
    a_license(vendor, expires_in_days=0)
    gone, stays = a_product(vendor, title="Midnight Kush"), a_product(other, title="Midnight Haze")
    caller = {name: client.as_staff_of(buyer) for name, client in functions.items()}
    placed = caller["checkout"].post("", checkout_of(a_cart(buyer, (gone, 2))))
    (order,) = orders()
    late = a_cart(buyer, (gone, 1))
    before = seen_of(functions, buyer, vendor, gone.id)

    last_minutes()
    assert fire()["expired"] == 1
    after = seen_of(functions, buyer, vendor, gone.id)
    quoted = caller["cart"].post("", wanting(gone.id, stays.id))
    refused = caller["checkout"].post("", checkout_of(late))
    nothing = caller["cart"].post("", wanting(gone.id))
    empty = caller["checkout"].post("", checkout_of(nothing.data["id"]))

    assert (placed.status, set(before.values()), set(after.values())) == (201, {True}, {False})
    assert all(seen_of(functions, buyer, other, stays.id).values())
    groups = {group["vendor_store_id"]: group for group in quoted.data["vendor_groups"]}
    assert (groups[str(vendor.id)]["status"], groups[str(other.id)]["status"]) == ("invalid", "ok")
    assert [warned["type"] for warned in groups[str(vendor.id)]["warnings"]] == ["license_invalid"]
    assert (refused.status, refused.error.code) == (404, "NOT_FOUND")
    assert (empty.status, empty.error.details) == (409, {"reason": "nothing_orderable"})
    assert stock_of(gone.id) == (98, 2)

    staff = functions["orders"].as_staff_of(vendor)
    decided = staff.post(f"/vendor/orders/{order.id}/decision", {"decision": "accept"})
    packed = staff.post(f"/vendor/orders/{order.id}/fulfill", {})
    watched = functions["orders"].as_staff_of(buyer).get(f"/orders/{order.id}")
    assert [reply.status for reply in (decided, packed, watched)] == [200, 200, 200]
    assert (watched.data["id"], watched.data["status"]) == (str(order.id), OrderStatus.READY_FOR_DISPATCH)
    assert len(orders()) == 1


def test_a_cart_of_before_is_refused_as_it_is(fire, functions, last_minutes):
    vendor, buyer = a_vendor(), a_buyer()
    a_license(buyer)
    a_license(vendor, expires_in_days=0)
    product = a_product(vendor)
    cart = a_cart(buyer, (product, 1))

    last_minutes()
    fire()
    reply = functions["checkout"].as_staff_of(buyer).post("", checkout_of(cart))

    assert (reply.status, reply.error.details) == (409, {"reason": "nothing_orderable"})
    assert (orders(), stock_of(product.id)) == ([], (100, 0))


def test_a_buyer_cannot_check_out_any_more_and_what_it_ordered_goes_on(fire, functions, last_minutes):
    vendor, buyer = a_vendor(), a_buyer()
    a_license(vendor)
    a_license(buyer, expires_in_days=0)
    product = a_product(vendor)
    checkout = functions["checkout"].as_staff_of(buyer)
    placed = checkout.post("", checkout_of(a_cart(buyer, (product, 1))))
    cart = a_cart(buyer, (product, 1))

    last_minutes()
    fire()
    reply = checkout.post("", checkout_of(cart))
    (order,) = orders()
    decided = (
        functions["orders"].as_staff_of(vendor).post(f"/vendor/orders/{order.id}/decision", {"decision": "accept"})
    )

    assert (placed.status, reply.status, reply.error.reason) == (201, 403, "kyc_expired")
    assert (decided.status, decided.data["status"]) == (200, "accepted")
    assert stock_of(product.id) == (99, 1)


def test_a_store_that_was_reinstated_by_a_new_license_is_back(fire, functions, last_minutes):
    from functions.licenses.main import main

    vendor, buyer = a_vendor(), a_buyer()
    a_license(buyer)
    a_license(vendor, expires_in_days=0)
    renewed = a_license(vendor, status="pending")
    product = a_product(vendor, title="Midnight Kush")

    last_minutes()
    fire()
    between = seen_of(functions, buyer, vendor, product.id)
    admins = Client.of(main, "/api/v1/admin/licenses").as_admin()
    verified = admins.post(f"/{renewed.id}/verify", {"decision": "verified"})

    assert (set(between.values()), verified.status) == ({False}, 200)
    assert set(seen_of(functions, buyer, vendor, product.id).values()) == {True}
