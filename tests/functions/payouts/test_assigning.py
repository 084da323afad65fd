"""An admin gives an order to an agent, whoever had it."""

import pytest

from shared.events.orders import OrderAssigned
from shared.identity.permissions import SystemRole
from shared.orders.models import OrderStatus
from tests.builders.orders import an_agent, an_order
from tests.builders.stores import a_user
from tests.events import audited
from tests.orders import assignments_now, everything_about, now

ASSIGNABLE = (OrderStatus.READY_FOR_DISPATCH, OrderStatus.IN_TRANSIT, OrderStatus.DELIVERED)


def assign(api, order, agent):
    return api.as_admin().post(f"/orders/{order.id}/assign-agent", {"agent_user_id": str(agent.id)})


def test_an_order_in_the_queue_gets_the_agent_that_the_admin_chose(api, events):
    order, agent = an_order(OrderStatus.READY_FOR_DISPATCH), an_agent()

    reply = assign(api, order, agent)

    assert (reply.status, reply.data["shipping_status"]) == (200, "dispatched")
    assert reply.data["assignment"]["agent_user_id"] == str(agent.id)
    assert [event.agent_user_id for event in events.emitted(OrderAssigned)] == [agent.id]


@pytest.mark.parametrize("status", ASSIGNABLE)
def test_another_agent_takes_over_and_the_old_assignment_is_closed(api, events, status):
    order, successor = an_order(status, agent=an_agent()), an_agent()
    shipping_status = now(order).shipping_status

    reply = assign(api, order, successor)
    again = assign(api, order, successor)

    former, present = assignments_now(order)
    assert (reply.status, reply.data["status"]) == (200, status)
    assert (former.agent_user_id, former.closed_at is None) == (order.agent.id, False)
    assert (present.agent_user_id, present.closed_at) == (successor.id, None)
    assert now(order).shipping_status is shipping_status
    assert (again.status, again.data) == (200, reply.data)
    assert [event.agent_user_id for event in events.emitted(OrderAssigned)] == [successor.id]
    assert [(action, after["agent_user_id"], after["former_agent_user_id"]) for action, _, after in audited()] == [
        ("order.assigned", str(successor.id), str(order.agent.id))
    ]


@pytest.mark.parametrize("status", [status for status in OrderStatus if status not in ASSIGNABLE])
def test_what_is_not_on_its_way_is_not_assigned(api, status):
    order = an_order(status)
    before = everything_about(order)

    reply = assign(api, order, an_agent())

    assert (reply.status, reply.error.details) == (422, {"from": status, "action": "assign_agent", "allowed": []})
    assert everything_about(order) == before


@pytest.mark.parametrize(
    "fields", [{"is_active": False}, {"system_role": None}, {"system_role": SystemRole.ADMIN}], ids=str
)
def test_only_an_active_agent_can_be_chosen(api, fields):
    order = an_order(OrderStatus.READY_FOR_DISPATCH)
    before = everything_about(order)

    reply = assign(api, order, a_user(**{"system_role": SystemRole.AGENT, **fields}))

    assert (reply.status, reply.error.fields) == (400, ["agent_user_id"])
    assert everything_about(order) == before
