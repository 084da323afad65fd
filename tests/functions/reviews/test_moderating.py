"""Admins hide reviews and show them again; ratings follow."""

from uuid import uuid4

import pytest

from tests.builders.stores import a_buyer, a_vendor
from tests.cost import counting
from tests.events import audited
from tests.functions.reviews.reviewing import a_customer, a_farm_with_a_product, id_of, rating_of, review

REASON = {"reason": "Names an employee."}


@pytest.fixture
def admin(moderation):
    return moderation.as_admin()


def shown(stores, farm):
    return [row["rating"] for row in stores.as_member(a_buyer()).get(f"/{farm.id}/reviews").data]


def test_a_hidden_review_is_shown_to_nobody_and_counts_no_more(api, stores, admin):
    farm = a_vendor()
    rude = review(a_customer(api, of=farm), farm, 1, body="That Bob!")
    review(a_customer(api, of=farm), farm, 4)

    reply = admin.post(f"/{id_of(rude)}/hide", REASON)

    assert reply.status == 200
    assert (reply.data["is_hidden"], reply.data["hidden_reason"]) == (True, "Names an employee.")
    assert (shown(stores, farm), rating_of(farm)) == ([4], (1, 4))
    assert audited("review.hidden") == [
        ("review.hidden", id_of(rude), {"store_id": str(farm.id), "rating": 1, "reason": "Names an employee."})
    ]


def test_it_is_shown_again(api, stores, admin):
    farm = a_vendor()
    rude = review(a_customer(api, of=farm), farm, 1)
    admin.post(f"/{id_of(rude)}/hide", REASON)

    reply = admin.post(f"/{id_of(rude)}/unhide")

    assert (reply.status, reply.data["is_hidden"], reply.data["hidden_reason"]) == (200, False, None)
    assert (shown(stores, farm), rating_of(farm)) == ([1], (1, 1))
    assert audited("review.unhidden") == [("review.unhidden", id_of(rude), {"store_id": str(farm.id), "rating": 1})]


def test_neither_is_done_twice(api, admin):
    _, product = a_farm_with_a_product()
    rude = id_of(review(a_customer(api, product), product, 1))

    early = admin.post(f"/{rude}/unhide")
    admin.post(f"/{rude}/hide", REASON)
    again = admin.post(f"/{rude}/hide", REASON)

    assert (early.status, early.error.reason) == (422, "not_hidden")
    assert (again.status, again.error.reason) == (422, "already_hidden")
    assert (rating_of(product), len(audited("review.hidden"))) == ((0, 0), 1)


def test_what_is_changed_while_hidden_stays_hidden_and_counts_when_it_is_shown_again(api, stores, admin):
    farm = a_vendor()
    customer = a_customer(api, of=farm)
    rude = id_of(review(customer, farm, 1))
    admin.post(f"/{rude}/hide", REASON)

    changed = review(customer, farm, 4)
    assert (changed.status, changed.data["is_hidden"]) == (200, True)
    assert (shown(stores, farm), rating_of(farm)) == ([], (0, 0))

    admin.post(f"/{rude}/unhide")
    assert (shown(stores, farm), rating_of(farm)) == ([4], (1, 4))


def test_what_is_taken_back_while_hidden_is_not_subtracted_twice(api, admin):
    farm = a_vendor()
    customer = a_customer(api, of=farm)
    rude = id_of(review(customer, farm, 1))
    review(a_customer(api, of=farm), farm, 5)
    admin.post(f"/{rude}/hide", REASON)

    assert customer.delete(f"/{rude}").status == 204
    assert rating_of(farm) == (1, 5)
    assert admin.post(f"/{rude}/unhide").status == 404


def test_what_is_not_there_cannot_be_hidden(admin):
    assert admin.post(f"/{uuid4()}/hide", REASON).status == 404
    assert admin.post(f"/{uuid4()}/unhide").status == 404


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "  "}, {"reason": "x" * 501}, {"reason": None}])
def test_hiding_takes_a_reason(api, admin, body):
    farm = a_vendor()
    rude = id_of(review(a_customer(api, of=farm), farm, 1))

    reply = admin.post(f"/{rude}/hide", body)

    assert (reply.status, reply.error.fields) == (400, ["reason"])
    assert rating_of(farm) == (1, 1)


def test_admins_see_all_reviews_with_who_wrote_them(api, admin):
    farm, product = a_farm_with_a_product()
    customer = a_customer(api, product, company_name="Green Mesa LLC")
    of_farm, of_product = review(customer, farm, 2, title="Late"), review(customer, product, 5)
    of_other = review(a_customer(api, of=farm), farm, 3)
    admin.post(f"/{id_of(of_farm)}/hide", REASON)

    def found(**query):
        return [row["id"] for row in admin.get(**query).data]

    ids = [str(id_of(reply)) for reply in (of_other, of_product, of_farm)]
    buyer_id = admin.get(hidden="true").data[0]["buyer_store_id"]
    assert found() == ids
    assert found(hidden="true") == [ids[2]]
    assert found(hidden="false") == ids[:2]
    assert found(store_id=str(farm.id)) == [ids[0], ids[2]]
    assert found(product_id=str(product.id)) == [ids[1]]
    assert found(buyer_store_id=buyer_id) == ids[1:]
    assert found(rating="2,3") == [ids[0], ids[2]]
    (row,) = admin.get(hidden="true").data
    assert (row["reviewer_name"], row["title"], row["rating"]) == ("Green Mesa LLC", "Late", 2)
    assert row["author_user_id"] is not None


def test_the_list_costs_two_statements_at_most(api, admin):
    farm = a_vendor()
    for _ in range(3):
        review(a_customer(api, of=farm), farm)

    with counting() as page:
        assert len(admin.get().data) == 3
    with counting() as both:
        admin.get(include_total="true")

    assert (page.sql, both.sql) == (1, 2)
