"""The list of a store's orders: who sees which, filtered how, in pages of one statement."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.identity.permissions import Role
from shared.orders.models import IntentStatus, LineStatus, OrderStatus, PaymentMethod
from tests.builders.orders import A, an_order
from tests.builders.stores import a_buyer, a_vendor

MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def buyer():
    return a_buyer(company_name="Green Mesa LLC", dba_name="Mesa 100% Dispensary")


@pytest.fixture
def vendor():
    return a_vendor(company_name="Red River Farms LLC")


def numbers(reply):
    assert reply.status == 200, reply.raw
    return [row["order_number"] for row in reply.json["data"]]


def test_a_row_has_totals_counts_and_both_sides(api, buyer, vendor):
    order = an_order(
        OrderStatus.PARTIALLY_ACCEPTED,
        buyer=buyer,
        vendor=vendor,
        lines=(
            A(qty=4, unit_price_cents=2_500, discount_cents=500),
            A(qty=3, unit_price_cents=1_000, status=LineStatus.FULFILLED),
            A(qty=2, unit_price_cents=4_000),
        ),
        promo_cents=1_000,
        created_at=MONDAY,
    )

    (row,) = api.as_member(vendor).get("/orders").json["data"]

    assert row == {
        "id": str(order.id),
        "order_number": order.order_number,
        "checkout_group_id": str(order.checkout_group_id),
        "status": "partially_accepted",
        "fulfillment_status": "partial",
        "shipping_status": "pending",
        "refund_status": "none",
        "payment_method": "cash",
        "payment_status": "unpaid",
        "currency": "USD",
        "subtotal_cents": 13_000,
        "line_discounts_cents": 500,
        "promo_discount_cents": 1_000,
        "total_cents": 11_500,
        "balance_due_cents": 11_500,
        "buyer": {"id": str(buyer.id), "name": "Mesa 100% Dispensary"},
        "vendor": {"id": str(vendor.id), "name": "Red River Farms LLC"},
        "counts": {"lines": 3, "pending": 0, "accepted": 1, "rejected": 1, "fulfilled": 1, "units": 7},
        "pending_until": "2026-03-07T12:00:00Z",
        "delivered_at": None,
        "created_at": "2026-03-02T12:00:00Z",
    }


def test_each_store_sees_its_own_orders_from_its_side(api, buyer, vendor):
    ours = an_order(buyer=buyer, vendor=vendor)
    bought_elsewhere = an_order(buyer=buyer)
    sold_to_others = an_order(vendor=vendor)

    assert numbers(api.as_member(buyer).get("/orders")) == [bought_elsewhere.order_number, ours.order_number]
    assert numbers(api.as_member(vendor).get("/orders")) == [sold_to_others.order_number, ours.order_number]
    assert numbers(api.as_member(vendor).send("GET", "/orders", query={"as": "vendor"})) == [
        sold_to_others.order_number,
        ours.order_number,
    ]
    assert numbers(api.as_member(vendor).send("GET", "/orders", query={"as": "buyer"})) == []
    assert numbers(api.as_member(a_vendor()).get("/orders")) == []


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"status": "created_pending"}, {"new"}),
        ({"status": "created_pending,hold"}, {"new", "held"}),
        ({"fulfillment_status": "fulfilled"}, {"ready", "brought", "closed"}),
        ({"shipping_status": "in_transit,delivered"}, {"brought", "closed"}),
        ({"payment_status": "settled,paid"}, {"brought", "closed"}),
        ({"payment_status": "pending"}, {"by bank"}),
        ({"actionable": "true"}, {"new", "held", "by bank"}),
        ({"actionable": "false"}, {"ready", "brought", "closed", "expired"}),
        ({"created_from": "2026-03-04T12:00:00Z"}, {"brought", "closed", "expired", "by bank"}),
        ({"created_to": "2026-03-03T12:00:00Z"}, {"new", "held"}),
        (
            {"created_from": "2026-03-03T12:00:00Z", "created_to": "2026-03-05T06:00:00-06:00"},
            {"held", "ready", "brought"},
        ),
        ({"status": "closed", "payment_status": "unpaid"}, set()),
    ],
)
def test_filters(api, vendor, filters, expected):
    built = {
        "new": (OrderStatus.CREATED_PENDING, 0, {}),
        "held": (OrderStatus.HOLD, 24, {}),
        "ready": (OrderStatus.READY_FOR_DISPATCH, 36, {}),
        "brought": (OrderStatus.DELIVERED, 72, {"payment": IntentStatus.SETTLED}),
        "closed": (OrderStatus.CLOSED, 96, {}),
        "expired": (OrderStatus.EXPIRED, 120, {}),
        "by bank": (OrderStatus.ACCEPTED, 144, {"payment_method": PaymentMethod.ACH}),
    }
    names = {}
    for name, (status, hours, more) in built.items():
        order = an_order(status, vendor=vendor, created_at=MONDAY + timedelta(hours=hours), **more)
        names[order.order_number] = name

    found = api.as_member(vendor).get("/orders", **filters)

    assert {names[number] for number in numbers(found)} == expected


def test_a_buyer_can_act_on_what_expired_until_it_is_placed_again(api, buyer):
    expired, retried = (an_order(OrderStatus.EXPIRED, buyer=buyer) for _ in range(2))
    placed = an_order(buyer=buyer, retry_of_order_id=retried.id)
    caller = api.as_member(buyer)

    waiting, others = (caller.get("/orders", actionable=yes, include_total="true") for yes in ("true", "false"))

    assert (numbers(waiting), waiting.json["total"]) == ([expired.order_number], 1)
    assert (numbers(others), others.json["total"]) == ([placed.order_number, retried.order_number], 2)


@pytest.mark.parametrize("q", ["mesa", "100% D", "GREEN MESA"])
def test_the_other_side_is_found_by_either_of_its_names(api, buyer, vendor, q):
    found = an_order(buyer=buyer, vendor=vendor)
    an_order(buyer=a_buyer(company_name="Tulsa Leaf", dba_name="Leaf 100 Dispensary"), vendor=vendor)

    assert numbers(api.as_member(vendor).get("/orders", q=q)) == [found.order_number]


def test_an_order_is_found_by_its_number_and_not_by_the_own_name(api, buyer, vendor):
    first, second = an_order(buyer=buyer, vendor=vendor), an_order(buyer=buyer, vendor=vendor)
    caller = api.as_member(vendor)

    assert numbers(caller.get("/orders", q=str(second.order_number))) == [second.order_number]
    assert numbers(caller.get("/orders", q="9" * 30)) == []
    assert numbers(caller.get("/orders", q="Red River")) == []
    assert len({first.order_number, second.order_number}) == 2


def test_pages_hold_every_order_once_while_others_arrive(api, vendor):
    built = [an_order(vendor=vendor, created_at=MONDAY).order_number for _ in range(7)]
    caller = api.as_member(vendor)

    seen, cursor = [], None
    for _ in range(4):
        page = caller.get("/orders", limit=2, **({"cursor": cursor} if cursor else {}))
        seen += numbers(page)
        cursor = page.page["next"]
        an_order(vendor=vendor, created_at=MONDAY + timedelta(days=1))

    assert sorted(seen) == built
    assert cursor is None


def test_a_total_counts_what_is_filtered(api, vendor):
    for status in (OrderStatus.ACCEPTED, OrderStatus.ACCEPTED, OrderStatus.HOLD):
        an_order(status, vendor=vendor)

    reply = api.as_member(vendor).get("/orders", status="accepted", include_total="true", limit=1)

    assert (len(reply.json["data"]), reply.json["total"]) == (1, 2)


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"payment_status": "unpaid"},
        {"payment_status": "paid,failed"},
        {"q": "mesa"},
        {"q": "mesa", "payment_status": "paid"},
        {"q": "9999999"},
        {"actionable": "true"},
        {"actionable": "false", "q": "mesa"},
        {"status": "closed,hold", "fulfillment_status": "fulfilled", "shipping_status": "delivered"},
    ],
    ids=str,
)
@pytest.mark.parametrize("side", ["buyer", "vendor"])
def test_a_total_is_as_many_as_there_are_rows(api, buyer, vendor, side, query):
    for status in (OrderStatus.CREATED_PENDING, OrderStatus.HOLD, OrderStatus.CLOSED):
        an_order(status, buyer=buyer, vendor=vendor)
        an_order(status, buyer=buyer, vendor=a_vendor(company_name="Mesa Growers LLC"))
        an_order(status, buyer=a_buyer(company_name="Tulsa Leaf"), vendor=vendor)

    reply = api.as_member(buyer if side == "buyer" else vendor).get("/orders", include_total="true", **query)

    assert reply.json["total"] == len(reply.json["data"])


def test_a_cursor_serves_only_the_filters_it_was_made_for(api, vendor):
    for _ in range(3):
        an_order(vendor=vendor)
    caller = api.as_member(vendor)
    cursor = caller.get("/orders", limit=1).page["next"]

    reply = caller.get("/orders", limit=1, status="accepted", cursor=cursor)

    assert (reply.status, reply.error.fields) == (400, ["cursor"])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"status": "lost"}, "status[0]"),
        ({"as": "admin"}, "as"),
        ({"created_from": "2026-03-02T12:00:00"}, "created_from"),
        ({"limit": "101"}, "limit"),
        ({"side": "vendor"}, "side"),
        ({"vendor_store_id": "01980000-0000-7000-8000-000000000001"}, "vendor_store_id"),
    ],
)
def test_odd_filters_are_refused(api, vendor, query, field):
    reply = api.as_member(vendor).send("GET", "/orders", query=query)

    assert (reply.status, reply.error.fields) == (400, [field])


def test_a_list_is_two_statements_at_most_however_many_rows_and_lines(api, vendor, statements):
    caller = api.as_member(vendor, Role.VIEWER)
    costs = []
    for _ in range(2):
        an_order(vendor=vendor, lines=(A(qty=1),) * 20)
        with statements() as plain:
            caller.get("/orders")
        with statements() as counted:
            caller.get("/orders", include_total="true", q="mesa", payment_status="unpaid", actionable="true")
        costs.append((plain.sql, counted.sql))

    assert costs == [(1, 2), (1, 2)]
