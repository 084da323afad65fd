"""A buyer store's wishlist: what is put on it, what it shows, and what it does not show any more."""

from datetime import timedelta
from itertools import chain
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, update

from shared.catalog import wishlist
from shared.catalog.models import Product, Wishlist, WishlistItem
from shared.identity.models import KycStatus, Store
from shared.identity.permissions import Role
from shared.kit import clock
from shared.kit.db import read_only, transaction
from tests.api import Client
from tests.builders.products import a_product
from tests.builders.stores import TULSA, a_buyer, a_vendor
from tests.cost import counting
from tests.rivals import at_once, beside


@pytest.fixture
def shop():
    return a_buyer()


@pytest.fixture
def buyer(api, shop):
    return api.as_member(shop, Role.STAFF)


def wish(caller, product):
    reply = caller.post("/items", {"product_id": str(product.id)})
    assert reply.status in (200, 201), reply.raw
    return reply


def ids(caller):
    return [UUID(one) for one in caller.get("/ids").data]


def kept():
    with read_only() as session:
        return session.scalar(select(func.count()).select_from(WishlistItem))


def test_what_is_wished_for_is_on_the_list(buyer, freeze):
    freeze(clock.now())
    product = a_product(title="Blue Dream, indoor")

    reply = wish(buyer, product)

    assert reply.status == 201
    assert reply.data == {
        "product_id": str(product.id),
        "created_at": clock.now().isoformat().replace("+00:00", "Z"),
    }
    (item,) = buyer.get().data
    assert (item["product_id"], item["title"], item["is_visible"]) == (str(product.id), "Blue Dream, indoor", True)
    assert item["created_at"] == reply.data["created_at"]


def test_an_item_shows_the_product_as_the_grid_does(buyer):
    from functions.products.main import main

    wish(buyer, a_product(a_vendor(**TULSA), tiers={10: "5"}, available_qty=3, low_stock_threshold=5))
    grid = Client.of(main, "/api/v1/products").with_token(buyer.token)

    assert [item["product"] for item in buyer.get().data] == grid.get().data


def test_wishing_again_changes_nothing(buyer):
    product = a_product()
    first = wish(buyer, product)

    second = wish(buyer, product)

    assert (first.status, second.status) == (201, 200)
    assert second.data == first.data
    assert kept() == 1


def test_a_repeated_request_gets_the_first_answer(buyer):
    body = {"product_id": str(a_product().id)}

    first, again = (buyer.post("/items", body, key="wish-1") for _ in range(2))

    assert (first.status, again.status, again.headers["Idempotency-Replayed"]) == (201, 201, "true")
    assert again.raw == first.raw


def test_an_item_is_taken_off_once(buyer):
    product, other = a_product(), a_product()
    wish(buyer, product)
    wish(buyer, other)

    first, second = buyer.delete(f"/items/{product.id}"), buyer.delete(f"/items/{product.id}")

    assert (first.status, second.status) == (204, 404)
    assert ids(buyer) == [other.id]


def test_the_last_wish_comes_first_page_by_page_there_and_back(buyer, freeze):
    products = []
    for n in range(7):
        # Two at the same moment each time, as ties must not matter.
        freeze(clock.now() + timedelta(seconds=n % 2))
        products.append(a_product())
        wish(buyer, products[-1])

    pages, reply = [], buyer.get(limit=3, include_total="true")
    assert reply.json["total"] == 7
    while True:
        pages.append([item["product_id"] for item in reply.data])
        if reply.page["next"] is None:
            break
        reply = buyer.get(limit=3, cursor=reply.page["next"], include_total="true")
    back = buyer.get(limit=3, cursor=reply.page["prev"], include_total="true")

    assert list(chain(*pages)) == [str(product.id) for product in reversed(products)]
    assert [item["product_id"] for item in back.data] == pages[1]
    assert ids(buyer) == [product.id for product in reversed(products)]


HIDING = [
    (Product, {"is_active": False}),
    (Product, {"deleted_at": clock.now()}),
    (Store, {"deleted_at": clock.now()}),
    (Store, {"kyc_status": KycStatus.SUSPENDED}),
    (Store, {"kyc_status": KycStatus.EXPIRED}),
    (Store, {"kyc_status": KycStatus.REJECTED}),
    (Store, {"kyc_status": KycStatus.PENDING_VERIFICATION}),
    (Store, {"subscription_active": False}),
    (Store, {"state": "NM"}),
    (Store, {"delivery_radius_meters": 157_285, **TULSA}),
]


def change(product, model, fields):
    row = Product.id == product.id if model is Product else Store.id == product.vendor_store_id
    with transaction() as session:
        session.execute(update(model).where(row).values(fields))


@pytest.mark.parametrize(("model", "fields"), HIDING)
def test_what_a_buyer_does_not_see_any_more_is_marked_and_tells_nothing_new(buyer, model, fields):
    product, other = a_product(title="As it was"), a_product()
    wish(buyer, product)
    wish(buyer, other)

    change(product, model, fields)
    change(product, Product, {"title": "Renamed", "price_cents": 1})

    seen, hidden = buyer.get().data
    assert (seen["product_id"], seen["is_visible"]) == (str(other.id), True)
    assert (hidden["product_id"], hidden["title"]) == (str(product.id), "As it was")
    assert (hidden["is_visible"], hidden["product"]) == (False, None)
    assert ids(buyer) == [other.id, product.id]


@pytest.mark.parametrize(("model", "fields"), HIDING)
def test_what_a_buyer_does_not_see_cannot_be_wished_for(buyer, model, fields):
    product = a_product()
    change(product, model, fields)

    hidden = buyer.post("/items", {"product_id": str(product.id)})
    unknown = buyer.post("/items", {"product_id": str(uuid4())})

    assert (hidden.status, hidden.error.code, hidden.error.message) == (404, "NOT_FOUND", unknown.error.message)
    with read_only() as session:
        assert session.scalar(select(func.count()).select_from(Wishlist)) == 0


def test_what_comes_back_is_seen_again(buyer):
    product = a_product(title="Before")
    wish(buyer, product)
    change(product, Product, {"is_active": False})
    change(product, Product, {"is_active": True, "title": "After"})

    (item,) = buyer.get().data

    assert (item["is_visible"], item["title"], item["product"]["title"]) == (True, "Before", "After")


def test_wishing_again_for_what_is_hidden_by_now_is_no_error(buyer):
    product = a_product()
    wish(buyer, product)
    change(product, Product, {"is_active": False})

    assert wish(buyer, product).status == 200


def test_a_list_is_its_stores_alone(api, buyer, shop):
    product = a_product()
    wish(buyer, product)
    colleague, stranger = api.as_member(shop, Role.VIEWER), api.as_member(a_buyer())

    assert ids(colleague) == [product.id]
    assert (ids(stranger), stranger.get().data) == ([], [])
    assert stranger.delete(f"/items/{product.id}").status == 404
    assert ids(buyer) == [product.id]


def test_a_viewer_looks_and_does_not_touch(api, shop):
    viewer = api.as_member(shop, Role.VIEWER)

    refused = viewer.post("/items", {"product_id": str(a_product().id)})

    assert (refused.status, refused.error.details) == (403, {"permission": "wishlist:write"})
    assert kept() == 0


def test_a_list_ends_where_its_ids_would_not_fit_into_an_answer(buyer, monkeypatch):
    monkeypatch.setattr(wishlist, "MAX_ITEMS", 2)
    for _ in range(2):
        wish(buyer, a_product())

    reply = buyer.post("/items", {"product_id": str(a_product().id)})

    assert (reply.status, reply.error.code, reply.error.reason) == (422, "STATE_CONFLICT", "wishlist_full")
    assert kept() == 2


def test_the_detail_of_a_product_says_whether_it_is_wished_for(api, buyer, shop):
    from functions.products.main import main

    product = a_product()
    grid = Client.of(main, "/api/v1/products")
    shown = []
    for act in (lambda: None, lambda: wish(buyer, product), lambda: buyer.delete(f"/items/{product.id}")):
        act()
        shown.append(grid.as_member(shop).get(f"/{product.id}").data["is_wishlisted"])
    wish(api.as_member(a_buyer()), product)

    assert shown == [False, True, False]
    assert grid.as_member(shop).get(f"/{product.id}").data["is_wishlisted"] is False


def test_lists_cost_the_same_however_long(buyer):
    costs = []
    for more in (1, 9):
        for _ in range(more):
            wish(buyer, a_product())
        with counting() as page:
            assert len(buyer.get().data) == (1 if more == 1 else 10)
        with counting() as total:
            buyer.get(include_total="true")
        with counting() as all_ids:
            buyer.get("/ids")
        costs.append((page.sql, total.sql, all_ids.sql))

    assert costs == [(1, 2, 1), (1, 2, 1)]


def test_rivals_who_wish_at_once_make_one_list_with_one_item(committed_database, buyer):
    product, other = a_product(), a_product()

    replies = at_once(
        None,
        *(lambda one=one: wish(beside(buyer), one) for one in (product, product, other)),
    )

    assert sorted(reply.status for reply in replies) == [200, 201, 201]
    assert sorted(ids(buyer)) == sorted([product.id, other.id])


def test_rivals_do_not_overfill_a_list(committed_database, buyer, monkeypatch):
    monkeypatch.setattr(wishlist, "MAX_ITEMS", 1)
    bodies = [{"product_id": str(a_product().id)} for _ in range(3)]

    replies = at_once(None, *(lambda body=body: beside(buyer).post("/items", body) for body in bodies))

    assert sorted(reply.status for reply in replies) == [201, 422, 422]
    assert kept() == 1
