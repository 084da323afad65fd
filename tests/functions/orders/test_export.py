"""A store's orders as a file."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from shared.orders import export
from tests.builders.orders import an_order
from tests.builders.stores import a_buyer, a_vendor

MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)


def table(reply):
    assert reply.status == 200, reply.raw
    return list(csv.DictReader(io.StringIO(reply.raw.decode(), newline="")))


def test_the_csv_has_an_order_a_line_oldest_first(api):
    buyer, vendor = a_buyer(dba_name="Mesa, Dispensary"), a_vendor(company_name="Red River Farms")
    first = an_order(buyer=buyer, vendor=vendor, created_at=MONDAY)
    second = an_order(vendor=vendor, created_at=MONDAY + timedelta(days=1))

    reply = api.as_member(vendor).get("/orders/export")

    rows = table(reply)
    assert reply.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert reply.headers["Content-Disposition"] == "attachment; filename=orders.csv"
    assert [row["order_number"] for row in rows] == [str(first.order_number), str(second.order_number)]
    assert rows[0] == {
        "order_number": str(first.order_number),
        "id": str(first.id),
        "checkout_group_id": str(first.checkout_group_id),
        "created_at": "2026-03-02T12:00:00Z",
        "status": "created_pending",
        "fulfillment_status": "pending",
        "shipping_status": "pending",
        "refund_status": "none",
        "payment_method": "cash",
        "payment_status": "unpaid",
        "currency": "USD",
        "subtotal_cents": "18000",
        "line_discounts_cents": "0",
        "promo_discount_cents": "0",
        "total_cents": "18000",
        "balance_due_cents": "18000",
        "delivered_at": "",
        "buyer_store_id": str(buyer.id),
        "buyer_name": "Mesa, Dispensary",
        "vendor_store_id": str(vendor.id),
        "vendor_name": "Red River Farms",
        "lines": "2",
        "pending": "2",
        "accepted": "0",
        "rejected": "0",
        "fulfilled": "0",
        "units": "6",
    }


def test_the_json_holds_the_rows_of_the_list(api):
    vendor = a_vendor()
    for days in range(3):
        an_order(vendor=vendor, created_at=MONDAY + timedelta(days=days))
    caller = api.as_member(vendor)

    reply = caller.get("/orders/export", format="json")

    listed = caller.get("/orders").json["data"]
    assert reply.headers["Content-Type"] == "application/json"
    assert json.loads(reply.raw) == {"data": listed[::-1]}


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_a_store_without_orders_gets_an_empty_file(api, kind):
    reply = api.as_member(a_vendor()).get("/orders/export", format=kind)

    rows = table(reply) if kind == "csv" else json.loads(reply.raw)["data"]
    assert rows == []
    assert len(reply.raw.splitlines()) == (1 if kind == "csv" else 2)


def test_only_the_own_orders_of_the_period_are_in_it(api):
    buyer, vendor = a_buyer(), a_vendor()
    built = [
        an_order(buyer=buyer, vendor=vendor, created_at=MONDAY + timedelta(days=days)).order_number for days in range(4)
    ]
    an_order(created_at=MONDAY + timedelta(days=1))
    period = {"created_from": "2026-03-03T12:00:00Z", "created_to": "2026-03-04T12:00:00Z"}

    for store in (buyer, vendor):
        rows = table(api.as_member(store).get("/orders/export", **period))
        assert [row["order_number"] for row in rows] == [str(number) for number in built[1:3]]
    assert table(api.as_member(vendor).send("GET", "/orders/export", query={"as": "buyer"})) == []


def test_batches_join_without_a_gap_or_a_repeat(api, monkeypatch):
    monkeypatch.setattr(export, "BATCH", 2)
    vendor = a_vendor()
    built = [an_order(vendor=vendor, created_at=MONDAY).order_number for _ in range(5)]

    rows = table(api.as_member(vendor).get("/orders/export"))

    assert sorted(int(row["order_number"]) for row in rows) == built


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx"])
def test_a_name_cannot_become_a_formula(api, name):
    vendor = a_vendor()
    an_order(buyer=a_buyer(dba_name=name), vendor=vendor)

    (row,) = table(api.as_member(vendor).get("/orders/export"))

    assert row["buyer_name"] == f"'{name}"


@pytest.mark.parametrize(
    ("query", "field"),
    [({"format": "pdf"}, "format"), ({"created_from": "monday"}, "created_from"), ({"status": "hold"}, "status")],
)
def test_odd_parameters_are_refused(api, query, field):
    reply = api.as_member(a_vendor()).get("/orders/export", **query)

    assert (reply.status, reply.error.fields) == (400, [field])
