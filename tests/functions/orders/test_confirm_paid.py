"""The vendor says that its money has come: a signal, no payment."""

import pytest

from shared.orders.models import OrderStatus
from tests.builders.orders import an_order
from tests.events import audited
from tests.orders import everything_about

COMES_TO_NOTHING = (OrderStatus.REJECTED, OrderStatus.CANCELED, OrderStatus.EXPIRED)


def confirm(api, order):
    return api.as_staff_of(order.vendor).post(f"/vendor/orders/{order.id}/confirm-paid")


@pytest.mark.parametrize("status", [status for status in OrderStatus if status not in COMES_TO_NOTHING])
def test_it_is_recorded_once_and_changes_nothing_else(api, events, status):
    order = an_order(status)
    before = everything_about(order)

    first, again = confirm(api, order), confirm(api, order)

    after = everything_about(order)
    assert (first.status, again.status) == (200, 200)
    assert first.data == again.data
    assert {name: rows for name, rows in after.items() if name != "audit_logs"} == {
        name: rows for name, rows in before.items() if name != "audit_logs"
    }
    assert [(action, target) for action, target, _ in audited()] == [("order.paid_signaled", order.id)]
    assert events.emitted() == []


@pytest.mark.parametrize("status", COMES_TO_NOTHING)
def test_nothing_is_paid_for_an_order_that_came_to_nothing(api, status):
    order = an_order(status)
    before = everything_about(order)

    reply = confirm(api, order)

    assert (reply.status, reply.error.details) == (422, {"from": status, "action": "confirm_paid", "allowed": []})
    assert everything_about(order) == before
