"""Which ads a checkout's orders and lines are owed to, and where that is told."""

from datetime import timedelta

from sqlalchemy import func, select

from shared.ads.claims import AdEvent
from shared.kit import clock
from shared.kit.db import read_only, transaction
from shared.operations.flag_setting import FlagRequest, set_flag
from shared.operations.flags import Flag, flag
from shared.orders.models import Order, OrderLine
from tests.builders.ads import some_claims
from tests.builders.carts import a_cart, checkout_of
from tests.builders.products import a_product
from tests.builders.stores import a_buyer, a_vendor


def attributions():
    """By vendor and by product: (token id, reason), or none."""
    with read_only() as session:
        orders = session.execute(select(Order.vendor_store_id, Order.attribution)).all()
        lines = session.execute(select(OrderLine.product_id, OrderLine.attribution)).all()
    return {key: told and (told["token_id"], told["reason"]) for key, told in (*orders, *lines)}


def test_orders_are_owed_to_store_ads_and_lines_to_product_ads_else_to_the_orders(api, events):
    ann, bob, store = a_vendor(), a_vendor(), a_buyer()
    flower, vape, edible = a_product(ann), a_product(ann), a_product(bob)
    now = clock.now()
    of_ann = some_claims(store, ann, event=AdEvent.IMPRESSION)
    of_flower = some_claims(store, flower, occurred_at=now - timedelta(days=2))
    flower_shown = some_claims(store, flower, event=AdEvent.IMPRESSION)
    of_edible = some_claims(store, edible)
    elsewhere = some_claims(store, a_vendor())
    cart = a_cart(
        store, (flower, 1), (vape, 1), (edible, 1), ads=[of_ann, of_flower, flower_shown, of_edible, elsewhere]
    )

    reply = api.as_staff_of(store).post("", checkout_of(cart))

    assert reply.status == 201
    assert attributions() == {
        ann.id: (str(of_ann.token_id), "only_candidate"),
        flower.id: (str(of_flower.token_id), "click_over_impression"),
        vape.id: (str(of_ann.token_id), "store_fallback"),
        bob.id: None,
        edible.id: (str(of_edible.token_id), "only_candidate"),
    }
    with read_only() as session:
        snapshot = session.scalar(select(OrderLine.attribution).where(OrderLine.product_id == flower.id))
    assert snapshot == {
        "token_id": str(of_flower.token_id),
        "ad_id": str(of_flower.ad_id),
        "creative_id": str(of_flower.creative_id),
        "event": "click",
        "occurred_at": snapshot["occurred_at"],
        "reason": "click_over_impression",
        "candidates": [str(of_flower.token_id), str(flower_shown.token_id)],
    }
    _, converted = events.emitted()
    told = {line["product_id"]: line["attribution"] for order in converted.orders for line in order["lines"]}
    assert told[str(flower.id)] == snapshot
    by_vendor = {order["vendor_store_id"]: order["attribution"] for order in converted.orders}
    assert (by_vendor[str(ann.id)]["ad_id"], by_vendor[str(bob.id)]) == (str(of_ann.ad_id), None)


def test_without_the_fallback_a_line_is_owed_to_product_ads_only(api):
    vendor, store = a_vendor(), a_buyer()
    product = a_product(vendor)
    clicked = some_claims(store, vendor)
    cart = a_cart(store, (product, 1), ads=[clicked])
    with transaction() as session:
        set_flag(session, Flag.ADS_LINE_FALLBACK, FlagRequest(enabled=False))

    api.as_staff_of(store).post("", checkout_of(cart))

    assert attributions() == {vendor.id: (str(clicked.token_id), "only_candidate"), product.id: None}


def test_the_ads_of_another_buyer_move_nothing_and_hinder_nothing(api):
    vendor, store = a_vendor(), a_buyer()
    product = a_product(vendor)
    cart = a_cart(store, (product, 1), ads=[some_claims(a_buyer(), vendor), some_claims(a_buyer(), product)])

    reply = api.as_staff_of(store).post("", checkout_of(cart))

    assert reply.status == 201
    assert attributions() == {vendor.id: None, product.id: None}


def test_attribution_costs_no_statement_more(api, statements):
    store = a_buyer()
    products = [a_product() for _ in range(10)]
    cart = a_cart(store, *((product, 1) for product in products), ads=[some_claims(store, item) for item in products])
    flag(Flag.ADS_LINE_FALLBACK)

    with statements() as counted:
        api.as_staff_of(store).post("", checkout_of(cart))

    assert counted.sql == 7
    with read_only() as session:
        owed = select(func.count()).select_from(OrderLine).where(OrderLine.attribution.is_not(None))
        assert session.scalar(owed) == 10
