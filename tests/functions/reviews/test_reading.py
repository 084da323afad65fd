"""Reviews are read with what they are about, by those who see that."""

from datetime import timedelta
from itertools import chain
from uuid import uuid4

import pytest
from sqlalchemy import update

from shared.catalog.models import Product
from shared.identity.models import KycStatus, Store
from shared.identity.permissions import Role
from shared.kit import clock
from shared.kit.db import transaction
from tests.builders.stores import TULSA, a_buyer, a_vendor
from tests.cost import counting
from tests.functions.reviews.reviewing import a_customer, a_farm_with_a_product, id_of, review

NOT_FOUND = (404, "NOT_FOUND", "There is no such thing here.")


def told(reply):
    return reply.status, reply.error.code, reply.error.message


def ratings(reply):
    return [row["rating"] for row in reply.data]


def test_a_review_names_the_store_that_wrote_it_and_nobody(api, stores, products, freeze):
    freeze(clock.now())
    farm, product = a_farm_with_a_product()
    customer = a_customer(api, product, company_name="Green Mesa LLC", dba_name="Green Mesa")
    of_farm = review(customer, farm, 4, title="Fine", body="All good.")
    of_product = review(customer, product, 5)
    viewer = a_buyer()

    (about_farm,) = stores.as_member(viewer, Role.VIEWER).get(f"/{farm.id}/reviews").data
    (about_product,) = products.as_member(viewer, Role.VIEWER).get(f"/{product.id}/reviews").data

    now = clock.now().isoformat().replace("+00:00", "Z")
    assert about_farm == {
        "id": str(id_of(of_farm)),
        "rating": 4,
        "title": "Fine",
        "body": "All good.",
        "reviewer_name": "Green Mesa",
        "is_own": False,
        "created_at": now,
        "updated_at": now,
    }
    assert (about_product["id"], about_product["title"]) == (str(id_of(of_product)), None)


def test_a_store_recognises_its_own(api, stores):
    farm = a_vendor()
    customer = a_customer(api, of=farm)
    review(customer, farm, 1)
    review(a_customer(api, of=farm), farm, 2)

    reply = stores.with_token(customer.token).get(f"/{farm.id}/reviews")

    assert [(row["rating"], row["is_own"]) for row in reply.data] == [(2, False), (1, True)]


def test_the_newest_come_first_page_by_page_while_others_are_written(api, stores, freeze):
    freeze(clock.now())
    farm = a_vendor()
    for n in range(7):
        # Two at the same moment each time.
        freeze(clock.now() + timedelta(seconds=n % 2))
        review(a_customer(api, of=farm), farm, n % 5 + 1)
    reader = stores.as_member(a_buyer())
    expected = ratings(reader.get(f"/{farm.id}/reviews"))

    pages, reply = [], reader.get(f"/{farm.id}/reviews", limit=3)
    while True:
        pages.append(ratings(reply))
        if reply.page["next"] is None:
            break
        review(a_customer(api, of=farm), farm, 5)
        reply = reader.get(f"/{farm.id}/reviews", limit=3, cursor=reply.page["next"])
    back = reader.get(f"/{farm.id}/reviews", limit=3, cursor=reply.page["prev"])

    assert list(chain(*pages)) == expected == [2, 1, 5, 4, 3, 2, 1]
    assert ratings(back) == pages[1]


def test_reviews_are_narrowed_by_rating(api, stores):
    farm = a_vendor()
    for n in (1, 2, 5, 5):
        review(a_customer(api, of=farm), farm, n)
    reader = stores.as_member(a_buyer())

    reply = reader.get(f"/{farm.id}/reviews", rating="5,1", include_total="true")

    assert (ratings(reply), reply.json["total"]) == ([5, 5, 1], 3)
    assert reader.get(f"/{farm.id}/reviews", rating="6").error.fields == ["rating[0]"]


def test_a_cursor_is_for_one_subject(api, stores):
    farms = [a_vendor(), a_vendor()]
    for farm in farms:
        for _ in range(2):
            review(a_customer(api, of=farm), farm)
    reader = stores.as_member(a_buyer())
    cursor = reader.get(f"/{farms[0].id}/reviews", limit=1).page["next"]

    assert reader.get(f"/{farms[1].id}/reviews", limit=1, cursor=cursor).error.fields == ["cursor"]


def test_a_vendor_reads_what_is_written_of_it_and_of_nobody_else(api, stores, products):
    farm, product = a_farm_with_a_product()
    review(a_customer(api, product), farm, 3)
    review(a_customer(api, product), product, 4)
    other = a_vendor()

    for vendor, statuses in ((farm, [200, 200]), (other, [404, 404])):
        replies = [
            stores.as_member(vendor).get(f"/{farm.id}/reviews"),
            products.as_member(vendor).get(f"/{product.id}/reviews"),
        ]
        assert [reply.status for reply in replies] == statuses


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (Product, {"is_active": False}),
        (Product, {"deleted_at": clock.now()}),
        (Store, {"deleted_at": clock.now()}),
        (Store, {"kyc_status": KycStatus.SUSPENDED}),
        (Store, {"kyc_status": KycStatus.EXPIRED}),
        (Store, {"subscription_active": False}),
        (Store, {"state": "NM"}),
        (Store, {"delivery_radius_meters": 157_285, **TULSA}),
    ],
)
def test_what_a_buyer_does_not_see_has_no_reviews_to_show(api, stores, products, model, fields):
    farm, product = a_farm_with_a_product()
    customer = a_customer(api, product)
    review(customer, farm)
    review(customer, product)
    with transaction() as session:
        row = Product.id == product.id if model is Product else Store.id == farm.id
        session.execute(update(model).where(row).values(fields))

    of_farm = stores.with_token(customer.token).get(f"/{farm.id}/reviews")
    of_product = products.with_token(customer.token).get(f"/{product.id}/reviews")

    assert told(of_product) == NOT_FOUND
    if model is Store:
        assert told(of_farm) == NOT_FOUND
    else:
        assert len(of_farm.data) == 1


def test_what_is_not_there_has_no_reviews(stores, products):
    shop = a_buyer()

    replies = [
        stores.as_member(shop).get(f"/{uuid4()}/reviews"),
        stores.as_member(shop).get(f"/{shop.id}/reviews"),
        products.as_member(shop).get(f"/{uuid4()}/reviews"),
    ]

    assert [told(reply) for reply in replies] == [NOT_FOUND] * 3


def test_ratings_are_shown_wherever_the_subject_is(api, stores, products):
    farm, product = a_farm_with_a_product()
    for stars in (5, 4, 4):
        customer = a_customer(api, product)
        review(customer, farm, stars)
        review(customer, product, stars - 1)
    reader, grid = stores.as_member(a_buyer()), products.as_member(a_buyer())

    assert reader.get("/vendors").data[0]["rating"] == {"count": 3, "average": "4.33"}
    assert reader.get(f"/vendors/{farm.id}").data["rating"] == {"count": 3, "average": "4.33"}
    assert reader.get(f"/{farm.id}").data["rating_average"] == 4.33
    assert grid.get().data[0]["rating"] == {"count": 3, "average": "3.33"}
    assert grid.get(f"/{product.id}").data["rating"] == {"count": 3, "average": "3.33"}


@pytest.mark.parametrize("query", [{}, {"include_total": "true", "rating": "5"}])
def test_each_list_costs_two_statements_however_long(api, stores, products, query):
    farm, product = a_farm_with_a_product()
    costs = []
    for more in (1, 4):
        for _ in range(more):
            customer = a_customer(api, product)
            review(customer, farm)
            review(customer, product)
        with counting() as of_farm:
            assert len(stores.as_member(a_buyer()).get(f"/{farm.id}/reviews", **query).data) == (1 if more == 1 else 5)
        with counting() as of_product:
            products.as_member(a_buyer()).get(f"/{product.id}/reviews", **query)
        costs.append((of_farm.sql, of_product.sql))

    assert costs == [(2, 2), (2, 2)]
