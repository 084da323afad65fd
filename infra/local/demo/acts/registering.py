"""Everybody gets an account; the first thing that anyone does here."""

from typing import Any
from uuid import uuid4

from infra.local.console import step
from infra.local.demo.client import Person
from infra.local.demo.expectations import expect
from infra.local.demo.story import ADDRESS, PASSWORD, Business, Shelf, Story

_RIVER = (
    Shelf("flower", "Blue Dream, indoor", 2_500, available_qty=500, wanted_qty=60, moq=10, unit="eighth",
          tiers={20: "5", 50: "10"}),
    Shelf("gummies", "Sour gummies", 1_250, available_qty=200, wanted_qty=2, moq=6, category="edible"),
)  # fmt: skip
_PRAIRIE = (
    Shelf("cart", "Northern Lights cart", 3_333, available_qty=100, wanted_qty=7, category="cart", tiers={5: "2.5"}),
    Shelf("rosin", "Live rosin", 4_000, available_qty=30, wanted_qty=5, category="concentrate", unit="gram"),
    Shelf("soda", "Yuzu soda", 600, available_qty=2, wanted_qty=5, moq=5, category="beverage"),
)


_TYPED = "100 n broadw 73102"
_WRITTEN = {name: value for name, value in ADDRESS.items() if name not in ("lat", "lng")} | {"line2": "Suite 200"}


def play(story: Story) -> None:
    story.admin = _admin(story)
    chosen = _choose_address(story)
    story.vendor_a = _business(story, "vendor-a", "vendor", "Red River Farms", "grower", chosen, _RIVER)
    story.vendor_b = _business(story, "vendor-b", "vendor", "Prairie Extracts", "processor", _WRITTEN, _PRAIRIE)
    _expect_next_door(story, chosen)
    story.buyer = _business(story, "buyer", "buyer", "Green Mesa", "dispensary", ADDRESS)
    story.agent = hire_agent(story)


def _choose_address(story: Story) -> dict[str, Any]:
    """What a form does: suggest while somebody types, resolve what they choose; nobody is signed in yet."""
    visitor, session = story.person("visitor"), str(uuid4())
    with step(f"Somebody types “{_TYPED}” and chooses the address"):
        suggestions = visitor.get("/address/suggest", q=_TYPED, session_token=session)
        expect(
            [one["text"] for one in suggestions], ["100 N Broadway Ave, Oklahoma City, OK, USA"], "what is suggested"
        )
        choice = {"place_id": suggestions[0]["place_id"], "session_token": session}
        chosen: dict[str, Any] = visitor.post("/address/resolve", choice)
        expect((chosen["line1"], chosen["postal_code"]), (ADDRESS["line1"], ADDRESS["postal_code"]), "the address")
    return chosen


def _expect_next_door(story: Story, chosen: dict[str, Any]) -> None:
    """Whether the address that was written without a position is where the chosen one is: only the suite differs."""
    with step(f"{story.vendor_b.name} wrote the address by hand and is on the map too"):
        found = story.vendor_b.owner.get("/stores/me")["address"]
        expect((found["lat"], found["lng"]), (chosen["lat"], chosen["lng"]), "the position")


def _admin(story: Story) -> Person:
    admin = story.person("admin")
    with step("An operator of the platform signs in"):
        body = {"first_name": "Ada", "last_name": "Okafor", "email": admin.email, "password": PASSWORD}
        admin.post("/admin/auth/register", body, status=201)
        told = admin.post("/admin/auth/login", {"email": admin.email, "password": PASSWORD})
        expect(told["user"]["system_role"], "admin", "the operator's role")
    return admin


def _business(
    story: Story,
    who: str,
    store_type: str,
    name: str,
    license_type: str,
    address: dict[str, Any],
    shelves: tuple[Shelf, ...] = (),
) -> Business:
    owner = story.person(who)
    body = {
        "first_name": "Rosa",
        "last_name": "Diaz",
        "email": owner.email,
        "password": PASSWORD,
        "phone": "+14055550100",
        "company_name": f"{name} LLC",
        "dba_name": name,
        "store_type": store_type,
        "address": address,
        "accept_tos": True,
    }
    with step(f"{name} registers as a {store_type}"):
        store = owner.post("/auth/register", body, status=201)["active_store"]
        expect(
            (store["type"], store["role"], store["kyc_status"], store["subscription_active"]),
            (store_type, "owner", "pending_verification", False),
            "the new store",
        )
    return Business(owner, name, store["id"], license_type, shelves)


def hire_agent(story: Story) -> Person:
    """A new agent, whose temporary password is replaced at once."""
    agent = story.person("agent")
    body = {
        "first_name": "Sam",
        "last_name": "Whitehorse",
        "email": agent.email,
        "phone": "+14055550142",
        "credential_number": f"OMMA-T-{story.run}",
    }
    with step("An agent is hired"):
        hired = story.admin.post("/admin/agents", body, status=201)
        told = agent.post("/auth/login", {"email": agent.email, "password": hired["temporary_password"]})
        expect(told["user"]["must_change_password"], True, "whether the agent must change the password")
        change = {"current_password": hired["temporary_password"], "new_password": PASSWORD}
        told = agent.post("/auth/update-password", change)
        expect(told["user"]["must_change_password"], False, "whether the agent must still change it")
    return agent
