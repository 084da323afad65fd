"""Vendors are paid what was collected for them, once, and the order is closed."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from shared.events.orders import OrderPaid
from shared.orders.models import IntentStatus, OrderStatus
from tests.builders.orders import an_order
from tests.events import audited
from tests.orders import everything_about, intent_now, ledger_of, money_of, now
from tests.rivals import at_once, beside

MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)


def confirm(api, order):
    return api.as_admin().post(f"/orders/{order.id}/confirm-payout")


def test_a_confirmed_payout_closes_the_order(api, events):
    order = an_order(OrderStatus.DELIVERED, payment=IntentStatus.SETTLED, promo_cents=500)

    reply = confirm(api, order)
    again = confirm(api, order)

    assert (reply.status, reply.data["status"], reply.data["payment_intent"]["status"]) == (200, "closed", "paid")
    assert (again.status, again.data) == (200, reply.data)
    assert now(order).closed_at is not None
    assert intent_now(order).vendor_paid_at is not None
    assert money_of(order) == (17_500, 500, 0, 17_500)
    assert ledger_of(order) == [("cash_collected", 17_500), ("vendor_payout", 17_500)]
    assert events.emitted() == [
        OrderPaid(
            order_id=order.id,
            order_number=order.order_number,
            buyer_store_id=order.buyer_store_id,
            vendor_store_id=order.vendor_store_id,
            amount_cents=17_500,
        )
    ]
    assert [(action, after["status"], after["amount_cents"]) for action, _, after in audited()] == [
        ("order.payout_confirmed", "closed", 17_500)
    ]


@pytest.mark.parametrize(
    "payment", [IntentStatus.UNPAID, IntentStatus.PENDING, IntentStatus.FAILED, IntentStatus.REJECTED]
)
def test_what_is_not_settled_is_not_paid_out(api, payment):
    order = an_order(OrderStatus.DELIVERED, payment=payment)
    before = everything_about(order)

    reply = confirm(api, order)

    assert (reply.status, reply.error.code) == (422, "STATE_CONFLICT")
    assert reply.error.details == {
        "from": "delivered",
        "action": "confirm_payout",
        "allowed": [],
        "payment_status": payment,
    }
    assert everything_about(order) == before


@pytest.mark.parametrize("status", [status for status in OrderStatus if status not in ("delivered", "closed")])
def test_only_a_delivered_order_is_paid_out(api, status):
    order = an_order(status, payment=IntentStatus.SETTLED if status == "in_transit" else None)
    before = everything_about(order)

    reply = confirm(api, order)

    assert (reply.status, reply.error.details) == (422, {"from": status, "action": "confirm_payout", "allowed": []})
    assert everything_about(order) == before


def test_payouts_wait_in_the_order_of_their_delivery(api, statements):
    late = an_order(OrderStatus.DELIVERED, payment=IntentStatus.SETTLED, delivered_at=MONDAY + timedelta(days=1))
    early = an_order(OrderStatus.DELIVERED, payment=IntentStatus.SETTLED, delivered_at=MONDAY)
    an_order(OrderStatus.DELIVERED)
    an_order(OrderStatus.IN_TRANSIT, payment=IntentStatus.SETTLED)
    an_order(OrderStatus.CLOSED)
    caller = api.as_admin()

    with statements() as cost:
        first = caller.get("/orders/payouts", limit=1, include_total="true")
    second = caller.get("/orders/payouts", limit=1, include_total="true", cursor=first.page["next"])

    assert [row["id"] for page in (first, second) for row in page.json["data"]] == [str(early.id), str(late.id)]
    assert first.json["data"][0]["delivered_at"] == "2026-03-02T12:00:00Z"
    assert (first.json["total"], second.page["next"], cost.sql) == (2, None, 2)


def test_a_payout_is_seen_while_it_waits_and_after(api):
    waiting, paid = an_order(OrderStatus.DELIVERED, payment=IntentStatus.SETTLED), an_order(OrderStatus.CLOSED)
    unsettled = an_order(OrderStatus.DELIVERED)
    caller = api.as_admin()

    assert caller.get(f"/orders/payouts/{waiting.id}").data["payment_intent"]["amount_cents"] == 18_000
    assert caller.get(f"/orders/payouts/{paid.id}").data["status"] == "closed"
    assert caller.get(f"/orders/payouts/{unsettled.id}").status == 404


@pytest.mark.usefixtures("committed_database")
def test_three_admins_who_confirm_at_once_pay_once(api, events):
    order = an_order(OrderStatus.DELIVERED, payment=IntentStatus.SETTLED)
    callers = [beside(api.as_admin()) for _ in range(3)]

    replies = at_once(
        order, *(lambda caller=caller: caller.post(f"/orders/{order.id}/confirm-payout") for caller in callers)
    )

    assert Counter(reply.status for reply in replies) == {200: 3}
    assert ledger_of(order) == [("cash_collected", 18_000), ("vendor_payout", 18_000)]
    assert events.types() == ["order_paid"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/orders"),
        ("GET", "/orders/payouts"),
        ("GET", "/orders/payouts/{id}"),
        ("GET", "/ledger"),
        ("POST", "/orders/{id}/confirm-payout"),
        ("POST", "/orders/{id}/assign-agent"),
        ("POST", "/orders/{id}/payment/reject"),
        ("POST", "/orders/{id}/payment/reset"),
    ],
)
def test_only_admins_may(api, method, path):
    order = an_order(OrderStatus.DELIVERED, payment=IntentStatus.SETTLED)
    before = everything_about(order)
    callers = (api.as_member(order.vendor), api.as_member(order.buyer), api.as_agent(order.agent), api)
    headers = {"Idempotency-Key": "mine"}

    replies = [caller.send(method, path.format(id=order.id), headers=headers) for caller in callers]

    assert [reply.status for reply in replies] == [403, 403, 403, 401]
    assert everything_about(order) == before
