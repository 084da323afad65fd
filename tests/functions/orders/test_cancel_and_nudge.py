"""The buyer calls an order off, or reminds the vendor of it."""

from datetime import timedelta

import pytest

from shared.events.orders import OrderCanceled, OrderNudged
from shared.kit import clock
from shared.orders.models import LineStatus, OrderStatus, ShippingStatus
from tests.builders.orders import A, an_agent, an_order
from tests.events import audited
from tests.orders import assignments_now, everything_about, line_statuses, lines_now, money_of, now
from tests.stock import stock_of


def about(order):
    return {
        "order_id": order.id,
        "order_number": order.order_number,
        "buyer_store_id": order.buyer_store_id,
        "vendor_store_id": order.vendor_store_id,
    }


def cancel(api, order, **body):
    return api.as_staff_of(order.buyer).post(f"/orders/{order.id}/cancel", body)


def nudge(api, order):
    return api.as_staff_of(order.buyer).post(f"/orders/{order.id}/nudge")


def test_canceling_gives_back_stock_and_money(api, events):
    order = an_order(OrderStatus.PARTIALLY_ACCEPTED, promo_cents=700)

    reply = cancel(api, order, reason="Ordered twice.")

    assert (reply.status, reply.data["status"]) == (200, "canceled")
    assert line_statuses(order) == [LineStatus.REJECTED, LineStatus.REJECTED]
    assert [line.rejection_reason for line in lines_now(order)] == ["order_canceled", "vendor_rejected"]
    assert money_of(order) == (0, 0, 0, 0)
    assert [stock_of(line.product_id) for line in order.lines] == [(100, 0), (100, 0)]
    assert now(order).canceled_at is not None
    assert events.emitted() == [OrderCanceled(**about(order), reason="Ordered twice.")]
    assert [(action, after["status"], after["reason"]) for action, _, after in audited()] == [
        ("order.canceled", "canceled", "Ordered twice.")
    ]


@pytest.mark.parametrize("status", [OrderStatus.READY_FOR_DISPATCH, OrderStatus.HOLD])
def test_canceling_takes_the_order_from_its_agent(api, status):
    order = an_order(status, agent=an_agent())

    reply = cancel(api, order)

    assert (reply.data["status"], reply.data["assignment"]) == ("canceled", None)
    assert now(order).shipping_status is ShippingStatus.PENDING
    (assignment,) = assignments_now(order)
    assert assignment.closed_at is not None
    assert [stock_of(line.product_id) for line in order.lines] == [(100, 0), (100, 0)]


def test_canceling_many_lines_costs_as_many_statements_as_one(api, statements):
    small, large = an_order(lines=(A(qty=1),)), an_order(lines=(A(qty=1),) * 40)

    costs = []
    for order in (small, large):
        with statements() as cost:
            assert cancel(api, order).status == 200
        costs.append(cost.sql)

    assert costs[0] == costs[1]


@pytest.mark.parametrize("status", [OrderStatus.CREATED_PENDING, OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_ACCEPTED])
def test_the_vendor_is_reminded_of_what_waits_for_it(api, events, freeze, status):
    order = an_order(status)
    moment = clock.now()
    freeze(moment)

    reply = nudge(api, order)

    told = (moment + timedelta(hours=12)).isoformat().replace("+00:00", "Z")
    assert (reply.status, reply.data) == (202, {"order_id": str(order.id), "next_nudge_at": told})
    assert now(order).last_nudged_at == moment
    assert now(order).status is status
    assert events.emitted() == [OrderNudged(**about(order))]
    assert [action for action, _, _ in audited()] == ["order.nudged"]


def test_the_vendor_is_reminded_once_in_twelve_hours(api, events, freeze):
    order = an_order()
    moment = clock.now()
    freeze(moment)
    nudge(api, order)

    freeze(moment + timedelta(hours=12) - timedelta(seconds=1))
    early = nudge(api, order)
    after_early = everything_about(order)
    freeze(moment + timedelta(hours=12))
    late = nudge(api, order)

    assert (early.status, early.error.code, early.headers["Retry-After"]) == (429, "RATE_LIMIT_EXCEEDED", "1")
    assert len(after_early["outbox_events"]) == 1
    assert late.status == 202
    assert events.types() == ["order_nudged", "order_nudged"]


@pytest.mark.parametrize(
    "status",
    [
        OrderStatus.REJECTED,
        OrderStatus.READY_FOR_DISPATCH,
        OrderStatus.HOLD,
        OrderStatus.IN_TRANSIT,
        OrderStatus.DELIVERED,
        OrderStatus.CLOSED,
        OrderStatus.CANCELED,
        OrderStatus.EXPIRED,
    ],
)
def test_a_vendor_for_whom_nothing_waits_is_not_reminded(api, status):
    order = an_order(status)
    before = everything_about(order)

    reply = nudge(api, order)

    assert (reply.status, reply.error.code) == (422, "STATE_CONFLICT")
    assert reply.error.details == {"from": status, "action": "nudge", "allowed": []}
    assert everything_about(order) == before
