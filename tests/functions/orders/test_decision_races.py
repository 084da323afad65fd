"""Decisions at the same time: one of two rivals wins, the other learns what is."""

from collections import Counter

import pytest

from shared.orders.models import LineStatus, OrderStatus
from tests.builders.orders import A, an_order
from tests.builders.products import a_product
from tests.builders.stores import a_vendor
from tests.orders import line_statuses, money_of, now
from tests.rivals import at_once, beside
from tests.stock import stock_of

pytestmark = pytest.mark.usefixtures("committed_database")


def deciding(api, order, decision):
    """A call that decides the order, by a caller of its own."""
    caller = beside(api.as_staff_of(order.vendor))
    return lambda: caller.post(f"/vendor/orders/{order.id}/decision", {"decision": decision})


def test_of_two_rival_decisions_one_holds_and_the_other_is_refused(api, events):
    order = an_order()

    replies = at_once(order, deciding(api, order, "accept"), deciding(api, order, "reject"))

    held = now(order).status
    assert sorted(reply.status for reply in replies) == [200, 422]
    assert held in (OrderStatus.ACCEPTED, OrderStatus.REJECTED)
    refused = next(reply for reply in replies if reply.status == 422)
    assert refused.error.details["from"] == held
    assert events.types() == ["order_decided"]
    if held is OrderStatus.ACCEPTED:
        assert line_statuses(order) == [LineStatus.ACCEPTED, LineStatus.ACCEPTED]
        assert money_of(order) == (18_000, 0, 18_000, 18_000)
        assert [stock_of(line.product_id) for line in order.lines] == [(96, 4), (98, 2)]
    else:
        assert line_statuses(order) == [LineStatus.REJECTED, LineStatus.REJECTED]
        assert money_of(order) == (0, 0, 0, 0)
        assert [stock_of(line.product_id) for line in order.lines] == [(100, 0), (100, 0)]


def test_the_same_rejection_three_times_at_once_gives_the_stock_back_once(api, events):
    order = an_order()

    replies = at_once(order, *(deciding(api, order, "reject") for _ in range(3)))

    assert Counter(reply.status for reply in replies) == {200: 3}
    assert [stock_of(line.product_id) for line in order.lines] == [(100, 0), (100, 0)]
    assert events.types() == ["order_decided"]


def test_a_buyer_cancels_while_the_vendor_accepts(api, events):
    order = an_order()
    buyer = beside(api.as_staff_of(order.buyer))

    accepted, canceled = at_once(
        order, deciding(api, order, "accept"), lambda: buyer.post(f"/orders/{order.id}/cancel", {})
    )

    assert canceled.status == 200
    assert now(order).status is OrderStatus.CANCELED
    assert [stock_of(line.product_id) for line in order.lines] == [(100, 0), (100, 0)]
    assert (accepted.status, events.types()) in (
        (200, ["order_decided", "order_canceled"]),
        (422, ["order_canceled"]),
    )


def test_orders_sharing_products_in_opposite_order_do_not_block_each_other(api):
    vendor = a_vendor()
    blue, sour = a_product(vendor, available_qty=50), a_product(vendor, available_qty=50)
    orders = [
        an_order(vendor=vendor, lines=(A(qty=1, product=one), A(qty=1, product=other)))
        for one, other in ((blue, sour), (sour, blue), (blue, sour))
    ]

    replies = at_once(None, *(deciding(api, order, "reject") for order in orders))

    assert [reply.status for reply in replies] == [200, 200, 200]
    assert [stock_of(product.id) for product in (blue, sour)] == [(50, 0), (50, 0)]
