"""Agents who press the button at the same time."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.kit.db import transaction
from shared.orders import queries
from shared.orders.assignment import reassign
from shared.orders.models import IntentStatus, OrderStatus
from tests.api import Client
from tests.builders.orders import an_agent, an_order
from tests.orders import assignments_now, intent_now, ledger_of, money_of
from tests.rivals import at_once, beside, wait_for_lock
from tests.stock import stock_of

pytestmark = pytest.mark.usefixtures("committed_database")


@pytest.fixture
def give():
    """`give(order, agent)` is a call by which an admin gives the order to the agent."""
    from functions.payouts.main import main

    def giving(order, agent):
        caller = Client.of(main, "/api/v1/admin/orders").as_admin()
        return lambda: caller.post(f"/{order.id}/assign-agent", {"agent_user_id": str(agent.id)})

    return giving


def posting(api, agent, path, body=None, **more):
    caller = beside(api.as_agent(agent))
    return lambda: caller.post(path, body, **more)


def test_cash_reported_three_times_at_once_is_collected_once(api, events):
    order = an_order(OrderStatus.DELIVERED)
    report = (order.agent, f"/{order.id}/cash-collected", {"amount_cents": 18_000})

    replies = at_once(order, *(posting(api, *report) for _ in range(3)))

    assert Counter(reply.status for reply in replies) == {200: 1, 422: 2}
    assert ledger_of(order) == [("cash_collected", 18_000)]
    assert (money_of(order), intent_now(order).status) == ((18_000, 0, 0, 18_000), IntentStatus.SETTLED)
    assert events.types() == ["cash_collected"]


def test_cash_reported_twice_at_once_with_one_key_is_collected_once(api, events):
    order = an_order(OrderStatus.DELIVERED)
    caller = api.as_agent(order.agent)
    path = f"/{order.id}/cash-collected"

    replies = at_once(
        None, *(lambda mine=mine: mine.post(path, {"amount_cents": 18_000}, key="door") for mine in pair_of(caller))
    )
    late = caller.post(path, {"amount_cents": 18_000}, key="door")

    assert {reply.status for reply in replies} <= {200, 409}
    assert 200 in {reply.status for reply in replies}
    assert {reply.error.code for reply in replies if reply.status == 409} <= {"IDEMPOTENCY_IN_PROGRESS"}
    assert (late.status, late.headers["Idempotency-Replayed"]) == (200, "true")
    assert ledger_of(order) == [("cash_collected", 18_000)]
    assert events.types() == ["cash_collected"]


def pair_of(caller):
    return [beside(caller), beside(caller)]


def test_the_right_and_a_wrong_amount_at_once_leave_the_order_settled_or_failed_first(api, events):
    order = an_order(OrderStatus.DELIVERED)
    path = f"/{order.id}/cash-collected"

    right, wrong = at_once(
        order,
        posting(api, order.agent, path, {"amount_cents": 18_000}),
        posting(api, order.agent, path, {"amount_cents": 1}),
    )

    assert (right.status, wrong.status) == (200, 422)
    assert ledger_of(order) == [("cash_collected", 18_000)]
    assert intent_now(order).status is IntentStatus.SETTLED
    assert events.types() in (["cash_collected"], ["payment_failed", "cash_collected"])


def test_of_three_agents_who_claim_one_order_one_gets_it(api, events):
    order = an_order(OrderStatus.READY_FOR_DISPATCH)
    agents = [an_agent() for _ in range(3)]

    replies = at_once(order, *(posting(api, agent, f"/{order.id}/claim") for agent in agents))

    assert Counter(reply.status for reply in replies) == {200: 1, 409: 2}
    (assignment,) = assignments_now(order)
    winner = next(agent for agent, reply in zip(agents, replies, strict=True) if reply.status == 200)
    assert assignment.agent_user_id == winner.id
    assert events.types() == ["order_assigned"]


def test_delivered_three_times_at_once_consumes_the_stock_once(api, events):
    order = an_order(OrderStatus.IN_TRANSIT)

    replies = at_once(order, *(posting(api, order.agent, f"/{order.id}/deliver", {}) for _ in range(3)))

    assert [reply.status for reply in replies] == [200, 200, 200]
    assert [stock_of(line.product_id) for line in order.lines] == [(96, 0), (98, 0)]
    assert events.types() == ["order_delivered"]


def test_an_agent_who_claims_while_an_admin_gives_the_order_to_another_has_it_no_longer(api, give, events):
    order, claimer, chosen = an_order(OrderStatus.READY_FOR_DISPATCH), an_agent(), an_agent()

    claimed, given = at_once(order, posting(api, claimer, f"/{order.id}/claim"), give(order, chosen))

    assert given.status == 200
    assert [a.agent_user_id for a in assignments_now(order) if a.closed_at is None] == [chosen.id]
    assert (claimed.status, events.types()) in ((200, ["order_assigned"] * 2), (409, ["order_assigned"]))


def test_cash_is_not_collected_by_an_agent_whose_order_was_given_to_another_meanwhile(api):
    order, successor = an_order(OrderStatus.DELIVERED), an_agent()
    collect = posting(api, order.agent, f"/{order.id}/cash-collected", {"amount_cents": 18_000})

    with ThreadPoolExecutor(1) as pool:
        with transaction() as session:
            held = queries.lock_order(session, order.id)
            collecting = pool.submit(collect)
            wait_for_lock(session)
            reassign(session, held, successor.id)
        collected = collecting.result()

    former, present = assignments_now(order)
    assert (collected.status, ledger_of(order)) == (404, [])
    assert (former.cash_collected_at, present.cash_collected_at) == (None, None)
    assert intent_now(order).status is IntentStatus.UNPAID
