"""All orders, and all money that moved, as operators look for them."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.kit.db import transaction
from shared.kit.ids import new_id
from shared.orders.models import IntentStatus, LedgerEvent, LedgerType, OrderStatus
from tests.builders.orders import A, an_order
from tests.builders.stores import a_buyer, a_vendor
from tests.orders import ledger_of

MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)


def ids(reply):
    assert reply.status == 200, reply.raw
    return [row["id"] for row in reply.json["data"]]


def test_admins_find_any_order(api, statements):
    buyer, vendor = a_buyer(company_name="Green Mesa LLC"), a_vendor(company_name="Red River Farms LLC")
    ours = an_order(buyer=buyer, vendor=vendor)
    bought = an_order(OrderStatus.CLOSED, buyer=buyer, vendor=a_vendor(company_name="Cimarron Growers"))
    sold = an_order(OrderStatus.HOLD, buyer=a_buyer(company_name="Tulsa Leaf"), vendor=vendor)
    caller = api.as_admin()

    with statements() as cost:
        everything = caller.get("/orders", include_total="true")

    assert ids(everything) == [str(sold.id), str(bought.id), str(ours.id)]
    assert (everything.json["total"], cost.sql) == (3, 2)
    assert ids(caller.get("/orders", buyer_store_id=str(buyer.id))) == [str(bought.id), str(ours.id)]
    assert ids(caller.get("/orders", vendor_store_id=str(vendor.id), status="hold")) == [str(sold.id)]
    assert ids(caller.get("/orders", payment_status="paid")) == [str(bought.id)]
    assert ids(caller.get("/orders", q="cimarron")) == [str(bought.id)]
    assert ids(caller.get("/orders", q="tulsa")) == [str(sold.id)]
    assert ids(caller.get("/orders", q=str(ours.order_number))) == [str(ours.id)]
    assert ids(caller.get("/orders", q="nobody")) == []
    # Digits below the first order number can only be part of a name.
    named = an_order(buyer=a_buyer(company_name="420 on Main LLC"))
    assert ids(caller.get("/orders", q="420")) == [str(named.id)]


@pytest.mark.parametrize("change", ["UPDATE ledger_events SET amount_cents = 1", "DELETE FROM ledger_events"])
def test_no_entry_is_changed_or_deleted(change):
    order = an_order(OrderStatus.CLOSED)
    before = ledger_of(order)

    with pytest.raises(DBAPIError, match="append-only"), transaction() as session:
        session.execute(text(change))

    assert ledger_of(order) == before != []


@pytest.fixture
def books():
    """A closed order of Monday, a collected one of Tuesday, and an adjustment of Wednesday."""
    closed = an_order(OrderStatus.CLOSED, created_at=MONDAY)
    collected = an_order(
        OrderStatus.DELIVERED,
        payment=IntentStatus.SETTLED,
        lines=(A(qty=1, unit_price_cents=7_000),),
        created_at=MONDAY + timedelta(days=1),
    )
    with transaction() as session:
        session.add(
            LedgerEvent(
                id=new_id(),
                order_id=closed.id,
                type=LedgerType.ADJUSTMENT,
                amount_cents=-250,
                actor="system",
                memo="Rounding.",
                created_at=MONDAY + timedelta(days=2),
            )
        )
    return closed, collected


def test_the_ledger_tells_what_moved_newest_first_with_sums(api, books, statements):
    closed, collected = books

    with statements() as cost:
        reply = api.as_admin().get("/ledger")

    rows = reply.json["data"]
    assert [(row["order_id"], row["type"], row["amount_cents"]) for row in rows] == [
        (str(closed.id), "adjustment", -250),
        (str(collected.id), "cash_collected", 7_000),
        (str(closed.id), "vendor_payout", 18_000),
        (str(closed.id), "cash_collected", 18_000),
    ]
    assert {name: rows[0][name] for name in ("order_number", "vendor_store_id", "actor", "memo", "created_at")} == {
        "order_number": closed.order_number,
        "vendor_store_id": str(closed.vendor_store_id),
        "actor": "system",
        "memo": "Rounding.",
        "created_at": "2026-03-04T12:00:00Z",
    }
    assert reply.json["totals"] == {
        "cash_collected_cents": 25_000,
        "vendor_payout_cents": 18_000,
        "adjustment_cents": -250,
        "refund_cents": 0,
    }
    assert cost.sql == 2


@pytest.mark.parametrize(
    ("filters", "types", "cash_cents"),
    [
        ({"type": "cash_collected"}, ["cash_collected", "cash_collected"], 25_000),
        ({"type": "vendor_payout,adjustment"}, ["adjustment", "vendor_payout"], 0),
        ({"order_id": 1}, ["cash_collected"], 7_000),
        ({"buyer_store_id": 1}, ["cash_collected"], 7_000),
        ({"vendor_store_id": 0}, ["adjustment", "vendor_payout", "cash_collected"], 18_000),
        ({"created_from": "2026-03-03T12:00:00Z"}, ["adjustment", "cash_collected"], 7_000),
        ({"created_to": "2026-03-02T12:00:00Z"}, ["vendor_payout", "cash_collected"], 18_000),
    ],
)
def test_filters_narrow_rows_and_sums_alike(api, books, filters, types, cash_cents):
    columns = {"order_id": "id", "buyer_store_id": "buyer_store_id", "vendor_store_id": "vendor_store_id"}
    query = {
        name: str(getattr(books[value], columns[name])) if name in columns else value for name, value in filters.items()
    }

    reply = api.as_admin().get("/ledger", **query)

    assert [row["type"] for row in reply.json["data"]] == types
    assert reply.json["totals"]["cash_collected_cents"] == cash_cents


def test_a_page_of_the_ledger_has_the_sums_of_the_whole(api, books):
    caller = api.as_admin()

    first = caller.get("/ledger", limit=3)
    second = caller.get("/ledger", limit=3, cursor=first.page["next"])

    assert (len(first.json["data"]), len(second.json["data"])) == (3, 1)
    assert first.json["totals"] == second.json["totals"]
