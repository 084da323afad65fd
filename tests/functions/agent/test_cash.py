"""Cash at the door: the exact amount settles the order once, any other amount is a failure that is kept."""

import pytest
from sqlalchemy.exc import DBAPIError

from shared.events.orders import CashCollected, PaymentFailed
from shared.kit.db import transaction
from shared.orders import ledger
from shared.orders.models import IntentStatus, LedgerType, OrderStatus, PaymentMethod
from tests.builders.orders import A, an_agent, an_order
from tests.events import audited
from tests.orders import assignments_now, everything_about, intent_now, ledger_of, money_of, now


def about(order):
    return {
        "order_id": order.id,
        "order_number": order.order_number,
        "buyer_store_id": order.buyer_store_id,
        "vendor_store_id": order.vendor_store_id,
    }


def collect(api, order, amount_cents, **more):
    path = f"/{order.id}/cash-collected"
    return api.as_agent(order.agent).post(path, {"amount_cents": amount_cents, **more})


@pytest.mark.parametrize("status", [OrderStatus.IN_TRANSIT, OrderStatus.DELIVERED])
@pytest.mark.parametrize("payment", [IntentStatus.UNPAID, IntentStatus.PENDING, IntentStatus.FAILED])
def test_the_exact_amount_settles_the_order(api, events, status, payment):
    order = an_order(status, payment=payment, promo_cents=1_000)

    reply = collect(api, order, 17_000, notes="Counted twice.")

    intent = intent_now(order)
    (assignment,) = assignments_now(order)
    assert (reply.status, reply.data["payment_intent"]["status"]) == (200, "settled")
    assert (intent.status, now(order).status) == (IntentStatus.SETTLED, status)
    assert intent.cash_collected_at == assignment.cash_collected_at
    assert intent.cash_collected_at is not None
    assert money_of(order) == (17_000, 1_000, 0, 17_000)
    assert ledger_of(order) == [("cash_collected", 17_000)]
    assert everything_about(order)["ledger_events"][0]["memo"] == "Counted twice."
    assert events.emitted() == [CashCollected(**about(order), agent_user_id=order.agent.id, amount_cents=17_000)]
    assert [(action, after["amount_cents"], after["balance_due_cents"]) for action, _, after in audited()] == [
        ("payment.cash_collected", 17_000, 0)
    ]
    assert "Counted twice." not in str(audited())


@pytest.mark.parametrize("amount_cents", [0, 17_999, 18_001])
def test_another_amount_fails_and_the_failure_is_kept(api, events, amount_cents):
    order = an_order(OrderStatus.IN_TRANSIT)

    reply = collect(api, order, amount_cents)

    intent = intent_now(order)
    assert (reply.status, reply.error.code) == (422, "STATE_CONFLICT")
    assert reply.error.details == {"reason": "amount_mismatch", "balance_due_cents": 18_000}
    assert (intent.status, intent.failure_reason) == (IntentStatus.FAILED, "amount_mismatch")
    assert intent.cash_collected_at is None
    assert money_of(order) == (18_000, 0, 18_000, 18_000)
    assert ledger_of(order) == []
    assert events.emitted() == [PaymentFailed(**about(order), reason="amount_mismatch")]
    assert [(action, after["reason"], after["amount_cents"]) for action, _, after in audited()] == [
        ("payment.failed", "amount_mismatch", amount_cents)
    ]


def test_a_failure_is_answered_the_same_for_the_same_key_and_recorded_once(api, events):
    order = an_order(OrderStatus.IN_TRANSIT)
    caller = api.as_agent(order.agent)
    send = {"body": {"amount_cents": 1}, "key": "door-1"}

    first = caller.post(f"/{order.id}/cash-collected", **send)
    again = caller.post(f"/{order.id}/cash-collected", **send)

    assert (first.status, again.raw, again.headers["Idempotency-Replayed"]) == (422, first.raw, "true")
    assert events.types() == ["payment_failed"]


def test_after_a_failure_the_right_amount_still_settles(api, events):
    order = an_order(OrderStatus.DELIVERED)

    collect(api, order, 1)
    reply = collect(api, order, 18_000)

    assert (reply.status, reply.data["payment_intent"]["failure_reason"]) == (200, None)
    assert ledger_of(order) == [("cash_collected", 18_000)]
    assert events.types() == ["payment_failed", "cash_collected"]


@pytest.mark.parametrize(
    "status", [status for status in OrderStatus if status not in ("in_transit", "delivered", "closed")]
)
def test_cash_is_collected_on_the_way_or_at_the_door_only(api, status):
    order = an_order(status, agent=an_agent())
    before = everything_about(order)

    reply = collect(api, order, order.balance_due_cents)

    assert (reply.status, reply.error.code) == (422, "STATE_CONFLICT")
    assert reply.error.details == {"from": status, "action": "collect_cash", "allowed": []}
    assert everything_about(order) == before


@pytest.mark.parametrize(
    ("status", "payment", "amount_cents"),
    [
        (OrderStatus.DELIVERED, IntentStatus.SETTLED, 18_000),
        (OrderStatus.IN_TRANSIT, IntentStatus.SETTLED, 0),
        (OrderStatus.DELIVERED, IntentStatus.REJECTED, 18_000),
        (OrderStatus.CLOSED, IntentStatus.PAID, 18_000),
    ],
)
def test_what_is_settled_paid_or_rejected_is_not_collected(api, status, payment, amount_cents):
    order = an_order(status, payment=payment)
    before = everything_about(order)

    reply = collect(api, order, amount_cents)

    assert (reply.status, reply.error.code) == (422, "STATE_CONFLICT")
    assert everything_about(order) == before


def test_a_bank_transfer_that_did_not_come_can_be_paid_in_cash(api):
    order = an_order(OrderStatus.DELIVERED, payment_method=PaymentMethod.ACH)

    reply = collect(api, order, 18_000)

    assert (reply.status, intent_now(order).status) == (200, IntentStatus.SETTLED)


def test_an_order_that_a_promo_pays_for_is_settled_by_nothing(api):
    order = an_order(OrderStatus.DELIVERED, lines=(A(qty=1, unit_price_cents=500),), promo_cents=500)

    reply = collect(api, order, 0)

    assert (reply.status, ledger_of(order)) == (200, [("cash_collected", 0)])


@pytest.mark.parametrize(
    "body",
    [{}, {"amount_cents": -1}, {"amount_cents": "18000"}, {"amount_cents": 180.0}, {"amount_cents": 2**63}],
)
def test_an_odd_amount_is_refused_before_anything_happens(api, body):
    order = an_order(OrderStatus.DELIVERED)
    before = everything_about(order)

    reply = api.as_agent(order.agent).post(f"/{order.id}/cash-collected", body)

    assert (reply.status, reply.error.fields) == (400, ["amount_cents"])
    assert everything_about(order) == before


@pytest.mark.parametrize("kind", [LedgerType.CASH_COLLECTED, LedgerType.VENDOR_PAYOUT])
def test_the_database_takes_each_of_an_orders_movements_once(kind):
    order = an_order(OrderStatus.CLOSED)

    with pytest.raises(DBAPIError, match="uq_ledger_events_once"), transaction() as session:
        ledger.append(session, order, kind, 18_000)

    assert ledger_of(order) == [("cash_collected", 18_000), ("vendor_payout", 18_000)]


def test_an_agent_reports_cash_at_most_30_times_a_minute(api):
    order, other = an_order(OrderStatus.DELIVERED), an_order(OrderStatus.DELIVERED)
    caller = api.as_agent(order.agent)
    path = f"/{order.id}/cash-collected"

    statuses = [caller.post(path, {}).status for _ in range(30)]
    refused = caller.post(path, {"amount_cents": 18_000})

    assert set(statuses) == {400}
    assert (refused.status, refused.error.code) == (429, "RATE_LIMIT_EXCEEDED")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert intent_now(order).status is IntentStatus.UNPAID
    assert collect(api, other, 18_000).status == 200
