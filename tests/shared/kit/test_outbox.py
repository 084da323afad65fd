"""Events leave with the change: in order, once, or not at all."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from shared.events.checkout import OrderCreated
from shared.events.products import InventoryLow
from shared.kit import context, db
from shared.kit.context import Work, working
from shared.kit.db import sqlstate, transaction
from shared.kit.outbox import emit


def low(product):
    return InventoryLow(product_id=product, vendor_store_id=product, available_qty=1, low_stock_threshold=5)


def created(group):
    return OrderCreated(
        checkout_group_id=group,
        cart_id=group,
        buyer_store_id=group,
        vendor_store_ids=[],
        order_ids=[],
        product_ids=[],
    )


def test_sequences_count_up_per_aggregate_and_several_events_cost_one_statement(events):
    one, two = uuid4(), uuid4()
    with working(Work(function="probe", request_id="request-1")) as work, transaction() as session:
        emit(session, low(one), low(two), low(one))
        emit(session, low(one))
        assert work.sql_statements == 2

    assert [(row.aggregate_id, row.sequence) for row in events.rows()] == [(one, 1), (two, 1), (one, 2), (one, 3)]


def test_rows_carry_who_asked_and_under_which_request(events):
    user = uuid4()
    traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    with working(Work("probe", "request-1", traceparent, user_id=user)), transaction() as session:
        emit(session, low(uuid4()))

    (row,) = events.rows()
    assert (row.actor, row.request_id, row.traceparent) == (str(user), "request-1", traceparent)


@pytest.mark.parametrize(
    "odd", [{"available_qty": "a few"}, {"available_qty": None}, {"product_id": 7}, {"colour": "green"}]
)
def test_an_event_that_does_not_fit_the_catalogue_cannot_be_written(events, odd):
    with pytest.raises(ValidationError), transaction() as session:
        emit(session, InventoryLow.model_validate({**InventoryLow.example, **odd}))

    assert events.rows() == []


def test_what_is_rolled_back_was_never_said(events):
    product = uuid4()

    def fail():
        with transaction() as session:
            emit(session, low(product))
            raise RuntimeError("undo")

    with pytest.raises(RuntimeError):
        fail()
    with transaction() as session:
        emit(session, low(product))

    assert [row.sequence for row in events.rows()] == [1]


def test_a_dedupe_key_is_written_only_once_ever(events):
    group = uuid4()
    with transaction() as session:
        emit(session, created(group))

    with pytest.raises(DBAPIError) as refused, transaction() as session:
        emit(session, created(group))

    assert sqlstate(refused.value) == db.UNIQUE_VIOLATION
    assert events.types() == ["order_created"]


@pytest.mark.usefixtures("committed_database")
def test_rival_writers_of_one_aggregate_leave_no_gap(events):
    product = uuid4()

    def write(_):
        with transaction() as session:
            emit(session, low(product))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(24)))

    assert sorted(row.sequence for row in events.rows()) == list(range(1, 25))


def test_outside_of_any_request_the_system_acts(events):
    with transaction() as session:
        emit(session, low(uuid4()))

    assert events.rows()[0].actor == "system"
    assert context.work().function == "none"
