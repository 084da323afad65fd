"""Who may review what, and what becomes of the words."""

from uuid import uuid4

import pytest
from sqlalchemy import func, select, update

from shared.catalog.models import Product
from shared.identity.models import KycStatus, Store
from shared.identity.permissions import Role
from shared.kit import clock
from shared.kit.db import read_only, transaction
from shared.orders.models import LineStatus, OrderStatus
from shared.reviews.models import Review
from tests.builders.orders import A, an_order
from tests.builders.products import a_product
from tests.builders.stores import a_buyer, a_member, a_vendor
from tests.functions.reviews.reviewing import a_customer, a_farm_with_a_product, id_of, rating_of, review

RECEIVED = (OrderStatus.DELIVERED, OrderStatus.CLOSED)


def kept():
    with read_only() as session:
        return session.scalar(select(func.count()).select_from(Review))


def refused(reply):
    return reply.status, reply.error.code, reply.error.reason


def test_a_vendor_is_reviewed(api, freeze):
    freeze(clock.now())
    farm = a_vendor()

    reply = review(a_customer(api, of=farm), farm, 4, title="Good & fresh", body="Came on time.\nTwice.")

    now = clock.now().isoformat().replace("+00:00", "Z")
    assert reply.status == 201
    assert reply.data == {
        "id": reply.data["id"],
        "store_id": str(farm.id),
        "product_id": None,
        "rating": 4,
        "title": "Good & fresh",
        "body": "Came on time.\nTwice.",
        "is_hidden": False,
        "created_at": now,
        "updated_at": now,
    }
    assert rating_of(farm) == (1, 4)


def test_a_product_is_reviewed_and_its_vendor_is_not(api):
    farm, product = a_farm_with_a_product()

    reply = review(a_customer(api, product), product, 2)

    assert (reply.status, reply.data["product_id"], reply.data["store_id"]) == (201, str(product.id), None)
    assert (reply.data["title"], reply.data["body"]) == (None, None)
    assert (rating_of(product), rating_of(farm)) == ((1, 2), (0, 0))


@pytest.mark.parametrize("status", OrderStatus)
def test_only_what_was_delivered_can_be_reviewed(api, status):
    farm, product = a_farm_with_a_product()
    shop = a_buyer()
    an_order(status, buyer=shop, vendor=farm, lines=(A(product=product), A()))
    caller = api.as_member(shop, user_id=a_member(shop).id)
    bodies = [{"store_id": str(farm.id), "rating": 5}, {"product_id": str(product.id), "rating": 5}]

    replies = [caller.post("", body) for body in bodies]

    if status in RECEIVED:
        assert [reply.status for reply in replies] == [201, 201]
    else:
        assert [refused(reply) for reply in replies] == [(403, "FORBIDDEN", "nothing_received")] * 2
        assert (kept(), rating_of(farm), rating_of(product)) == (0, (0, 0), (0, 0))


@pytest.mark.parametrize("status", RECEIVED)
def test_a_line_that_was_rejected_was_not_received(api, status):
    farm, product = a_farm_with_a_product()
    shop = a_buyer()
    an_order(status, buyer=shop, vendor=farm, lines=(A(product=product, status=LineStatus.REJECTED), A()))
    caller = api.as_member(shop, user_id=a_member(shop).id)

    assert refused(caller.post("", {"product_id": str(product.id), "rating": 1}))[0] == 403
    assert review(caller, farm).status == 201


def test_what_another_buyer_received_does_not_count(api):
    farm, product = a_farm_with_a_product()
    a_customer(api, product)
    other_product = a_product(farm)
    customer = a_customer(api, other_product)

    assert refused(customer.post("", {"product_id": str(product.id), "rating": 1}))[0] == 403
    assert refused(a_customer(api).post("", {"store_id": str(farm.id), "rating": 1}))[0] == 403


@pytest.mark.parametrize(
    "fields",
    [
        {"deleted_at": clock.now()},
        {"kyc_status": KycStatus.SUSPENDED},
        {"kyc_status": KycStatus.EXPIRED},
        {"subscription_active": False},
        {"state": "NM"},
    ],
)
def test_what_a_buyer_neither_received_nor_sees_is_not_there(api, fields):
    farm, product = a_farm_with_a_product()
    with transaction() as session:
        session.execute(update(Store).where(Store.id == farm.id).values(fields))
    caller = a_customer(api)
    named = [("store_id", farm.id), ("product_id", product.id)]
    unknown = [("store_id", uuid4()), ("store_id", a_buyer().id), ("product_id", uuid4())]

    replies = [caller.post("", {field: str(of), "rating": 5}) for field, of in named + unknown]

    assert {(*refused(reply), reply.error.message) for reply in replies} == {
        (404, "NOT_FOUND", None, "There is no such thing here.")
    }


def test_what_was_received_can_be_reviewed_though_it_is_hidden_by_now(api):
    farm, product = a_farm_with_a_product()
    customer = a_customer(api, product)
    with transaction() as session:
        session.execute(update(Store).where(Store.id == farm.id).values(subscription_active=False))
        session.execute(update(Product).where(Product.id == product.id).values(deleted_at=clock.now()))

    assert [review(customer, subject).status for subject in (farm, product)] == [201, 201]


def test_a_second_review_takes_the_place_of_the_first(api, freeze):
    freeze(clock.now())
    farm = a_vendor()
    customer = a_customer(api, of=farm)
    first = review(customer, farm, 2, title="Late", body="A day late.")

    second = review(customer, farm, 5, title="Better")

    assert (first.status, second.status) == (201, 200)
    assert id_of(first) == id_of(second)
    assert (second.data["rating"], second.data["title"], second.data["body"]) == (5, "Better", None)
    assert second.data["created_at"] == first.data["created_at"]
    assert (kept(), rating_of(farm)) == (1, (1, 5))


def test_a_store_has_one_review_whoever_of_it_writes(api):
    farm = a_vendor()
    shop = a_buyer()
    an_order(OrderStatus.DELIVERED, buyer=shop, vendor=farm)
    rosa, lee = (api.as_member(shop, Role.OPS, user_id=a_member(shop, Role.OPS).id) for _ in range(2))

    assert [review(rosa, farm, 5).status, review(lee, farm, 3).status] == [201, 200]
    assert rating_of(farm) == (1, 3)


def test_a_review_is_taken_back(api):
    farm = a_vendor()
    customer, other = a_customer(api, of=farm), a_customer(api, of=farm)
    mine = review(customer, farm, 1)
    review(other, farm, 4)

    first, second = customer.delete(f"/{id_of(mine)}"), customer.delete(f"/{id_of(mine)}")

    assert (first.status, second.status) == (204, 404)
    assert (kept(), rating_of(farm)) == (1, (1, 4))
    assert review(customer, farm, 5).status == 201


def test_a_review_is_its_stores_alone_to_take_back(api):
    farm = a_vendor()
    theirs = review(a_customer(api, of=farm), farm, 1)

    assert a_customer(api, of=farm).delete(f"/{id_of(theirs)}").status == 404
    assert (kept(), rating_of(farm)) == (1, (1, 1))


@pytest.mark.parametrize("role", [Role.STAFF, Role.VIEWER])
def test_who_may_not_write_does_not(api, role):
    farm = a_vendor()
    shop = a_buyer()
    an_order(OrderStatus.DELIVERED, buyer=shop, vendor=farm)

    reply = api.as_member(shop, role).post("", {"store_id": str(farm.id), "rating": 5})

    assert (reply.status, reply.error.details) == (403, {"permission": "reviews:write"})


@pytest.mark.parametrize(
    ("written", "kept_as"),
    [
        ("Fresh & <b>green</b>", "Fresh & green"),
        ("2 < 3 and 5 > 4", "2 < 3 and 5 > 4"),
        ("I <3 it", "I <3 it"),
        ("<script>alert(1)</script>Good", "Good"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;Good", "Good"),
        ("&amp;lt;img src=x onerror=alert(1)&amp;gt;Good", "Good"),
        ("<img src=x onerror=alert(1)>", None),
        ("<scr<script>ipt>alert(1)</script>Good", "< scrGood"),
        ("Price<value, and that is rare", "Price< value, and that is rare"),
        ("Good<img src=x onerror=alert(1) ", "Good< img src=x onerror=alert(1)"),
        ("&amp;amp;amp;amp;amp;amp;lt;b&amp;gt;", "&amp;lt;b&gt;"),
        ("Tom &amp; Jerry", "Tom & Jerry"),
        ("First line\n\n\tsecond", "First line\n\n\tsecond"),
        ("¡Muy bueno! 🌿", "¡Muy bueno! 🌿"),
        ("   ", None),
    ],
)
def test_words_are_plain_text(api, written, kept_as):
    farm = a_vendor()

    reply = review(a_customer(api, of=farm), farm, body=written)

    assert reply.data["body"] == kept_as


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"rating": 0}, "rating"),
        ({"rating": 6}, "rating"),
        ({"rating": 4.5}, "rating"),
        ({"rating": None}, "rating"),
        ({"title": "x" * 151}, "title"),
        ({"title": "two\nlines"}, "title"),
        ({"body": "x" * 5_001}, "body"),
        ({"body": "bell \x07"}, "body"),
        ({"store_id": "42"}, "store_id"),
        ({"product_id": str(uuid4())}, ""),
        ({"store_id": None}, ""),
        ({"is_hidden": True}, "is_hidden"),
    ],
)
def test_a_review_that_makes_no_sense_is_refused(api, fields, wrong):
    farm = a_vendor()

    reply = a_customer(api, of=farm).post("", {"store_id": str(farm.id), "rating": 5, **fields})

    assert (reply.status, reply.error.code, reply.error.fields) == (400, "VALIDATION_ERROR", [wrong])
    assert (kept(), rating_of(farm)) == (0, (0, 0))


def test_the_longest_words_fit(api):
    farm = a_vendor()

    reply = review(a_customer(api, of=farm), farm, title="x" * 150, body="y" * 5_000)

    assert (len(reply.data["title"]), len(reply.data["body"])) == (150, 5_000)
