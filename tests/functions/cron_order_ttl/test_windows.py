"""Unanswered orders: reminded at the end of the first window, expired at the end of the second."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Request
from werkzeug.test import EnvironBuilder

from shared.events.orders import OrderExpired, OrderPendingNudge
from shared.kit import stopping
from shared.kit.db import transaction
from shared.orders import queries, windows
from shared.orders.models import IntentStatus, LineStatus, OrderStatus
from tests.builders.orders import A, an_order
from tests.events import audited
from tests.orders import everything_about, line_statuses, lines_now, money_of, now
from tests.rivals import at_once
from tests.stock import stock_of

MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)
WINDOW = timedelta(days=5)
NOTHING = {"reminded": 0, "expired": 0, "skipped": 0, "failed": 0}


@pytest.fixture
def fire():
    # Imported here, because a function reads its settings when it is imported, and the servers come first.
    from functions.cron_order_ttl.main import main

    def run(path="/", method="POST"):
        body, status = main(Request(EnvironBuilder(method=method, path=path).get_environ()))
        assert status == 200
        return body["data"]

    return run


def about(order):
    return {
        "order_id": order.id,
        "order_number": order.order_number,
        "buyer_store_id": order.buyer_store_id,
        "vendor_store_id": order.vendor_store_id,
    }


def test_nothing_happens_before_the_window_is_over(fire, freeze):
    order = an_order(created_at=MONDAY)
    before = everything_about(order)

    freeze(MONDAY + WINDOW - timedelta(microseconds=1))

    assert fire() == NOTHING
    assert everything_about(order) == before


def test_at_its_end_the_vendor_is_reminded_and_has_another_window(fire, freeze, events):
    order = an_order(created_at=MONDAY)

    freeze(MONDAY + WINDOW)
    done = fire()

    held = now(order)
    assert done == NOTHING | {"reminded": 1}
    assert (held.status, held.ttl_nudged_at) == (OrderStatus.CREATED_PENDING, MONDAY + WINDOW)
    assert held.pending_until == MONDAY + 2 * WINDOW
    assert [stock_of(line.product_id) for line in order.lines] == [(96, 4), (98, 2)]
    assert events.emitted() == [OrderPendingNudge(**about(order))]
    assert [action for action, _, _ in audited()] == ["order.pending_nudged"]


def test_at_the_second_end_the_order_expires_and_gives_everything_back(fire, freeze, events):
    order = an_order(
        lines=(A(qty=4), A(qty=2, status=LineStatus.ACCEPTED), A(qty=1, status=LineStatus.REJECTED)),
        promo_cents=900,
        created_at=MONDAY,
        ttl_nudged_at=MONDAY + WINDOW,
        pending_until=MONDAY + 2 * WINDOW,
    )

    freeze(MONDAY + 2 * WINDOW)
    done = fire()

    held = now(order)
    assert done == NOTHING | {"expired": 1}
    assert (held.status, held.expired_at) == (OrderStatus.EXPIRED, MONDAY + 2 * WINDOW)
    assert line_statuses(order) == [LineStatus.REJECTED] * 3
    assert [line.rejection_reason for line in lines_now(order)] == [
        "order_expired",
        "order_expired",
        "vendor_rejected",
    ]
    assert money_of(order) == (0, 0, 0, 0)
    assert [stock_of(line.product_id) for line in order.lines] == [(100, 0)] * 3
    assert events.emitted() == [OrderExpired(**about(order))]
    assert [action for action, _, _ in audited()] == ["order.expired"]


def test_running_twice_or_days_late_does_each_thing_once(fire, freeze, events):
    order = an_order(created_at=MONDAY)
    late = MONDAY + timedelta(days=30)

    freeze(late)
    first, second = fire(), fire()
    given = now(order).pending_until
    freeze(late + WINDOW)
    third, fourth = fire(), fire()

    assert (first, second) == (NOTHING | {"reminded": 1}, NOTHING)
    assert given == late + WINDOW
    assert (third, fourth) == (NOTHING | {"expired": 1}, NOTHING)
    assert events.types() == ["order_pending_nudge", "order_expired"]
    assert [stock_of(line.product_id) for line in order.lines] == [(100, 0), (100, 0)]


@pytest.mark.parametrize("status", [status for status in OrderStatus if status != "created_pending"])
def test_answered_orders_are_left_alone(fire, freeze, status):
    order = an_order(status, created_at=MONDAY)
    before = everything_about(order)

    freeze(MONDAY + 3 * WINDOW)

    assert fire() == NOTHING
    assert everything_about(order) == before


def test_one_that_fails_does_not_stop_the_rest(fire, freeze, monkeypatch, events):
    orders = [an_order(created_at=MONDAY + timedelta(hours=n)) for n in range(3)]
    real = windows._remind

    def remind(session, order):
        happened = real(session, order)
        if order.id == orders[1].id:
            raise RuntimeError("the disk is full")
        return happened

    monkeypatch.setattr(windows, "_remind", remind)
    before = everything_about(orders[1])

    freeze(MONDAY + WINDOW + timedelta(hours=2))
    done = fire()

    assert done == NOTHING | {"reminded": 2, "failed": 1}
    assert everything_about(orders[1]) == before
    assert [event.order_id for event in events.emitted()] == [orders[0].id, orders[2].id]


def test_more_than_a_batch_is_done_in_one_run(fire, freeze, monkeypatch):
    monkeypatch.setattr(windows, "BATCH", 2)
    for n in range(5):
        an_order(created_at=MONDAY + timedelta(minutes=n // 2))

    freeze(MONDAY + WINDOW + timedelta(hours=1))

    assert fire() == NOTHING | {"reminded": 5}


def test_when_asked_to_stop_it_stops_between_two_orders(fire, freeze, monkeypatch):
    for _ in range(3):
        an_order(created_at=MONDAY)
    answers = iter([False, False, True])
    monkeypatch.setattr(stopping, "is_asked", lambda: next(answers))

    freeze(MONDAY + WINDOW)

    assert fire() == NOTHING | {"reminded": 2}


@pytest.mark.usefixtures("committed_database")
def test_an_order_that_somebody_is_deciding_is_skipped(fire, freeze, events):
    order = an_order(created_at=MONDAY)
    freeze(MONDAY + WINDOW)

    with transaction() as session:
        queries.lock_order(session, order.id)
        while_locked = fire()
    after = fire()

    assert while_locked == NOTHING | {"skipped": 1}
    assert after == NOTHING | {"reminded": 1}


@pytest.mark.usefixtures("committed_database")
def test_two_runs_at_once_do_each_order_once(fire, freeze, events):
    for _ in range(6):
        an_order(created_at=MONDAY)
    freeze(MONDAY + WINDOW)

    first, second = at_once(None, fire, fire)

    assert first["reminded"] + second["reminded"] == 6
    assert first["failed"] + second["failed"] == 0
    assert events.types() == ["order_pending_nudge"] * 6


def test_payments_that_wait_for_three_days_since_delivery_are_counted_by_what_they_wait_for(fire, freeze, metrics):
    an_order(OrderStatus.DELIVERED, created_at=MONDAY)
    an_order(OrderStatus.DELIVERED, created_at=MONDAY, payment=IntentStatus.FAILED)
    an_order(OrderStatus.DELIVERED, created_at=MONDAY, payment=IntentStatus.SETTLED)
    an_order(OrderStatus.DELIVERED, created_at=MONDAY + timedelta(seconds=1))
    an_order(OrderStatus.CLOSED, created_at=MONDAY)
    an_order(OrderStatus.IN_TRANSIT, created_at=MONDAY)

    freeze(MONDAY + timedelta(days=3))
    fire()

    assert metrics.of("payments_stuck") == [{"stage": "collection", "value": 2}, {"stage": "payout", "value": 1}]
