"""Subscribing: once per store, active when it is paid, and never sold twice whatever fails."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from shared.billing.models import PlanStatus, Subscription, SubscriptionIntent
from shared.billing.plans import change_plan
from shared.events.stores import ChargeSucceeded, SubscriptionChanged
from shared.identity.models import Store
from shared.identity.permissions import Role
from shared.kit import clock, redis
from shared.kit.db import read_only
from tests.builders.billing import (
    OTHER_CARD,
    UNCHARGEABLE_CARD,
    a_card,
    a_plan,
    a_subscription,
    an_unsubscribed_vendor,
)
from tests.events import audited
from tests.rivals import beside

NOON = datetime(2026, 3, 2, 18, tzinfo=UTC)


def is_active(store):
    with read_only() as session:
        return session.scalar(select(Store.subscription_active).where(Store.id == store.id))


def rows(model):
    with read_only() as session:
        return session.scalar(select(func.count()).select_from(model))


def test_a_first_subscription_is_active_as_soon_as_its_invoice_is_paid(api, square, events, freeze):
    freeze(NOON)
    plan = a_plan("Professional", price_cents=9_900, is_default=True)
    vendor = an_unsubscribed_vendor()
    card = a_card(vendor)

    reply = api.as_member(vendor).post("/subscriptions", {})

    assert reply.status == 201
    assert reply.data == {
        "id": reply.data["id"],
        "status": "active",
        "plan": {
            "id": str(plan.id),
            "name": "Professional",
            "interval": "every_30_days",
            "price_cents": 9_900,
            "currency": "USD",
        },
        "payment_method_id": str(card.id),
        "trial_ends_on": None,
        "period_start_on": "2026-03-02",
        "period_end_on": "2026-03-31",
        "cancel_at_period_end": False,
        "paused_at": None,
        "pause_effective_on": None,
        "resume_effective_on": None,
        "canceled_at": None,
        "created_at": "2026-03-02T18:00:00Z",
    }
    assert api.as_member(vendor).get("/subscriptions").data == reply.data
    assert is_active(vendor)
    (charge,) = api.as_member(vendor).get("/billing/charges").data
    subscription_id = reply.data["id"]
    assert events.emitted() == [
        ChargeSucceeded(store_id=vendor.id, charge_id=charge["id"], kind="subscription", amount_cents=9_900),
        SubscriptionChanged(
            store_id=vendor.id, subscription_id=subscription_id, status="active", subscription_active=True
        ),
    ]
    assert [action for action, _, _ in audited("billing.subscribed")] == ["billing.subscribed"]
    assert rows(SubscriptionIntent) == 0


def test_a_subscription_to_a_named_plan_and_card(api, square):
    a_plan(is_default=True)
    annual = a_plan("Annual", interval="annual", price_cents=99_000)
    vendor = an_unsubscribed_vendor()
    a_card(vendor)
    other = a_card(vendor, OTHER_CARD)

    reply = api.as_member(vendor).post(
        "/subscriptions", {"plan_id": str(annual.id), "payment_method_id": str(other.id)}
    )

    assert (reply.status, reply.data["plan"]["name"]) == (201, "Annual")
    assert reply.data["payment_method_id"] == str(other.id)
    start, end = (date.fromisoformat(reply.data[f"period_{edge}_on"]) for edge in ("start", "end"))
    assert (end + timedelta(days=1)).replace(year=start.year) == start
    (held,) = square.app.state.subscriptions.values()
    assert (held["card_id"], held["plan_variation_id"]) == (other.square_card_id, annual.square_variation_id)


def test_asked_again_the_existing_subscription_is_the_answer(api, square, events):
    vendor = an_unsubscribed_vendor()
    a_subscription(vendor)
    before = events.types()

    replies = [
        api.as_member(vendor).post("/subscriptions", {}),
        api.as_member(vendor).post("/subscriptions", {"plan_id": str(a_plan().id)}),
    ]

    assert [reply.status for reply in replies] == [200, 200]
    assert replies[0].data == replies[1].data == api.as_member(vendor).get("/subscriptions").data
    assert len(square.app.state.subscriptions) == 1
    assert events.types() == before


def test_a_trial_counts_at_once_and_is_not_charged(api, square, freeze):
    freeze(NOON)
    vendor = an_unsubscribed_vendor()
    a_card(vendor)

    reply = api.as_member(vendor).post("/subscriptions", {"plan_id": str(a_plan(trial_days=14).id)})

    assert (reply.status, reply.data["status"], reply.data["trial_ends_on"]) == (201, "trialing", "2026-03-16")
    assert is_active(vendor)
    assert api.as_member(vendor).get("/billing/charges").data == []
    (held,) = square.app.state.subscriptions.values()
    assert (held["status"], held["start_date"]) == ("PENDING", "2026-03-16")


def test_a_first_invoice_that_is_not_paid_leaves_the_store_inactive_until_it_is(api, square, events):
    vendor = an_unsubscribed_vendor()
    a_card(vendor, UNCHARGEABLE_CARD)
    plan = a_plan(price_cents=9_900)

    reply = api.as_member(vendor).post("/subscriptions", {"plan_id": str(plan.id)})

    assert (reply.status, reply.data["status"]) == (201, "pending")
    assert not is_active(vendor)
    (charge,) = api.as_member(vendor).get("/billing/charges").data
    assert (charge["status"], charge["amount_cents"]) == ("pending", 9_900)
    assert events.rows() == []

    square.pay_invoices()
    again = api.as_member(vendor).post("/subscriptions", {})

    assert (again.status, again.data["status"]) == (200, "active")
    assert is_active(vendor)
    assert events.types() == ["charge_succeeded", "subscription_changed"]
    assert [held["status"] for held in api.as_member(vendor).get("/billing/charges").data] == ["succeeded"]


@pytest.mark.parametrize(
    ("has_card", "has_plan", "reason"), [(False, True, "no_payment_method"), (True, False, "no_default_plan")]
)
def test_without_a_card_or_a_plan_it_is_422(api, square, events, has_card, has_plan, reason):
    vendor = an_unsubscribed_vendor()
    if has_card:
        a_card(vendor)
    if has_plan:
        a_plan(is_default=True)

    reply = api.as_member(vendor).post("/subscriptions", {})

    assert (reply.status, reply.error.code, reply.error.reason) == (422, "STATE_CONFLICT", reason)
    assert (rows(Subscription), rows(SubscriptionIntent), events.rows()) == (0, 0, [])
    assert square.app.calls["subscriptions.create"] == 0


def test_what_is_not_there_is_404(api, square):
    vendor, other = an_unsubscribed_vendor(), an_unsubscribed_vendor()
    a_card(vendor)
    foreign = a_card(other, OTHER_CARD)
    hidden = a_plan("Hidden")
    change_plan(hidden.id, {"status": PlanStatus.HIDDEN})
    plan = str(a_plan().id)
    caller = api.as_member(vendor)

    replies = [
        caller.get("/subscriptions"),
        caller.post("/subscriptions/cancel"),
        caller.post("/subscriptions", {"plan_id": str(uuid4())}),
        caller.post("/subscriptions", {"plan_id": str(hidden.id)}),
        caller.post("/subscriptions", {"plan_id": plan, "payment_method_id": str(foreign.id)}),
    ]

    assert [reply.status for reply in replies] == [404] * 5
    assert (rows(Subscription), rows(SubscriptionIntent)) == (0, 0)
    assert square.app.calls["subscriptions.create"] == 0


def test_a_failure_of_ours_after_squares_answer_is_repaired_by_the_next_call(api, square, failing_once):
    vendor = an_unsubscribed_vendor()
    card, plan = a_card(vendor), a_plan()
    body = {"plan_id": str(plan.id), "payment_method_id": str(card.id)}
    failing_once("subscriptions")

    broken = api.as_member(vendor).post("/subscriptions", body)
    inactive = not is_active(vendor) and rows(Subscription) == 0
    repaired = api.as_member(vendor).post("/subscriptions", body)

    assert (broken.status, inactive, repaired.status) == (500, True, 201)
    assert repaired.data["status"] == "active"
    assert is_active(vendor)
    assert len(square.app.state.subscriptions) == 1
    assert len(square.app.state.payments) == 1
    assert (rows(Subscription), rows(SubscriptionIntent)) == (1, 0)


def test_an_answer_lost_on_the_way_sells_once(api, square):
    vendor = an_unsubscribed_vendor()
    a_card(vendor)
    plan = a_plan()
    square.fail("subscriptions.create", status=502, code="BAD_GATEWAY", after=True, times=3)

    lost = api.as_member(vendor).post("/subscriptions", {"plan_id": str(plan.id)})
    found = api.as_member(vendor).post("/subscriptions", {"plan_id": str(plan.id)})

    assert (lost.status, lost.error.code, found.status) == (503, "DEPENDENCY_ERROR", 201)
    assert len(square.app.state.subscriptions) == 1
    assert len(square.app.state.payments) == 1


def test_a_sale_that_square_keeps_no_key_of_any_more_is_found_by_the_customer(api, square, freeze):
    vendor = an_unsubscribed_vendor()
    a_card(vendor)
    plan = a_plan()
    square.fail("subscriptions.create", status=502, after=True, times=3)
    api.as_member(vendor).post("/subscriptions", {"plan_id": str(plan.id)})
    square.app.state.answers.clear()
    freeze(clock.now() + timedelta(minutes=3))

    reply = api.as_member(vendor).post("/subscriptions", {"plan_id": str(plan.id)})

    assert (reply.status, reply.data["status"]) == (201, "active")
    assert len(square.app.state.subscriptions) == 1


def test_a_try_that_came_to_nothing_goes_on_later(api, square, freeze):
    vendor = an_unsubscribed_vendor()
    a_card(vendor)
    plan = a_plan()
    square.fail("subscriptions.create", status=502, times=3)
    api.as_member(vendor).post("/subscriptions", {"plan_id": str(plan.id)})
    freeze(clock.now() + timedelta(minutes=3))

    reply = api.as_member(vendor).post("/subscriptions", {"plan_id": str(plan.id)})

    assert (reply.status, len(square.app.state.subscriptions)) == (201, 1)


def test_another_choice_after_a_lost_answer_finds_what_was_bought(api, square):
    vendor = an_unsubscribed_vendor()
    a_card(vendor)
    bought, other = a_plan("Bought"), a_plan("Other")
    square.fail("subscriptions.create", status=502, after=True, times=3)
    api.as_member(vendor).post("/subscriptions", {"plan_id": str(bought.id)})

    reply = api.as_member(vendor).post("/subscriptions", {"plan_id": str(other.id)})

    assert (reply.status, reply.data["plan"]["name"]) == (201, "Bought")
    assert len(square.app.state.subscriptions) == 1


def test_another_choice_after_a_try_that_came_to_nothing_waits_until_it_cannot_come_to_something(api, square, freeze):
    vendor = an_unsubscribed_vendor()
    a_card(vendor)
    wanted, other = a_plan("Wanted"), a_plan("Other")
    square.fail("subscriptions.create", status=502, times=3)
    api.as_member(vendor).post("/subscriptions", {"plan_id": str(wanted.id)})

    early = api.as_member(vendor).post("/subscriptions", {"plan_id": str(other.id)})
    freeze(clock.now() + timedelta(minutes=2))
    late = api.as_member(vendor).post("/subscriptions", {"plan_id": str(other.id)})

    assert (early.status, early.error.reason) == (409, "subscription_in_progress")
    assert (late.status, late.data["plan"]["name"]) == (201, "Other")
    assert len(square.app.state.subscriptions) == 1


def test_a_refusal_for_good_frees_the_choice(api, square, events):
    vendor = an_unsubscribed_vendor()
    a_card(vendor)
    first, second = a_plan("First"), a_plan("Second")
    square.fail("subscriptions.create", status=402, category="PAYMENT_METHOD_ERROR", code="CARD_DECLINED")

    declined = api.as_member(vendor).post("/subscriptions", {"plan_id": str(first.id)})
    left = rows(SubscriptionIntent)
    works = api.as_member(vendor).post("/subscriptions", {"plan_id": str(second.id)})

    assert (declined.status, declined.error.details["category"]) == (422, "PAYMENT_METHOD_ERROR")
    assert left == 0
    assert (works.status, works.data["plan"]["name"]) == (201, "Second")


def test_many_at_once_subscribe_once(committed_database, api, square):
    vendor = an_unsubscribed_vendor()
    a_card(vendor)
    a_plan(is_default=True)
    caller = api.as_member(vendor)

    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(lambda _: beside(caller).post("/subscriptions", {}), range(4)))

    assert {reply.status for reply in replies} <= {200, 201}
    assert [reply.status for reply in replies].count(201) == 1
    assert len({reply.data["id"] for reply in replies}) == 1
    assert len(square.app.state.subscriptions) == 1
    assert (rows(Subscription), rows(SubscriptionIntent)) == (1, 0)
    assert len(caller.get("/billing/charges").data) == 1


def test_the_same_request_again_without_redis_does_nothing_more(api, square):
    vendor = an_unsubscribed_vendor()
    a_card(vendor)
    a_plan(is_default=True)
    first = api.as_member(vendor).post("/subscriptions", {}, key="k1")
    redis.client().flushdb()

    again = api.as_member(vendor).post("/subscriptions", {}, key="k1")

    assert (first.status, again.status, again.data) == (201, 200, first.data)
    assert len(square.app.state.payments) == 1


def test_canceling_ends_it_with_the_paid_period(api, square, events, freeze):
    freeze(NOON)
    vendor = an_unsubscribed_vendor()
    a_subscription(vendor)
    before = events.types()

    reply = api.as_member(vendor).post("/subscriptions/cancel")

    assert (reply.status, reply.data["status"], reply.data["cancel_at_period_end"]) == (200, "active", True)
    assert is_active(vendor)
    (held,) = square.app.state.subscriptions.values()
    assert held["canceled_date"] == "2026-03-31"
    assert events.types() == before
    assert len(audited("billing.subscription_canceled")) == 1


def test_canceling_twice_is_canceling_once(api, square):
    vendor = an_unsubscribed_vendor()
    a_subscription(vendor)

    replies = [api.as_member(vendor).post("/subscriptions/cancel") for _ in range(2)]

    assert [reply.status for reply in replies] == [200, 200]
    assert replies[0].data == replies[1].data
    assert square.app.calls["subscriptions.cancel"] == 1
    assert len(audited("billing.subscription_canceled")) == 1


def test_a_cancellation_that_failed_with_us_is_repaired_by_the_next_call(api, square, failing_once):
    vendor = an_unsubscribed_vendor()
    a_subscription(vendor)
    failing_once("subscriptions")

    statuses = [api.as_member(vendor).post("/subscriptions/cancel").status for _ in range(2)]

    assert statuses == [500, 200]
    assert api.as_member(vendor).get("/subscriptions").data["cancel_at_period_end"] is True
    assert square.app.calls["subscriptions.cancel"] == 1


def test_after_the_end_a_store_subscribes_anew_without_another_trial(api, square, events, freeze):
    freeze(NOON)
    vendor = an_unsubscribed_vendor()
    plan = a_plan(trial_days=14)
    a_subscription(vendor, plan_id=plan.id)
    api.as_member(vendor).post("/subscriptions/cancel")
    freeze(NOON + timedelta(days=20))

    over = api.as_member(vendor).post("/subscriptions/cancel")
    inactive = not is_active(vendor)
    anew = api.as_member(vendor).post("/subscriptions", {"plan_id": str(plan.id)})

    assert (over.data["status"], inactive) == ("canceled", True)
    assert (anew.status, anew.data["status"], anew.data["trial_ends_on"]) == (201, "active", None)
    assert (anew.data["id"], anew.data["period_start_on"]) == (over.data["id"], "2026-03-22")
    assert anew.data["cancel_at_period_end"] is False
    assert is_active(vendor)
    assert [event.status for event in events.emitted(SubscriptionChanged)] == ["trialing", "canceled", "active"]


@pytest.mark.parametrize("role", [Role.MANAGER, Role.OPS, Role.STAFF, Role.VIEWER])
def test_only_owner_and_admin_may(api, square, role):
    caller = api.as_member(an_unsubscribed_vendor(), role)

    replies = [
        caller.get("/subscriptions"),
        caller.post("/subscriptions", {}),
        caller.post("/subscriptions/cancel"),
        caller.get("/billing/charges"),
        caller.get("/billing/plans"),
    ]

    assert [reply.status for reply in replies] == [403] * 5
    assert square.app.calls == {}


def test_charges_are_the_stores_own_filtered_and_paged_with_one_statement(api, square, statements):
    vendor, other = an_unsubscribed_vendor(), an_unsubscribed_vendor()
    a_subscription(vendor)
    a_subscription(other, source_id=OTHER_CARD)
    caller = api.as_member(vendor)

    with statements() as counted:
        mine = caller.get("/billing/charges", type="subscription", status="succeeded,failed")

    assert counted.sql == 1
    assert [charge["amount_cents"] for charge in mine.data] == [9_900]
    assert caller.get("/billing/charges", status="refunded").data == []
    assert caller.get("/billing/charges", created_from="2200-01-01T00:00:00Z").data == []
    assert len(caller.get("/billing/charges", created_to="2200-01-01T00:00:00Z").data) == 1
    assert caller.get("/billing/charges", created_to="2200-01-01T00:00:00").error.fields == ["created_to"]
    assert caller.get("/billing/charges", color="red").error.fields == ["color"]
