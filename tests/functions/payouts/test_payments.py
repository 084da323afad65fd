"""Admins refuse payments, and let failed ones be tried again."""

import pytest

from shared.events.orders import PaymentRejected
from shared.orders.lifecycle import DEAD
from shared.orders.models import IntentStatus, OrderStatus, PaymentMethod
from tests.builders.orders import an_order
from tests.events import audited
from tests.orders import everything_about, intent_now, money_of

# What becomes of a payment: the next status, "done" for a success that changes nothing, a dash for 422.
TABLE = """
    status   | reject   | reset
    unpaid   | rejected | -
    pending  | rejected | -
    failed   | rejected | unpaid
    rejected | done     | unpaid
    settled  | -        | -
    paid     | -        | -
"""
_HEAD, *_ROWS = [[cell.strip() for cell in row.split("|")] for row in TABLE.strip().splitlines()]
CELLS = [(row[0], action, told) for row in _ROWS for action, told in zip(_HEAD[1:], row[1:], strict=True)]
ALLOWED = {"unpaid": ["reject_payment"], "pending": ["reject_payment"], "settled": ["confirm_payout"], "paid": []}


def ask(api, order, action, reason="Returned by the bank."):
    return api.as_admin().post(f"/orders/{order.id}/payment/{action}", {"reason": reason})


def test_the_table_has_a_row_for_every_status():
    assert {row[0] for row in _ROWS} == set(IntentStatus)


@pytest.mark.parametrize(("status", "action", "told"), CELLS, ids=[f"{cell[0]}-{cell[1]}" for cell in CELLS])
def test_each_action_on_each_status(api, status, action, told):
    order = an_order(OrderStatus.CLOSED if status == "paid" else OrderStatus.DELIVERED, payment=IntentStatus(status))
    before = everything_about(order)

    reply = ask(api, order, action)

    if told == "-":
        assert (reply.status, reply.error.code) == (422, "STATE_CONFLICT")
        assert reply.error.details == {"from": status, "action": f"{action}_payment", "allowed": ALLOWED[status]}
        assert everything_about(order) == before
    elif told == "done":
        assert (reply.status, reply.data["payment_intent"]["status"]) == (200, status)
        assert everything_about(order) == before
    else:
        assert (reply.status, intent_now(order).status) == (200, told)


def test_rejecting_a_payment_tells_why(api, events):
    order = an_order(OrderStatus.DELIVERED, payment_method=PaymentMethod.ACH)

    reply = ask(api, order, "reject")

    assert reply.data["payment_intent"]["failure_reason"] == "Returned by the bank."
    assert money_of(order) == (18_000, 0, 18_000, 18_000)
    assert events.emitted() == [
        PaymentRejected(
            order_id=order.id,
            order_number=order.order_number,
            buyer_store_id=order.buyer_store_id,
            vendor_store_id=order.vendor_store_id,
            reason="Returned by the bank.",
        )
    ]
    assert [(action, after["reason"]) for action, _, after in audited()] == [
        ("payment.rejected", "Returned by the bank.")
    ]


def test_a_reset_payment_is_unpaid_again_and_resetting_twice_is_once(api, events):
    order = an_order(OrderStatus.DELIVERED, payment=IntentStatus.FAILED)

    first = ask(api, order, "reset", "The agent mistyped.")
    again = ask(api, order, "reset", "The agent mistyped.")

    assert (first.status, again.status) == (200, 200)
    assert first.data == again.data
    assert (first.data["payment_intent"]["status"], first.data["payment_intent"]["failure_reason"]) == ("unpaid", None)
    assert [(action, after["reason"]) for action, _, after in audited()] == [("payment.reset", "The agent mistyped.")]
    assert events.emitted() == []


@pytest.mark.parametrize("status", DEAD)
@pytest.mark.parametrize(("action", "payment"), [("reject", IntentStatus.UNPAID), ("reset", IntentStatus.FAILED)])
def test_nothing_is_paid_for_an_order_that_came_to_nothing(api, status, action, payment):
    order = an_order(status, payment=payment)
    before = everything_about(order)

    reply = ask(api, order, action)

    assert (reply.status, reply.error.details) == (
        422,
        {"from": status, "action": f"{action}_payment", "allowed": []},
    )
    assert everything_about(order) == before


@pytest.mark.parametrize("action", ["reject", "reset"])
@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "   "}])
def test_a_reason_is_wanted(api, action, body):
    order = an_order(OrderStatus.DELIVERED, payment=IntentStatus.FAILED)
    before = everything_about(order)

    reply = api.as_admin().post(f"/orders/{order.id}/payment/{action}", body)

    assert (reply.status, reply.error.fields) == (400, ["reason"])
    assert everything_about(order) == before
