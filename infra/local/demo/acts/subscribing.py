"""Vendors pay to be seen: a card, a plan, a subscription."""

from typing import Any

from infra.local.console import step
from infra.local.demo.expectations import expect
from infra.local.demo.story import Business, Story

_PLAN = {
    "name": "Demo monthly",
    "interval": "every_30_days",
    "price_cents": 9_900,
    "trial_days": 0,
    "ui": {"badge": None, "description": "Everything, every month", "bullets": ["Seen by every dispensary"]},
    "features": {},
}


def play(story: Story) -> None:
    plan = _plan(story)
    for vendor in story.vendors:
        _subscribe(vendor, plan)


def _plan(story: Story) -> dict[str, Any]:
    """The demo's plan, offered the first time that the demo plays on this stack."""
    with step("The operator offers a plan"):
        offered = story.admin.get("/admin/billing/plans", limit=100)
        plan = next((plan for plan in offered if plan["name"] == _PLAN["name"]), None)
        kept: dict[str, Any] = plan or story.admin.post("/admin/billing/plans", _PLAN, status=201)
        expect((kept["status"], kept["price_cents"]), ("active", 9_900), "the plan")
    return kept


def _subscribe(vendor: Business, plan: dict[str, Any]) -> None:
    owner = vendor.owner
    with step(f"{vendor.name} adds a card"):
        source = f"cnon:card-nonce-ok-{owner.email.split('@')[0]}"
        card = owner.post("/vendor/payment-methods/cc", {"source_id": source, "is_default": True}, status=201)
        expect(card["is_default"], True, "whether the first card is the default")
    with step(f"{vendor.name} takes the plan {plan['name']}"):
        subscription = owner.post("/vendor/subscriptions", {"plan_id": plan["id"]}, status=201)
        expect(
            (subscription["status"], subscription["plan"]["id"], subscription["payment_method_id"]),
            ("active", plan["id"], card["id"]),
            "the subscription",
        )
        expect(owner.get("/stores/me")["subscription_active"], True, "whether the store counts as subscribed")
