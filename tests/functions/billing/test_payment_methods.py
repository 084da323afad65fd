"""Cards: one default, one of each, and nothing of them but brand, last four and expiry."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text

from shared.billing.models import PaymentMethod
from shared.identity.models import Store
from shared.identity.permissions import Role
from shared.kit import redis
from shared.kit.db import read_only
from tests.builders.billing import GOOD_CARD, OTHER_CARD, a_card, a_subscription, an_unsubscribed_vendor
from tests.builders.stores import a_buyer
from tests.events import audited
from tests.rivals import beside

CC = "/payment-methods/cc"


def shown(card):
    return (card["brand"], card["last4"], card["is_default"])


def kept():
    with read_only() as session:
        return session.scalar(select(func.count()).select_from(PaymentMethod))


def defaults(store):
    with read_only() as session:
        return list(
            session.scalars(
                select(PaymentMethod.id).where(PaymentMethod.store_id == store.id, PaymentMethod.is_default)
            )
        )


def test_the_first_card_becomes_the_default_and_makes_the_store_a_customer(api, square):
    vendor = an_unsubscribed_vendor(company_name="Red River Farms LLC", email="ann@example.com")

    reply = api.as_member(vendor).post(CC, {"source_id": GOOD_CARD, "cardholder_name": "Ann Lee"})

    assert reply.status == 201
    (customer,) = square.app.state.customers.values()
    (card,) = square.app.state.cards.values()
    assert reply.data == {
        "id": reply.data["id"],
        "brand": "VISA",
        "last4": "1111",
        "exp_month": 12,
        "exp_year": 2040,
        "is_default": True,
        "created_at": reply.data["created_at"],
    }
    assert (customer["reference_id"], customer["company_name"]) == (str(vendor.id), "Red River Farms LLC")
    assert (card["customer_id"], card["cardholder_name"]) == (customer["id"], "Ann Lee")
    with read_only() as session:
        assert session.scalar(select(Store.square_customer_id).where(Store.id == vendor.id)) == customer["id"]
    assert [action for action, _, _ in audited()] == ["billing.customer_created", "billing.card_added"]


def test_nothing_is_stored_or_logged_of_a_card_beyond_what_is_shown(api, square, capsys):
    vendor = an_unsubscribed_vendor()

    api.as_member(vendor).post(
        CC, {"source_id": "cnon:card-nonce-ok-secret", "verification_token": "verf:xyz", "cardholder_name": "Ann Lee"}
    )

    logged = capsys.readouterr().out
    with read_only() as session:
        row = session.execute(text("SELECT * FROM payment_methods")).mappings().one()
    assert set(row) == {
        "id",
        "store_id",
        "square_card_id",
        "brand",
        "last4",
        "exp_month",
        "exp_year",
        "fingerprint",
        "is_default",
        "created_at",
        "disabled_at",
    }
    for secret in ("card-nonce-ok-secret", "verf:xyz", "Ann Lee", row["fingerprint"], row["square_card_id"]):
        assert secret not in logged
    assert '"operation": "cards.create"' in logged


def test_a_second_card_is_the_default_only_when_asked(api):
    vendor = an_unsubscribed_vendor()
    caller = api.as_member(vendor)
    caller.post(CC, {"source_id": GOOD_CARD})

    plain = caller.post(CC, {"source_id": "cnon:card-nonce-ok-b"})
    chosen = caller.post(CC, {"source_id": "cnon:card-nonce-ok-c", "is_default": True})

    assert (plain.status, plain.data["is_default"]) == (201, False)
    assert (chosen.status, chosen.data["is_default"]) == (201, True)
    listed = caller.get("/payment-methods")
    assert [(card["id"], card["is_default"]) for card in listed.data][:2] == [
        (chosen.data["id"], True),
        (plain.data["id"], False),
    ]
    assert [str(card) for card in defaults(vendor)] == [chosen.data["id"]]


def test_the_same_card_twice_answers_the_one_that_is_there(api, square):
    caller = api.as_member(an_unsubscribed_vendor())
    first = caller.post(CC, {"source_id": GOOD_CARD, "cardholder_name": "Ann"})

    again = caller.post(CC, {"source_id": GOOD_CARD, "cardholder_name": "Anna"})

    assert (again.status, again.data) == (200, first.data)
    assert kept() == 1
    # The second one that Square made of it is of no use to anybody.
    assert sorted(card["enabled"] for card in square.app.state.cards.values()) == [False, True]


def test_the_same_token_again_without_redis_answers_the_one_that_is_there(api, square):
    vendor = an_unsubscribed_vendor()
    first = api.as_member(vendor).post(CC, {"source_id": GOOD_CARD}, key="k1")
    redis.client().flushdb()

    again = api.as_member(vendor).post(CC, {"source_id": GOOD_CARD}, key="k1")

    assert (again.status, again.data) == (200, first.data)
    assert [card["enabled"] for card in square.app.state.cards.values()] == [True]


def test_a_removed_card_can_be_added_again(api, square):
    caller = api.as_member(an_unsubscribed_vendor())
    first = caller.post(CC, {"source_id": GOOD_CARD})
    caller.delete(f"/payment-methods/{first.data['id']}")

    again = caller.post(CC, {"source_id": GOOD_CARD})

    assert again.status == 201
    assert again.data["id"] != first.data["id"]
    assert sorted(card["enabled"] for card in square.app.state.cards.values()) == [False, True]


@pytest.mark.parametrize(
    ("source_id", "code"),
    [
        ("cnon:card-nonce-declined", "CARD_DECLINED"),
        ("cnon:card-nonce-rejected-cvv", "VERIFY_CVV_FAILURE"),
        ("cnon:card-nonce-rejected-expiration", "BAD_EXPIRATION"),
    ],
)
def test_a_declined_card_is_422_with_squares_category(api, events, source_id, code):
    vendor = an_unsubscribed_vendor()

    reply = api.as_member(vendor).post(CC, {"source_id": source_id})

    assert (reply.status, reply.error.code) == (422, "STATE_CONFLICT")
    assert reply.error.details == {"reason": "card_declined", "category": "PAYMENT_METHOD_ERROR", "code": code}
    assert (kept(), events.rows()) == (0, [])


@pytest.mark.parametrize(
    ("source_id", "code"),
    [("cnon:card-nonce-already-used", "CARD_TOKEN_USED"), ("cnon:never-heard-of", "NOT_FOUND")],
)
def test_a_token_that_square_finds_wrong_is_400(api, source_id, code):
    reply = api.as_member(an_unsubscribed_vendor()).post(CC, {"source_id": source_id})

    assert (reply.status, reply.error.code) == (400, "VALIDATION_ERROR")
    assert reply.error.details == {"category": "INVALID_REQUEST_ERROR", "code": code}
    assert kept() == 0


def test_square_being_down_is_503_and_the_next_try_with_the_same_key_works(api, square):
    caller = api.as_member(an_unsubscribed_vendor())
    square.fail("cards.create", status=503, code="SERVICE_UNAVAILABLE", times=3)

    down = caller.post(CC, {"source_id": GOOD_CARD}, key="k1")
    works = caller.post(CC, {"source_id": GOOD_CARD}, key="k1")

    assert (down.status, down.error.code, down.headers["Retry-After"]) == (503, "DEPENDENCY_ERROR", "2")
    assert works.status == 201
    assert square.app.calls["cards.create"] == 4


def test_a_failure_of_ours_after_squares_answer_is_repaired_by_the_next_call(api, square, failing_once):
    vendor = an_unsubscribed_vendor()
    failing_once("payment_methods")

    broken = api.as_member(vendor).post(CC, {"source_id": GOOD_CARD}, key="k1")
    repaired = api.as_member(vendor).post(CC, {"source_id": GOOD_CARD}, key="k1")

    assert (broken.status, repaired.status) == (500, 201)
    assert [card["enabled"] for card in square.app.state.cards.values()] == [True]
    assert kept() == 1


def test_making_a_card_the_default_moves_the_subscription_to_it(api, square):
    vendor = an_unsubscribed_vendor()
    a_subscription(vendor)
    other = a_card(vendor, OTHER_CARD)

    reply = api.as_member(vendor).patch(f"/payment-methods/{other.id}", {"is_default": True})

    assert (reply.status, reply.data["is_default"]) == (200, True)
    assert defaults(vendor) == [other.id]
    (subscription,) = square.app.state.subscriptions.values()
    assert subscription["card_id"] == other.square_card_id
    assert api.as_member(vendor).get("/subscriptions").data["payment_method_id"] == str(other.id)
    assert [told[0] for told in audited("billing.card_made_default")] == ["billing.card_made_default"]


def test_the_default_stays_when_square_does_not_move_the_subscription(api, square):
    vendor = an_unsubscribed_vendor()
    a_subscription(vendor)
    (default,) = defaults(vendor)
    other = a_card(vendor, OTHER_CARD)
    square.fail("subscriptions.update", status=500, times=3)

    reply = api.as_member(vendor).patch(f"/payment-methods/{other.id}", {"is_default": True})

    assert reply.status == 503
    assert defaults(vendor) == [default]


def test_no_card_can_be_made_not_the_default(api):
    vendor = an_unsubscribed_vendor()
    card = a_card(vendor)

    reply = api.as_member(vendor).patch(f"/payment-methods/{card.id}", {"is_default": False})

    assert (reply.status, reply.error.fields) == (400, ["is_default"])
    assert defaults(vendor) == [card.id]


def test_the_newest_other_card_takes_the_place_of_a_removed_default(api, square):
    vendor = an_unsubscribed_vendor()
    a_subscription(vendor)
    (former,) = defaults(vendor)
    a_card(vendor, "cnon:card-nonce-ok-b")
    newest = a_card(vendor, "cnon:card-nonce-ok-c")

    reply = api.as_member(vendor).delete(f"/payment-methods/{former}")

    assert reply.status == 204
    assert defaults(vendor) == [newest.id]
    (subscription,) = square.app.state.subscriptions.values()
    assert subscription["card_id"] == newest.square_card_id
    assert [card["enabled"] for card in square.app.state.cards.values()] == [False, True, True]
    assert api.as_member(vendor).get("/payment-methods").data[0]["id"] == str(newest.id)
    assert len(audited("billing.card_removed")) == 1


def test_the_only_card_of_a_live_subscription_stays(api, square):
    vendor = an_unsubscribed_vendor()
    a_subscription(vendor)
    (card,) = defaults(vendor)

    reply = api.as_member(vendor).delete(f"/payment-methods/{card}")

    assert (reply.status, reply.error.code, reply.error.reason) == (409, "CONFLICT", "default_card_in_use")
    assert defaults(vendor) == [card]
    assert [held["enabled"] for held in square.app.state.cards.values()] == [True]


def test_the_only_card_may_go_once_the_subscription_ends(api, square):
    vendor = an_unsubscribed_vendor()
    a_subscription(vendor)
    api.as_member(vendor).post("/subscriptions/cancel")
    (card,) = defaults(vendor)

    reply = api.as_member(vendor).delete(f"/payment-methods/{card}")

    assert reply.status == 204
    assert defaults(vendor) == []
    assert [held["enabled"] for held in square.app.state.cards.values()] == [False]


def test_a_card_removed_twice_is_not_there_the_second_time(api, square):
    vendor = an_unsubscribed_vendor()
    card = a_card(vendor)

    statuses = [api.as_member(vendor).delete(f"/payment-methods/{card.id}").status for _ in range(2)]

    assert statuses == [204, 404]
    assert square.app.calls["cards.disable"] == 1


def test_a_removal_whose_answer_was_lost_can_be_repeated(api, square):
    vendor = an_unsubscribed_vendor()
    card = a_card(vendor)
    square.fail("cards.disable", times=3, after=True)

    statuses = [api.as_member(vendor).delete(f"/payment-methods/{card.id}").status for _ in range(2)]

    assert statuses == [503, 204]
    assert defaults(vendor) == []


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_another_stores_card_is_not_there(api, square, method):
    card = a_card(an_unsubscribed_vendor())
    stranger = api.as_member(an_unsubscribed_vendor())
    body = {"is_default": True} if method == "PATCH" else None

    theirs = stranger.send(method, f"/payment-methods/{card.id}", body=body)
    nobodys = stranger.send(method, f"/payment-methods/{uuid4()}", body=body)

    assert (theirs.status, theirs.error.code) == (nobodys.status, nobodys.error.code) == (404, "NOT_FOUND")
    assert stranger.get("/payment-methods").data == []
    assert [held["enabled"] for held in square.app.state.cards.values()] == [True]


@pytest.mark.parametrize("role", [Role.MANAGER, Role.OPS, Role.STAFF, Role.VIEWER])
def test_only_owner_and_admin_manage_billing(api, square, role):
    caller = api.as_member(an_unsubscribed_vendor(), role)

    replies = [caller.get("/payment-methods"), caller.post(CC, {"source_id": GOOD_CARD})]

    assert [(reply.status, reply.error.details) for reply in replies] == [(403, {"permission": "billing:manage"})] * 2
    assert square.app.calls == {}


def test_a_buyer_has_no_billing(api, square):
    reply = api.as_member(a_buyer()).post(CC, {"source_id": GOOD_CARD})

    assert (reply.status, reply.error.reason) == (403, "store_type")
    assert square.app.calls == {}


def test_cards_added_at_once_leave_exactly_one_default(committed_database, api, square):
    vendor = an_unsubscribed_vendor()
    caller = api.as_member(vendor)
    bodies = [{"source_id": f"cnon:card-nonce-ok-{n}", "is_default": n % 2 == 0} for n in range(6)]

    with ThreadPoolExecutor(6) as pool:
        statuses = list(pool.map(lambda body: beside(caller).post(CC, body).status, bodies))

    assert statuses == [201] * 6
    assert kept() == 6
    assert len(defaults(vendor)) == 1
    assert len(square.app.state.customers) == 1


def test_the_same_card_added_at_once_is_kept_once(committed_database, api, square):
    vendor = an_unsubscribed_vendor()
    a_card(vendor, OTHER_CARD)
    caller = api.as_member(vendor)
    bodies = [{"source_id": GOOD_CARD, "cardholder_name": f"Ann {n}"} for n in range(4)]

    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(lambda body: beside(caller).post(CC, body), bodies))

    assert sorted(reply.status for reply in replies) == [200, 200, 200, 201]
    assert len({reply.data["id"] for reply in replies}) == 1
    assert kept() == 2
    enabled = [card for card in square.app.state.cards.values() if card["enabled"] and card["last_4"] == "1111"]
    assert len(enabled) == 1


def test_cards_are_listed_page_by_page_with_one_statement(api, statements):
    vendor = an_unsubscribed_vendor()
    cards = [a_card(vendor, f"cnon:card-nonce-ok-{n}") for n in range(3)]
    caller = api.as_member(vendor)

    with statements() as counted:
        first = caller.get("/payment-methods", limit=2)
    second = caller.get("/payment-methods", limit=2, cursor=first.page["next"])

    assert counted.sql == 1
    assert [card["id"] for card in first.data + second.data] == [str(card.id) for card in reversed(cards)]
    assert second.page["next"] is None
