"""An expired order is placed again: at its prices, with stock taken anew, once."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy.exc import DBAPIError

from shared.ads.claims import AdEvent
from shared.catalog.models import Product
from shared.events.orders import OrderRetried
from shared.identity.models import KycStatus, Store
from shared.inventory.models import InventoryItem, InventoryMovement, MovementReason
from shared.kit import clock
from shared.kit.db import transaction, violated_constraint
from shared.kit.outbox import emit
from shared.orders import cancellation, checkout, queries
from shared.orders.drafting import Confirmed
from shared.orders.models import IntentStatus, LineStatus, Order, OrderStatus, PaymentMethod
from shared.orders.shipping import STANDARD
from tests.builders.ads import some_claims
from tests.builders.carts import HOME, a_cart
from tests.builders.orders import A, an_order
from tests.builders.products import a_product, a_promo
from tests.builders.stores import a_buyer, a_vendor
from tests.events import audited
from tests.orders import everything_about, line_statuses, lines_now, money_of, now
from tests.rivals import at_once, beside
from tests.stock import stock_of


def retry(api, order, **more):
    return api.as_staff_of(order.buyer).post(f"/orders/{order.id}/retry", **more)


def sell_out(product_id):
    """Everything that is left goes elsewhere."""
    with transaction() as session:
        item = session.get_one(InventoryItem, product_id)
        session.add(
            InventoryMovement(
                product_id=product_id,
                delta_available_qty=-item.available_qty,
                delta_reserved_qty=0,
                reason=MovementReason.SET,
                actor="system",
            )
        )
        item.available_qty = 0


def change(model, row_id, **fields):
    with transaction() as session:
        row = session.get_one(model, row_id)
        for name, value in fields.items():
            setattr(row, name, value)


def test_an_order_to_where_the_map_shows_nothing_is_tried_again(api):
    order = an_order(OrderStatus.EXPIRED)
    change(Order, order.id, lat=None, lng=None)

    placed = retry(api, order).data["shipping_address"]

    assert (placed["line1"], placed["lat"], placed["lng"]) == (order.line1, None, None)


def test_what_stood_is_ordered_again_at_the_same_prices(api, events, freeze):
    order = an_order(
        OrderStatus.EXPIRED,
        lines=(
            A(qty=4, unit_price_cents=2_500, discount_cents=500),
            A(qty=2, unit_price_cents=4_000),
            A(qty=9, more={"rejection_reason": "insufficient_inventory"}),
        ),
        buyer_notes="Ring twice.",
    )
    change(Product, order.lines[0].product_id, price_cents=9_900)
    moment = clock.now()
    freeze(moment)

    reply = retry(api, order)

    placed = reply.data
    again = Order(id=placed["id"])
    assert reply.status == 201
    assert (placed["status"], placed["retry_of_order_id"]) == ("created_pending", str(order.id))
    assert placed["checkout_group_id"] != str(order.checkout_group_id)
    assert placed["order_number"] > order.order_number
    assert (placed["buyer_notes"], placed["shipping_address"]["line1"]) == ("Ring twice.", order.line1)
    assert [(line["qty"], line["unit_price_cents"], line["line_total_cents"]) for line in placed["lines"]] == [
        (4, 2_500, 9_500),
        (2, 4_000, 8_000),
    ]
    assert money_of(again) == (17_500, 0, 17_500, 17_500)
    assert (placed["payment_intent"]["status"], placed["payment_method"]) == ("unpaid", "cash")
    assert now(again).pending_until == moment + timedelta(days=5)
    assert [stock_of(line.product_id) for line in order.lines] == [(96, 4), (98, 2), (100, 0)]
    assert events.emitted() == [
        OrderRetried(
            order_id=placed["id"],
            order_number=placed["order_number"],
            buyer_store_id=order.buyer_store_id,
            vendor_store_id=order.vendor_store_id,
            retry_of_order_id=order.id,
        )
    ]
    assert sorted((action, str(target)) for action, target, _ in audited()) == [
        ("order.created", placed["id"]),
        ("order.retried", str(order.id)),
    ]


def test_a_line_that_gets_no_stock_is_rejected(api):
    order = an_order(OrderStatus.EXPIRED)
    sell_out(order.lines[0].product_id)

    placed = retry(api, order).data

    assert [(line["status"], line["rejection_reason"]) for line in placed["lines"]] == [
        ("rejected", "insufficient_inventory"),
        ("pending", None),
    ]
    assert placed["total_cents"] == 8_000
    assert [stock_of(line.product_id) for line in order.lines] == [(0, 0), (98, 2)]


def test_a_line_whose_product_is_withdrawn_is_rejected(api):
    order = an_order(OrderStatus.EXPIRED)
    change(Product, order.lines[1].product_id, is_active=False)

    placed = retry(api, order).data

    assert [(line["status"], line["rejection_reason"]) for line in placed["lines"]] == [
        ("pending", None),
        ("rejected", "product_unavailable"),
    ]
    assert stock_of(order.lines[1].product_id) == (100, 0)


def test_when_no_line_can_be_had_nothing_is_placed(api, events):
    order = an_order(OrderStatus.EXPIRED)
    for line in order.lines:
        sell_out(line.product_id)
    before = everything_about(order)

    reply = retry(api, order)

    assert (reply.status, reply.error.code) == (409, "CONFLICT")
    assert reply.error.details == {
        "reason": "out_of_stock",
        "lines": [{"product_id": str(line.product_id), "requested_qty": line.qty} for line in lines_now(order)],
    }
    assert everything_about(order) == before
    assert events.emitted() == []


def test_an_order_is_placed_again_once(api, events):
    order = an_order(OrderStatus.EXPIRED)

    first, second = retry(api, order), retry(api, order)

    assert (first.status, second.status) == (201, 201)
    assert first.data == second.data
    assert [stock_of(line.product_id) for line in order.lines] == [(96, 4), (98, 2)]
    assert events.types() == ["order_retried"]


@pytest.mark.parametrize("status", [status for status in OrderStatus if status != "expired"])
def test_only_an_expired_order_is_placed_again(api, status):
    order = an_order(status)
    before = everything_about(order)

    reply = retry(api, order)

    assert (reply.status, reply.error.details) == (422, {"from": status, "action": "retry", "allowed": []})
    assert everything_about(order) == before


def test_other_buyers_and_the_vendor_cannot(api):
    order = an_order(OrderStatus.EXPIRED)
    before = everything_about(order)

    foreign = api.as_staff_of(a_buyer()).post(f"/orders/{order.id}/retry")
    vendor = api.as_staff_of(order.vendor).post(f"/orders/{order.id}/retry")

    assert (foreign.status, vendor.status) == (404, 403)
    assert everything_about(order) == before


@pytest.mark.parametrize(
    ("side", "fields", "status", "reason"),
    [
        ("buyer", {"kyc_status": KycStatus.EXPIRED}, 403, "kyc_expired"),
        ("vendor", {"kyc_status": KycStatus.SUSPENDED}, 409, "suspended"),
        ("vendor", {"subscription_active": False}, 409, "not_subscribed"),
    ],
)
def test_both_sides_must_still_be_allowed_to_trade(api, events, side, fields, status, reason):
    order = an_order(OrderStatus.EXPIRED)
    change(Store, getattr(order, side).id, **fields)
    before = everything_about(order)

    reply = retry(api, order)

    assert (reply.status, reply.error.reason) == (status, reason)
    assert everything_about(order) == before
    assert events.emitted() == []


def test_the_promo_is_given_again_as_far_as_the_lines_leave_room(api):
    buyer, vendor = a_buyer(), a_vendor()
    cheap, dear = a_product(vendor, price_cents=500), a_product(vendor, price_cents=5_000)
    promo = a_promo(vendor, code="TENOFF", kind="fixed", value=1_000)
    order = placed_by_checkout(buyer, a_cart(buyer, (cheap, 1), (dear, 1), promos={vendor.id: promo.code}))
    let_expire(order)

    first = Order(id=retry(api, order).data["id"])
    whole = money_of(first)
    let_expire(first)
    sell_out(dear.id)
    first.buyer = buyer
    second = Order(id=retry(api, first).data["id"])

    assert whole == (4_500, 1_000, 4_500, 4_500)
    assert money_of(second) == (0, 500, 0, 0)
    assert line_statuses(second) == [LineStatus.PENDING, LineStatus.REJECTED]
    assert now(second).promo_code == "TENOFF"


def placed_by_checkout(buyer, cart_id):
    confirmed = Confirmed(HOME, PaymentMethod.CASH, STANDARD, None)
    with transaction() as session:
        conversion = checkout.convert(session, buyer.id, cart_id, confirmed)
    order = Order(id=conversion.orders[0]["id"])
    order.buyer = buyer
    return order


def let_expire(order):
    with transaction() as session:
        emit(session, *cancellation.expire(session, queries.lock_order(session, order.id)))


def test_a_bank_transfer_is_awaited_again(api):
    order = an_order(OrderStatus.EXPIRED, payment_method=PaymentMethod.ACH)

    placed = retry(api, order).data

    assert placed["payment_intent"]["status"] == IntentStatus.PENDING


def test_many_lines_cost_as_many_statements_as_one(api, statements):
    small = an_order(OrderStatus.EXPIRED, lines=(A(qty=1),))
    large = an_order(OrderStatus.EXPIRED, lines=(A(qty=1),) * 40)

    costs = []
    for order in (small, large):
        with statements() as cost:
            assert retry(api, order).status == 201
        costs.append(cost.sql)

    assert costs[0] == costs[1]


@pytest.mark.usefixtures("committed_database")
def test_three_retries_at_once_place_one_order(api, events):
    order = an_order(OrderStatus.EXPIRED)
    callers = [beside(api.as_staff_of(order.buyer)) for _ in range(3)]

    replies = at_once(order, *(lambda caller=caller: caller.post(f"/orders/{order.id}/retry") for caller in callers))

    assert [reply.status for reply in replies] == [201, 201, 201]
    assert len({reply.data["id"] for reply in replies}) == 1
    assert [stock_of(line.product_id) for line in order.lines] == [(96, 4), (98, 2)]
    assert events.types() == ["order_retried"]


def test_what_was_owed_to_an_ad_still_is(api, freeze):
    vendor, buyer = a_vendor(), a_buyer()
    product, other = a_product(vendor), a_product(vendor)
    shown, clicked = some_claims(buyer, vendor, event=AdEvent.IMPRESSION), some_claims(buyer, product)
    cart = a_cart(buyer, (product, 1), (other, 1), ads=[shown, clicked])
    with transaction() as session:
        (placed,) = checkout.convert(
            session, buyer.id, cart, Confirmed(HOME, PaymentMethod.CASH, STANDARD, None)
        ).orders
    order = Order(id=placed["id"], buyer_store_id=buyer.id, vendor_store_id=vendor.id)
    order.buyer = buyer
    owed = []
    for _ in range(3):
        lines = lines_now(order)
        owed.append([told and _owed(told) for told in (now(order).attribution, *(line.attribution for line in lines))])
        freeze(clock.now() + timedelta(days=1))
        with transaction() as session:
            held = queries.lock_order(session, order.id)
            emit(session, *cancellation.expire(session, held))
        order.id = UUID(retry(api, order).data["id"])

    ads = [shown, clicked, shown]
    first = ["only_candidate", "only_candidate", "store_fallback"]
    again = [(str(ad.token_id), "retried_order", reason) for ad, reason in zip(ads, first, strict=True)]
    assert owed == [
        [(str(ad.token_id), reason, None) for ad, reason in zip(ads, first, strict=True)],
        again,
        again,
    ]


def _owed(snapshot):
    return snapshot["token_id"], snapshot["reason"], snapshot.get("first_reason")


def test_the_database_refuses_a_second_order_in_place_of_an_expired_one():
    order = an_order(OrderStatus.EXPIRED)
    an_order(retry_of_order_id=order.id)

    with pytest.raises(DBAPIError) as refused:
        an_order(retry_of_order_id=order.id)

    assert violated_constraint(refused.value) == "uq_vendor_orders_retry"
