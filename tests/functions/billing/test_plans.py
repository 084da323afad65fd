"""Plans: what admins offer, what vendors see, and what cannot change any more."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from shared.billing.models import BillingPlan
from shared.kit.config import CommonSettings
from shared.kit.db import read_only
from tests.builders.billing import a_plan, a_subscription, an_unsubscribed_vendor
from tests.events import audited

PLAN = {"name": "Professional", "interval": "every_30_days", "price_cents": 9_900}


@pytest.fixture
def admin(api):
    return api.under("/api/v1/admin/billing").as_admin()


@pytest.fixture
def vendor(api):
    return api.under("/api/v1/vendor/billing").as_member(an_unsubscribed_vendor())


def rows():
    with read_only() as session:
        return session.scalar(select(func.count()).select_from(BillingPlan))


def catalog(square, kind):
    return [held for held in square.app.state.catalog.values() if held["type"] == kind]


def test_a_new_plan_is_in_squares_catalogue_and_on_offer(admin, vendor, square):
    ui = {"badge": "Most popular", "description": "Everything.", "bullets": ["Unlimited menu"]}

    reply = admin.post("/plans", {**PLAN, "trial_days": 14, "is_default": True, "ui": ui, "features": {"ads": True}})

    (plan,), (variation,) = catalog(square, "SUBSCRIPTION_PLAN"), catalog(square, "SUBSCRIPTION_PLAN_VARIATION")
    shown = {
        "id": reply.data["id"],
        **PLAN,
        "currency": "USD",
        "trial_days": 14,
        "is_default": True,
        "ui": ui,
        "features": {"ads": True},
    }
    hidden = {
        "status": "active",
        "is_test": False,
        "square_plan_id": plan["id"],
        "square_variation_id": variation["id"],
        "created_at": reply.data["created_at"],
    }
    assert (reply.status, reply.data) == (201, shown | hidden)
    assert plan["subscription_plan_data"]["name"] == "Professional"
    told = variation["subscription_plan_variation_data"]
    assert told["subscription_plan_id"] == plan["id"]
    (phase,) = told["phases"]
    assert (phase["cadence"], phase["pricing"]) == (
        "THIRTY_DAYS",
        {"type": "STATIC", "price_money": {"amount": 9_900, "currency": "USD"}},
    )
    assert vendor.get("/plans").data == [shown]
    assert vendor.get(f"/plans/{reply.data['id']}").data == shown
    assert [(action, target) for action, target, _ in audited()] == [("billing.plan_created", UUID(reply.data["id"]))]


def test_vendors_see_active_plans_cheapest_first_by_one_statement(admin, vendor, statements):
    dear, cheap, old = a_plan(price_cents=20_000), a_plan(price_cents=5_000), a_plan()
    admin.patch(f"/plans/{old.id}", {"status": "deprecated"})

    with statements() as counted:
        listed = vendor.get("/plans")

    assert counted.sql == 1
    assert [plan["id"] for plan in listed.data] == [str(cheap.id), str(dear.id)]
    assert vendor.get(f"/plans/{old.id}").status == 404
    assert [plan["id"] for plan in admin.get("/plans", status="deprecated").data] == [str(old.id)]
    assert len(admin.get("/plans").data) == 3


def test_test_plans_are_not_shown_in_production(vendor, monkeypatch):
    test = a_plan(is_test=True)

    outside = [plan["id"] for plan in vendor.get("/plans").data]
    monkeypatch.setenv("PF_ENVIRONMENT", "production")
    CommonSettings.forget()
    inside = vendor.get("/plans").data
    monkeypatch.undo()
    CommonSettings.forget()

    assert (outside, inside) == ([str(test.id)], [])


def test_a_name_is_given_once(admin, square):
    admin.post("/plans", PLAN)

    reply = admin.post("/plans", {**PLAN, "price_cents": 100})

    assert (reply.status, reply.error.code, reply.error.reason) == (409, "CONFLICT", "name_taken")
    assert rows() == 1
    assert len(catalog(square, "SUBSCRIPTION_PLAN")) == 1


def test_a_plan_that_failed_with_us_is_found_in_the_catalogue_by_the_next_call(admin, square, failing_once):
    failing_once("billing_plans")

    statuses = [admin.post("/plans", PLAN).status for _ in range(2)]

    assert statuses == [500, 201]
    assert (rows(), len(square.app.state.catalog)) == (1, 2)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"price_cents": 0}, "price_cents"),
        ({"trial_days": -1}, "trial_days"),
        ({"interval": "weekly"}, "interval"),
        ({"name": "  "}, "name"),
        ({"square_plan_id": "mine"}, "square_plan_id"),
    ],
)
def test_a_plan_that_does_not_fit_names_the_field(admin, square, change, field):
    reply = admin.post("/plans", {**PLAN, **change})

    assert (reply.status, reply.error.fields) == (400, [field])
    assert (rows(), square.app.state.catalog) == (0, {})


def test_there_is_one_default(admin):
    first = a_plan(is_default=True)
    second = a_plan()

    reply = admin.patch(f"/plans/{second.id}", {"is_default": True})

    assert (reply.status, reply.data["is_default"]) == (200, True)
    defaults = {plan["id"]: plan["is_default"] for plan in admin.get("/plans").data}
    assert defaults == {str(first.id): False, str(second.id): True}


def test_only_an_active_plan_can_be_the_default(admin):
    plan = a_plan()
    admin.patch(f"/plans/{plan.id}", {"status": "deprecated"})

    reply = admin.patch(f"/plans/{plan.id}", {"is_default": True})

    assert (reply.status, reply.error.reason) == (422, "default_not_active")
    assert admin.get("/plans").data[0]["is_default"] is False


def test_a_deleted_plan_is_hidden_and_no_default_any_more(admin, vendor):
    plan = a_plan(is_default=True)
    subscribed = an_unsubscribed_vendor()
    a_subscription(subscribed, plan_id=plan.id)

    reply = admin.delete(f"/plans/{plan.id}")

    assert reply.status == 204
    (held,) = admin.get("/plans").data
    assert (held["status"], held["is_default"]) == ("hidden", False)
    assert vendor.get("/plans").data == []
    assert vendor.under("/api/v1/vendor").as_member(subscribed).get("/subscriptions").data["status"] == "active"


@pytest.mark.parametrize("change", [{"price_cents": 1}, {"interval": "annual"}])
def test_a_plan_in_use_cannot_lose_its_price(admin, square, change):
    plan = a_plan(price_cents=9_900)
    a_subscription(an_unsubscribed_vendor(), plan_id=plan.id)

    reply = admin.patch(f"/plans/{plan.id}", {**change, "name": "Other"})

    assert (reply.status, reply.error.reason) == (409, "plan_in_use")
    (held,) = admin.get("/plans").data
    assert (held["name"], held["price_cents"], held["interval"]) == (plan.name, 9_900, "every_30_days")
    assert len(square.app.state.catalog) == 2
    assert audited("billing.plan_changed") == []


def test_a_plan_that_nobody_uses_gets_another_price_as_another_variation(admin, square):
    plan = a_plan(price_cents=9_900)

    reply = admin.patch(f"/plans/{plan.id}", {"price_cents": 4_900, "name": "Renamed"})

    assert (reply.status, reply.data["price_cents"], reply.data["name"]) == (200, 4_900, "Renamed")
    assert reply.data["square_variation_id"] != plan.square_variation_id
    variation = square.app.state.catalog[reply.data["square_variation_id"]]["subscription_plan_variation_data"]
    assert variation["phases"][0]["pricing"]["price_money"]["amount"] == 4_900
    assert square.app.state.catalog[plan.square_plan_id]["subscription_plan_data"]["name"] == "Renamed"
    ((_, _, after),) = audited("billing.plan_changed")
    assert after["price_cents"] == 4_900


def test_a_plan_that_is_not_there_is_404(admin):
    replies = [admin.patch(f"/plans/{uuid4()}", {"is_test": True}), admin.delete(f"/plans/{uuid4()}")]

    assert [reply.status for reply in replies] == [404, 404]


def test_only_admins_offer_plans(api, square):
    plan = a_plan()
    callers = [api.as_member(an_unsubscribed_vendor()), api.as_agent()]

    for caller in (caller.under("/api/v1/admin/billing") for caller in callers):
        replies = [
            caller.get("/plans"),
            caller.post("/plans", PLAN),
            caller.patch(f"/plans/{plan.id}", {"price_cents": 1}),
            caller.delete(f"/plans/{plan.id}"),
        ]
        assert [(reply.status, reply.error.reason) for reply in replies] == [(403, "system_role")] * 4
    assert rows() == 1
