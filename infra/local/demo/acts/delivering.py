"""The event of a packed order finds an agent, who picks up, delivers and collects."""

from infra.local.console import note, step
from infra.local.demo.client import Person
from infra.local.demo.expectations import Unexpected, eventually, expect
from infra.local.demo.story import DOMAIN, PASSWORD, Business, Story
from infra.local.seed.people import PASSWORD as SEEDED_PASSWORD


def play(story: Story) -> None:
    agents: dict[str, Person] = {}
    for vendor in story.vendors:
        agent_id = _assigned(story, vendor)
        if agent_id not in agents:
            agents[agent_id] = _sign_in(story, agent_id)
        _deliver(vendor, agents[agent_id])


def _assigned(story: Story, vendor: Business) -> str:
    owner = story.buyer.owner
    eventually(
        lambda: owner.get(f"/orders/{vendor.order_id}")["assignment"] is not None,
        True,
        f"The event gives order {vendor.order_number} to an agent",
    )
    assignment = owner.get(f"/orders/{vendor.order_id}")["assignment"]
    note(f"to {assignment['agent_name']}")
    return str(assignment["agent_user_id"])


def _sign_in(story: Story, agent_id: str) -> Person:
    """Whichever agent it is: of this telling, of an earlier one, or of the seeded marketplace."""
    query = {"limit": "100"}
    while True:
        page = story.admin.answer("GET", "/admin/agents", 200, query=query)
        found = next((agent for agent in page["data"] if agent["id"] == agent_id), None)
        if found is not None:
            break
        if page["page"]["next"] is None:
            raise Unexpected("the agent of the order", agent_id, "one of those whom the operator lists")
        query["cursor"] = page["page"]["next"]
    agent = Person(story.http, found["email"])
    password = PASSWORD if agent.email.endswith(DOMAIN) else SEEDED_PASSWORD
    agent.post("/auth/login", {"email": agent.email, "password": password})
    return agent


def _deliver(vendor: Business, agent: Person) -> None:
    path = f"/agent/orders/{vendor.order_id}"
    with step(f"The agent picks up order {vendor.order_number}"):
        expect(agent.post(f"{path}/pickup")["status"], "in_transit", "the order")
    with step("The agent delivers it"):
        order = agent.post(f"{path}/deliver", {"recipient_name": "Lee Harjo"})
        expect((order["status"], order["shipping_status"]), ("delivered", "delivered"), "the order")
    with step(f"The agent collects ${order['balance_due_cents'] / 100:,.2f} in cash"):
        paid = agent.post(f"{path}/cash-collected", {"amount_cents": order["balance_due_cents"]})
        expect(
            (paid["payment_intent"]["status"], paid["balance_due_cents"]), ("settled", 0), "the payment and what is due"
        )
