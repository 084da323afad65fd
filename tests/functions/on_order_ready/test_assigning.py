"""A ready order finds its agent: at random among those with the least in hand, once."""

from collections import Counter

import pytest
from sqlalchemy import update

from shared.events.orders import OrderAssigned, OrderReadyForDispatch
from shared.kit import clock, redis
from shared.kit.db import transaction
from shared.kit.outbox import OutboxEvent, emit
from shared.orders.models import OrderAssignment, OrderStatus, ShippingStatus
from tests.builders.orders import an_agent, an_order
from tests.deliveries import delivery_of
from tests.events import Events, audited
from tests.orders import assignments_now, everything_about, now
from tests.rivals import at_once


@pytest.fixture
def consumer():
    # Imported here, because a function reads its settings when it is imported, and the servers come first.
    from functions.on_order_ready.main import main

    return main.consumer


def announce(order) -> OutboxEvent:
    """Tell that the order is ready; the row in the outbox."""
    with transaction() as session:
        emit(
            session,
            OrderReadyForDispatch(
                order_id=order.id,
                order_number=order.order_number,
                buyer_store_id=order.buyer_store_id,
                vendor_store_id=order.vendor_store_id,
            ),
        )
    return next(row for row in reversed(Events().rows()) if row.aggregate_id == order.id)


def test_a_ready_order_gets_an_active_agent(consumer, events):
    agent = an_agent()
    an_agent(is_active=False)
    order = an_order(OrderStatus.READY_FOR_DISPATCH)

    acknowledged = consumer.deliver(delivery_of(announce(order)))

    (assignment,) = assignments_now(order)
    assert acknowledged
    assert (assignment.agent_user_id, assignment.assigned_by, assignment.closed_at) == (agent.id, "system", None)
    assert (now(order).status, now(order).shipping_status) == (
        OrderStatus.READY_FOR_DISPATCH,
        ShippingStatus.DISPATCHED,
    )
    assert [event.agent_user_id for event in events.emitted(OrderAssigned)] == [agent.id]
    assert [(action, after["agent_user_id"]) for action, _, after in audited()] == [("order.assigned", str(agent.id))]


def test_without_an_active_agent_the_order_stays_in_the_queue(consumer, events):
    an_agent(is_active=False)
    order = an_order(OrderStatus.READY_FOR_DISPATCH)

    acknowledged = consumer.deliver(delivery_of(announce(order)))

    assert acknowledged
    assert assignments_now(order) == []
    assert now(order).shipping_status is ShippingStatus.PENDING
    assert events.types() == ["order_ready_for_dispatch"]
    assert audited() == []


def test_orders_spread_evenly_over_the_agents(consumer):
    agents = [an_agent() for _ in range(3)]
    orders = [an_order(OrderStatus.READY_FOR_DISPATCH) for _ in range(6)]

    for order in orders:
        consumer.deliver(delivery_of(announce(order)))

    assert Counter(assignments_now(order)[0].agent_user_id for order in orders) == {agent.id: 2 for agent in agents}


def test_what_is_delivered_or_called_off_is_no_load(consumer):
    busy, done = an_agent(), an_agent()
    an_order(OrderStatus.IN_TRANSIT, agent=done)
    for _ in range(2):
        an_order(OrderStatus.HOLD, agent=busy)
        an_order(OrderStatus.DELIVERED, agent=done)
        an_order(OrderStatus.CANCELED, agent=done)
        an_order(OrderStatus.CLOSED, agent=done)
    order = an_order(OrderStatus.READY_FOR_DISPATCH)

    consumer.deliver(delivery_of(announce(order)))

    assert assignments_now(order)[0].agent_user_id == done.id


def test_among_equals_chance_decides(consumer):
    agents = {an_agent().id, an_agent().id}
    order = an_order(OrderStatus.READY_FOR_DISPATCH)

    chosen = set()
    for _ in range(30):  # that all fall to one agent happens once in half a billion runs
        consumer.deliver(delivery_of(announce(order)))
        chosen.add(assignments_now(order)[-1].agent_user_id)
        with transaction() as session:
            open_ones = update(OrderAssignment).where(OrderAssignment.closed_at.is_(None))
            session.execute(open_ones.values(closed_at=clock.now()))

    assert chosen == agents


@pytest.mark.parametrize("redis_forgets", [False, True])
def test_a_message_that_comes_twice_assigns_once(consumer, events, redis_forgets):
    an_agent()
    order = an_order(OrderStatus.READY_FOR_DISPATCH)
    message = delivery_of(announce(order))

    acknowledged = [consumer.deliver(message)]
    if redis_forgets:
        redis.client().flushdb()
    acknowledged.append(consumer.deliver(message))

    assert acknowledged == [True, True]
    assert len(assignments_now(order)) == 1
    assert events.types() == ["order_ready_for_dispatch", "order_assigned"]


def test_a_second_announcement_of_an_assigned_order_changes_nothing(consumer):
    an_agent()
    order = an_order(OrderStatus.READY_FOR_DISPATCH)
    consumer.deliver(delivery_of(announce(order)))
    second = announce(order)
    before = everything_about(order)

    acknowledged = consumer.deliver(delivery_of(second))

    assert acknowledged
    assert everything_about(order) == before


@pytest.mark.parametrize("status", [status for status in OrderStatus if status != "ready_for_dispatch"])
def test_an_order_that_moved_on_meanwhile_is_left_alone(consumer, status):
    order = an_order(status)
    an_agent()
    announced = announce(order)
    before = everything_about(order)

    acknowledged = consumer.deliver(delivery_of(announced))

    assert acknowledged
    assert everything_about(order) == before


@pytest.mark.usefixtures("committed_database")
@pytest.mark.parametrize("with_redis", [True, False])
def test_two_consumers_at_once_assign_once(consumer, events, monkeypatch, with_redis):
    agents = {an_agent().id for _ in range(2)}
    order = an_order(OrderStatus.READY_FOR_DISPATCH)
    message = delivery_of(announce(order))
    if not with_redis:  # both get a lease, as when Redis lost it
        monkeypatch.setattr("shared.kit.consumer._Lease.done", lambda self: False)

    acknowledged = at_once(None, *(lambda: consumer.deliver(message) for _ in range(3)))
    later = consumer.deliver(message)

    (assignment,) = assignments_now(order)
    assert True in acknowledged
    assert later
    assert assignment.agent_user_id in agents
    assert events.types() == ["order_ready_for_dispatch", "order_assigned"]


@pytest.mark.usefixtures("committed_database")
def test_two_announcements_of_one_order_at_once_assign_once(consumer, events):
    for _ in range(3):
        an_agent()
    order = an_order(OrderStatus.READY_FOR_DISPATCH)
    messages = [delivery_of(announce(order)) for _ in range(3)]

    acknowledged = at_once(order, *(lambda message=message: consumer.deliver(message) for message in messages))

    assert acknowledged == [True, True, True]
    assert len(assignments_now(order)) == 1
    assert Counter(events.types()) == {"order_ready_for_dispatch": 3, "order_assigned": 1}


def test_assigning_costs_as_many_statements_with_many_agents_and_orders(consumer, statements):
    costs = []
    for count in (1, 8):
        for _ in range(count):
            an_order(OrderStatus.IN_TRANSIT)
        message = delivery_of(announce(an_order(OrderStatus.READY_FOR_DISPATCH)))
        with statements() as cost:
            assert consumer.deliver(message)
        costs.append(cost.sql)

    assert costs[0] == costs[1]
