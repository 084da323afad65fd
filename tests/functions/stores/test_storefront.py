"""A vendor's storefront as a buyer walks through it, and what two stores have ordered from each other."""

from uuid import uuid4

import pytest

from shared.identity.permissions import Role
from shared.kit import clock
from shared.orders.models import OrderStatus
from tests.builders.orders import A, an_order
from tests.builders.products import a_product
from tests.builders.stores import a_buyer, a_vendor
from tests.cost import counting

NOT_FOUND = (404, "NOT_FOUND", "There is no such thing here.")


@pytest.fixture
def shop():
    return a_buyer(company_name="Green Mesa LLC")


@pytest.fixture
def farm():
    return a_vendor(company_name="Red River Farms LLC")


@pytest.fixture
def buyer(api, shop):
    return api.as_member(shop, Role.VIEWER)


def titles(reply):
    return [row["title"] for row in reply.data]


def numbers(reply):
    return [row["order_number"] for row in reply.data]


def told(reply):
    return reply.status, reply.error.code, reply.error.message


def test_a_storefront_shows_the_vendors_offer_alone(buyer, farm):
    a_product(farm, title="Gummies", category="edible", price_cents=900)
    a_product(farm, title="Shatter", category="concentrate", price_cents=1_200)
    a_product(farm, title="Kept back", is_active=False)
    a_product(title="Of another farm")

    everything = buyer.get(f"/{farm.id}/products", include_total="true", facets="category,vendor_store_id")
    cheapest = buyer.get(f"/{farm.id}/products", sort="price")
    edible = buyer.get(f"/{farm.id}/products", category="edible")
    searched = buyer.get(f"/{farm.id}/products", q="shatter")

    assert titles(everything) == ["Shatter", "Gummies"]
    assert everything.json["total"] == 2
    assert everything.json["facets"]["category"] == [
        {"value": "concentrate", "label": "concentrate", "count": 1},
        {"value": "edible", "label": "edible", "count": 1},
    ]
    assert titles(cheapest) == ["Gummies", "Shatter"]
    assert titles(edible) == ["Gummies"]
    assert titles(searched) == ["Shatter"]


def test_its_rows_are_those_of_the_grid(buyer, farm):
    from functions.products.main import main
    from tests.api import Client

    a_product(farm, tiers={10: "5"})
    grid = Client.of(main, "/api/v1/products").with_token(buyer.token)

    assert buyer.get(f"/{farm.id}/products").data == grid.get().data


def test_an_empty_storefront_is_there(buyer, farm):
    reply = buyer.get(f"/{farm.id}/products")

    assert (reply.status, reply.data) == (200, [])


def test_a_storefront_is_one_vendors(buyer, farm):
    reply = buyer.get(f"/{farm.id}/products", vendor_store_id=str(uuid4()))

    assert (reply.status, reply.error.fields) == (400, ["vendor_store_id"])


def test_a_cursor_of_one_storefront_opens_no_other(buyer, farm):
    other = a_vendor()
    for _ in range(2):
        a_product(farm)
        a_product(other)
    cursor = buyer.get(f"/{farm.id}/products", limit=1).page["next"]

    assert buyer.get(f"/{other.id}/products", limit=1, cursor=cursor).error.fields == ["cursor"]
    assert buyer.get(f"/{farm.id}/products", limit=1, cursor=cursor).status == 200


def test_what_is_no_vendor_has_no_storefront(buyer, shop):
    replies = [buyer.get(f"/{store_id}/products") for store_id in (uuid4(), shop.id, a_buyer().id)]

    assert [told(reply) for reply in replies] == [NOT_FOUND] * 3


def test_both_sides_see_what_they_have_ordered_with_totals(api, buyer, shop, farm):
    delivered = an_order(OrderStatus.DELIVERED, buyer=shop, vendor=farm, lines=(A(4, 2_500, discount_cents=500),))
    closed = an_order(OrderStatus.CLOSED, buyer=shop, vendor=farm, lines=(A(1, 700),), promo_cents=100)
    waiting = an_order(buyer=shop, vendor=farm, lines=(A(2, 300),))
    rejected = an_order(OrderStatus.REJECTED, buyer=shop, vendor=farm)
    an_order(buyer=shop)
    an_order(vendor=farm)

    bought = buyer.get(f"/{farm.id}/orders", include_total="true")
    sold = api.as_member(farm).get(f"/{shop.id}/orders", include_total="true")

    expected = [order.order_number for order in (rejected, waiting, closed, delivered)]
    assert numbers(bought) == numbers(sold) == expected
    assert (
        bought.json["totals"]
        == sold.json["totals"]
        == {
            "count": 4,
            "delivered_count": 2,
            "gross_cents": 11_300,
            "discounts_cents": 600,
            "total_cents": 10_700,
            "balance_due_cents": 10_100,
        }
    )
    assert bought.json["total"] == 4
    assert bought.data == sold.data


def test_totals_are_of_the_whole_list_that_the_filters_let_through(buyer, shop, farm):
    for cents in (100, 200, 400):
        an_order(OrderStatus.DELIVERED, buyer=shop, vendor=farm, lines=(A(1, cents),))
    an_order(buyer=shop, vendor=farm)

    reply = buyer.get(f"/{farm.id}/orders", status="delivered", limit=2)
    rest = buyer.get(f"/{farm.id}/orders", status="delivered", limit=2, cursor=reply.page["next"])

    assert [(len(r.data), r.json["totals"]["count"], r.json["totals"]["total_cents"]) for r in (reply, rest)] == [
        (2, 3, 700),
        (1, 3, 700),
    ]


def test_a_vendor_of_whom_nothing_was_ordered_yet_has_an_empty_list(buyer, farm):
    an_order(vendor=farm)

    reply = buyer.get(f"/{farm.id}/orders")

    assert (reply.status, reply.data) == (200, [])
    assert set(reply.json["totals"].values()) == {0}


def test_orders_with_a_vendor_that_is_gone_stay_readable(buyer, shop):
    gone = a_vendor(deleted_at=clock.now())
    order = an_order(OrderStatus.CLOSED, buyer=shop, vendor=gone)

    assert numbers(buyer.get(f"/{gone.id}/orders")) == [order.order_number]
    assert numbers(buyer.get(f"/{gone.id}/orders", status="accepted")) == []


def test_nobody_trades_with_their_own_kind(api, buyer, farm):
    replies = [
        *(
            buyer.get(f"/{store_id}/orders")
            for store_id in (uuid4(), a_buyer().id, a_vendor(deleted_at=clock.now()).id)
        ),
        *(api.as_member(farm).get(f"/{store_id}/orders") for store_id in (uuid4(), a_vendor().id)),
    ]

    assert [told(reply) for reply in replies] == [NOT_FOUND] * 5


def test_a_cursor_is_for_the_two_stores_it_was_made_for(buyer, shop, farm):
    other = a_vendor()
    for vendor in (farm, other, farm, other):
        an_order(buyer=shop, vendor=vendor)
    cursor = buyer.get(f"/{farm.id}/orders", limit=1).page["next"]

    assert buyer.get(f"/{other.id}/orders", limit=1, cursor=cursor).error.fields == ["cursor"]
    assert len(buyer.get(f"/{farm.id}/orders", limit=1, cursor=cursor).data) == 1


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("products", {}),
        ("products", {"include_total": "true", "facets": "category,strain", "q": "blue", "sort": "price"}),
        ("orders", {}),
        ("orders", {"include_total": "true", "status": "created_pending", "q": "red river"}),
    ],
)
def test_each_list_costs_two_statements_however_long(buyer, shop, farm, path, query):
    costs = []
    for more in (1, 5):
        for _ in range(more):
            an_order(buyer=shop, vendor=farm, lines=(A(1, 500),))
        with counting() as cost:
            assert len(buyer.get(f"/{farm.id}/{path}", **query).data) == (1 if more == 1 else 6)
        costs.append(cost.sql)

    assert costs == [2, 2]
