"""Every reason to be hidden, on every path that could reveal a product: what was there a moment ago is gone.

Each path is walked twice, by two buyers side by side: once while the product is visible, to see that the path
would reveal it, and once after one thing about the product or its vendor has changed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import update

from shared.catalog.models import Product
from shared.identity.models import KycStatus, Store
from shared.identity.permissions import Role
from shared.kit import clock
from shared.kit.db import transaction
from shared.orders.models import OrderStatus
from tests.api import Answer, Client
from tests.builders.carts import a_cart, checkout_of
from tests.builders.orders import A, an_order
from tests.builders.products import a_product
from tests.builders.stores import TULSA, a_buyer, a_vendor
from tests.security.catalogue import client_of
from tests.security.specification import RULES

SKU = "HUSH-7"

OF_THE_PRODUCT: dict[str, dict[str, Any]] = {
    "not active": {"is_active": False},
    "archived": {"deleted_at": clock.now()},
}
OF_THE_VENDOR: dict[str, dict[str, Any]] = {
    "deleted": {"deleted_at": clock.now()},
    "not yet verified": {"kyc_status": KycStatus.PENDING_VERIFICATION},
    "rejected": {"kyc_status": KycStatus.REJECTED},
    "expired": {"kyc_status": KycStatus.EXPIRED},
    "suspended": {"kyc_status": KycStatus.SUSPENDED},
    "not subscribed": {"subscription_active": False},
    "in another state": {"state": "NM"},
    "too far away": {"delivery_radius_meters": 157_285, **TULSA},
}


@dataclass(frozen=True)
class Scene:
    """A product of a vendor, and a buyer who sees it."""

    vendor: Store
    product: Product
    store: Store

    def calling(self, function: str) -> Client:
        return client_of(function).as_member(self.store, Role.OPS)

    def grid(self, **query: Any) -> Answer:
        return self.calling("products").get("/api/v1/products", **query)


Look = Callable[[], tuple[Answer, bool]]
"""Walk the path: the answer, and whether the product is in it."""


def listed(scene: Scene, ask: Callable[[], Answer]) -> Look:
    def look() -> tuple[Answer, bool]:
        answer = ask()
        assert answer.status in (200, 404)
        rows = answer.data if answer.status == 200 else []
        return answer, str(scene.product.id) in [row["id"] for row in rows]

    return look


def answered(ask: Callable[[], Answer], *, status: int = 200) -> Look:
    def look() -> tuple[Answer, bool]:
        answer = ask()
        assert answer.status in (status, 404)
        return answer, answer.status == status

    return look


def counted(scene: Scene) -> Look:
    def look() -> tuple[Answer, bool]:
        answer = scene.grid(include_total="true")
        return answer, answer.json["total"] > 0

    return look


def in_facets(scene: Scene) -> Look:
    def look() -> tuple[Answer, bool]:
        answer = scene.grid(facets="category,classification,strain,feelings,flavors,usage,vendor_store_id")
        return answer, any(answer.json["facets"].values())

    return look


def quoted(scene: Scene) -> Look:
    def look() -> tuple[Answer, bool]:
        wanted = {"items": [{"product_id": str(scene.product.id), "quantity": 1}]}
        answer = scene.calling("cart").post("/api/v1/cart", wanted)
        return answer, answer.data["items"][0]["status"] == "ok"

    return look


def bought(scene: Scene) -> Look:
    """With a quote from before."""
    body = checkout_of(a_cart(scene.store, (scene.product, 1)))

    def look() -> tuple[Answer, bool]:
        answer = scene.calling("checkout").post("/api/v1/checkout", body)
        assert answer.status == 201 or answer.error.reason in ("nothing_orderable", "out_of_stock")
        return answer, answer.status == 201

    return look


def bought_again(scene: Scene) -> Look:
    """By an order that expired."""
    order = an_order(
        OrderStatus.EXPIRED, buyer=scene.store, vendor=scene.vendor, lines=(A(qty=1, product=scene.product),)
    )

    def look() -> tuple[Answer, bool]:
        answer = scene.calling("orders").post(f"/api/v1/orders/{order.id}/retry")
        assert answer.status in (201, 409)
        return answer, answer.status == 201

    return look


def vendor_listed(scene: Scene) -> Look:
    def look() -> tuple[Answer, bool]:
        answer = scene.calling("stores").get("/api/v1/stores/vendors")
        return answer, str(scene.vendor.id) in [row["id"] for row in answer.data]

    return look


def wished(scene: Scene) -> Look:
    body = {"product_id": str(scene.product.id)}
    assert scene.calling("wishlist").post("/api/v1/wishlist/items", body).status == 201

    def look() -> tuple[Answer, bool]:
        answer = scene.calling("wishlist").get("/api/v1/wishlist")
        (item,) = answer.data
        assert item["is_visible"] is (item["product"] is not None)
        return answer, item["is_visible"]

    return look


def wish(scene: Scene) -> Answer:
    return scene.calling("wishlist").post("/api/v1/wishlist/items", {"product_id": str(scene.product.id)})


VENDORS_OWN: dict[str, Callable[[Scene], Look]] = {
    "GET /api/v1/stores/vendors": vendor_listed,
    "GET /api/v1/stores/vendors/{store_id_or_slug}": lambda scene: answered(
        lambda: scene.calling("stores").get(f"/api/v1/stores/vendors/{scene.vendor.id}")
    ),
    "GET /api/v1/stores/{store_id}/reviews": lambda scene: answered(
        lambda: scene.calling("stores").get(f"/api/v1/stores/{scene.vendor.id}/reviews")
    ),
}
"""Paths that show a vendor and none of its products."""

PRODUCTS: dict[str, Callable[[Scene], Look]] = {
    "GET /api/v1/products": lambda scene: listed(scene, scene.grid),
    "GET /api/v1/products by distance": lambda scene: listed(scene, lambda: scene.grid(sort="distance")),
    "GET /api/v1/products by words": lambda scene: listed(scene, lambda: scene.grid(q="hush lantern")),
    "GET /api/v1/products by sku": lambda scene: listed(scene, lambda: scene.grid(q=SKU)),
    "GET /api/v1/products of a vendor": lambda scene: listed(
        scene, lambda: scene.grid(vendor_store_id=str(scene.vendor.id))
    ),
    "GET /api/v1/products counted": counted,
    "GET /api/v1/products in facets": in_facets,
    "GET /api/v1/products/{product_id}": lambda scene: answered(
        lambda: scene.calling("products").get(f"/api/v1/products/{scene.product.id}")
    ),
    "GET /api/v1/products/{product_id}/reviews": lambda scene: answered(
        lambda: scene.calling("products").get(f"/api/v1/products/{scene.product.id}/reviews")
    ),
    "GET /api/v1/stores/{store_id}/products": lambda scene: listed(
        scene, lambda: scene.calling("stores").get(f"/api/v1/stores/{scene.vendor.id}/products")
    ),
    "GET /api/v1/wishlist": wished,
    "POST /api/v1/wishlist/items": lambda scene: answered(lambda: wish(scene), status=201),
    "POST /api/v1/cart": quoted,
    "POST /api/v1/checkout": bought,
    "POST /api/v1/orders/{order_id}/retry": bought_again,
}


@pytest.fixture
def scenes() -> tuple[Scene, Scene]:
    vendor = a_vendor()
    product = a_product(vendor, sku=SKU, title="Hush Lantern", feelings=["calm"], flavors=["pine"], usage=["sleep"])
    one, other = a_buyer(), a_buyer()
    return Scene(vendor, product, one), Scene(vendor, product, other)


def hide(model: Any, id_: Any, change: dict[str, Any]) -> None:
    with transaction() as session:
        session.execute(update(model).where(model.id == id_).values(**change))


def revealed(look: Look) -> bool:
    answer, there = look()
    assert there or SKU.encode() not in answer.raw
    return there


@pytest.mark.parametrize("path", PRODUCTS)
@pytest.mark.parametrize("reason", OF_THE_PRODUCT)
def test_a_product_that_is_not_offered_is_revealed_nowhere(scenes, path, reason):
    before, after = (PRODUCTS[path](scene) for scene in scenes)
    assert revealed(before)

    hide(Product, scenes[0].product.id, OF_THE_PRODUCT[reason])

    assert not revealed(after)


@pytest.mark.parametrize("path", PRODUCTS | VENDORS_OWN)
@pytest.mark.parametrize("reason", OF_THE_VENDOR)
def test_a_product_whose_vendor_does_not_sell_to_the_buyer_is_revealed_nowhere(scenes, path, reason):
    before, after = ((PRODUCTS | VENDORS_OWN)[path](scene) for scene in scenes)
    assert revealed(before)

    hide(Store, scenes[0].vendor.id, OF_THE_VENDOR[reason])

    assert not revealed(after)


def test_the_paths_are_routes_that_there_are():
    for path in PRODUCTS | VENDORS_OWN:
        method, route, *_ = path.split(" ")
        assert f"{method} {route}" in RULES
