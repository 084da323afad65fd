"""Conversion: what it creates, what it refuses, and that it happens once."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, update

from shared.catalog.models import Product, VendorPromo
from shared.events.checkout import CheckoutConverted, OrderCreated
from shared.identity.models import KycStatus, Store
from shared.identity.permissions import Role
from shared.inventory.models import InventoryItem
from shared.kit import clock, driver
from shared.kit.db import read_only, transaction
from shared.operations.flag_setting import FlagRequest, set_flag
from shared.operations.flags import Flag, Rule, flag
from shared.orders.models import Order, OrderLine, PaymentIntent
from tests.builders.carts import HOME, a_cart, checkout_of
from tests.builders.products import a_product, a_promo
from tests.builders.stores import a_buyer, a_vendor
from tests.events import audited
from tests.stock import stock_of


def count(model):
    with read_only() as session:
        return session.scalar(select(func.count()).select_from(model))


def set_stock(product, available_qty):
    """Take stock away as a sale elsewhere would, movements and all."""
    with transaction() as session:
        item = session.get_one(InventoryItem, product.id)
        from shared.inventory.models import InventoryMovement, MovementReason

        session.add(
            InventoryMovement(
                product_id=product.id,
                delta_available_qty=available_qty - item.available_qty,
                delta_reserved_qty=0,
                reason=MovementReason.SET,
                actor="system",
            )
        )
        item.available_qty = available_qty


def allow_ach(store):
    with transaction() as session:
        only_here = Rule(store_ids=[store.id], enabled=True)
        set_flag(session, Flag.ALLOW_ACH, FlagRequest(enabled=False, rules=[only_here]))


def nothing_happened(events):
    return (count(Order), count(PaymentIntent), events.types(), audited("order.created")) == (0, 0, [], [])


def test_a_cart_becomes_one_order_per_vendor(api, events):
    ann, bob = a_vendor(company_name="Ann's Farm"), a_vendor(company_name="Bob's Grow")
    flower, vape = a_product(ann, price_cents=333, tiers={10: "2.5"}), a_product(ann, price_cents=1_999)
    edible = a_product(bob, price_cents=1_250)
    promo = a_promo(ann)
    store = a_buyer()
    cart = a_cart(store, (flower, 10), (edible, 2), (vape, 3), promos={ann.id: "SPRING10"})

    reply = api.as_staff_of(store).post("", checkout_of(cart, buyer_notes="Ring twice"))

    assert reply.status == 201
    of_ann, of_bob = sorted(reply.data["vendor_orders"], key=lambda order: order["total_cents"], reverse=True)
    assert {of_ann["vendor_store_id"], of_bob["vendor_store_id"]} == {str(ann.id), str(bob.id)}
    figures = ("subtotal_cents", "line_discounts_cents", "promo_discount_cents", "total_cents", "balance_due_cents")
    assert [of_ann[name] for name in figures] == [9_327, 83, 924, 8_320, 8_320]
    assert [of_bob[name] for name in figures] == [2_500, 0, 0, 2_500, 2_500]
    assert [(line["title"], line["qty"], line["status"]) for line in of_ann["lines"]] == [
        (flower.title, 10, "pending"),
        (vape.title, 3, "pending"),
    ]
    assert of_ann["payment_intent"] == {"method": "cash", "status": "unpaid", "amount_cents": 8_320}
    assert (reply.data["subtotal_cents"], reply.data["discounts_cents"], reply.data["total_cents"]) == (
        11_827,
        1_007,
        10_820,
    )
    assert reply.data["shipping_address"] == HOME.model_dump()
    assert reply.data["shipping_line"]["code"] == "agent_standard"
    assert [stock_of(product.id) for product in (flower, vape, edible)] == [(90, 10), (97, 3), (98, 2)]
    with read_only() as session:
        assert session.scalar(select(VendorPromo.redeemed_count).where(VendorPromo.id == promo.id)) == 1

    created, converted = events.emitted()
    assert isinstance(created, OrderCreated)
    assert isinstance(converted, CheckoutConverted)
    assert set(created.order_ids) == {UUID(of_ann["id"]), UUID(of_bob["id"])}
    assert set(created.product_ids) == {flower.id, vape.id, edible.id}
    assert converted.total_cents == 10_820
    assert [row.sequence for row in events.rows()] == [1, 2]
    assert {target for _, target, _ in audited("order.created")} == set(created.order_ids)


def test_where_it_is_delivered_need_not_be_on_the_map(api):
    store = a_buyer()
    cart = a_cart(store, (a_product(), 1))
    written = HOME.model_dump(exclude={"lat", "lng"})

    reply = api.as_staff_of(store).post("", checkout_of(cart, shipping_address=written))
    half = api.as_staff_of(store).post("", checkout_of(cart, shipping_address={**written, "lat": 35.5}))

    assert (reply.status, reply.data["shipping_address"]) == (201, {**written, "lat": None, "lng": None})
    assert (half.status, half.error.fields) == (400, ["shipping_address.lng"])
    with read_only() as session:
        order = session.scalars(select(Order)).one()
    assert (order.line1, order.lat, order.lng) == (HOME.line1, None, None)


def test_the_confirmation_has_the_shape_of_the_reply_and_is_found_both_ways(api):
    store = a_buyer()
    cart = a_cart(store, (a_product(), 1), (a_product(), 2))
    buyer = api.as_staff_of(store)
    reply = buyer.post("", checkout_of(cart))

    by_cart = buyer.get(f"/{cart}/confirmation")
    by_group = buyer.get(f"/{reply.data['checkout_group_id']}/confirmation")

    assert by_cart.data == by_group.data == reply.data
    assert api.as_staff_of(a_buyer()).get(f"/{cart}/confirmation").status == 404


def test_a_line_that_is_out_of_stock_is_rejected_and_taken_off_the_totals(api):
    vendor, store = a_vendor(), a_buyer()
    scarce, plenty = a_product(vendor), a_product(vendor)
    a_promo(vendor)
    cart = a_cart(store, (scarce, 4), (plenty, 2), promos={vendor.id: "SPRING10"})
    set_stock(scarce, 3)

    reply = api.as_staff_of(store).post("", checkout_of(cart))

    (order,) = reply.data["vendor_orders"]
    assert [(line["status"], line["rejection_reason"]) for line in order["lines"]] == [
        ("rejected", "insufficient_inventory"),
        ("pending", None),
    ]
    # The promo stays what it was in the quote, 10 % of six at $25.00, and takes that off what is left.
    assert (order["subtotal_cents"], order["promo_discount_cents"], order["total_cents"]) == (5_000, 1_500, 3_500)
    assert order["payment_intent"]["amount_cents"] == 3_500
    assert [stock_of(scarce.id), stock_of(plenty.id)] == [(3, 0), (98, 2)]


@pytest.mark.parametrize("change", [{"is_active": False}, {"deleted_at": clock.now()}])
def test_a_product_that_is_offered_no_more_since_the_quote_is_not_sold(api, change):
    vendor, store = a_vendor(), a_buyer()
    kept, recalled = a_product(vendor, price_cents=1_000), a_product(vendor, price_cents=5_000)
    cart = a_cart(store, (kept, 2), (recalled, 1))
    with transaction() as session:
        session.execute(update(Product).where(Product.id == recalled.id).values(**change))

    reply = api.as_staff_of(store).post("", checkout_of(cart))

    (order,) = reply.data["vendor_orders"]
    assert (reply.status, order["total_cents"]) == (201, 2_000)
    assert [(line["status"], line["rejection_reason"]) for line in order["lines"]] == [
        ("pending", None),
        ("rejected", "product_unavailable"),
    ]
    assert [stock_of(product.id) for product in (kept, recalled)] == [(98, 2), (100, 0)]


def test_an_order_whose_lines_are_all_rejected_is_kept_at_nothing_while_others_go_on(api, events):
    store = a_buyer()
    scarce, plenty = a_product(), a_product()
    cart = a_cart(store, (scarce, 1), (plenty, 1))
    set_stock(scarce, 0)

    reply = api.as_staff_of(store).post("", checkout_of(cart))

    states = {
        order["vendor_store_id"]: (order["status"], order["total_cents"]) for order in reply.data["vendor_orders"]
    }
    assert states == {
        str(scarce.vendor_store_id): ("rejected", 0),
        str(plenty.vendor_store_id): ("created_pending", 2_500),
    }
    assert len(events.types()) == 2


def test_when_nothing_is_left_the_checkout_is_refused_whole(api, events):
    store, product = a_buyer(), a_product()
    cart = a_cart(store, (product, 5))
    set_stock(product, 4)

    reply = api.as_staff_of(store).post("", checkout_of(cart))

    assert (reply.status, reply.error.reason) == (409, "out_of_stock")
    assert reply.error.details["lines"] == [{"product_id": str(product.id), "requested_qty": 5}]
    assert nothing_happened(events)
    assert stock_of(product.id) == (4, 0)


def test_a_vendor_lost_since_the_quote_gets_no_order_and_is_told(api):
    store = a_buyer()
    kept, lost = a_product(), a_product()
    cart = a_cart(store, (kept, 1), (lost, 1))
    with transaction() as session:
        session.execute(update(Store).where(Store.id == lost.vendor_store_id).values(kyc_status=KycStatus.EXPIRED))

    reply = api.as_staff_of(store).post("", checkout_of(cart))

    assert [order["vendor_store_id"] for order in reply.data["vendor_orders"]] == [str(kept.vendor_store_id)]
    assert reply.data["rejected_vendors"] == [
        {"vendor_store_id": str(lost.vendor_store_id), "vendor_name": lost.vendor_name, "reason": "license_invalid"}
    ]
    assert stock_of(lost.id) == (100, 0)
    again = api.as_staff_of(store).get(f"/{cart}/confirmation")
    assert again.data["rejected_vendors"] == reply.data["rejected_vendors"]


def test_items_that_were_not_available_in_the_quote_make_no_order(api):
    store = a_buyer()
    gone, there = a_product(available_qty=0), a_product()
    cart = a_cart(store, (gone, 1), (there, 1))

    reply = api.as_staff_of(store).post("", checkout_of(cart))

    assert len(reply.data["vendor_orders"]) == 1
    assert reply.data["rejected_vendors"][0]["reason"] == "nothing_orderable"


def test_a_cart_without_anything_orderable_is_refused(api, events):
    store = a_buyer()
    cart = a_cart(store, (a_product(available_qty=0), 1))

    reply = api.as_staff_of(store).post("", checkout_of(cart))

    assert (reply.status, reply.error.reason) == (409, "nothing_orderable")
    assert nothing_happened(events)


def test_an_old_quote_is_refused(api, events, freeze):
    store, product = a_buyer(), a_product()
    moment = clock.now()
    freeze(moment)
    cart = a_cart(store, (product, 1))
    freeze(moment + timedelta(minutes=15))

    reply = api.as_staff_of(store).post("", checkout_of(cart))

    assert (reply.status, reply.error.reason) == (409, "quote_expired")
    assert nothing_happened(events)
    assert stock_of(product.id) == (100, 0)


def test_a_buyer_that_is_no_longer_verified_is_refused(api, events):
    store = a_buyer()
    cart = a_cart(store, (a_product(), 1))
    with transaction() as session:
        session.execute(update(Store).where(Store.id == store.id).values(kyc_status=KycStatus.SUSPENDED))

    reply = api.as_staff_of(store).post("", checkout_of(cart))

    assert (reply.status, reply.error.reason) == (403, "kyc_suspended")
    assert nothing_happened(events)


def test_somebody_elses_or_a_replaced_cart_is_not_there(api, events):
    store, product = a_buyer(), a_product()
    former = a_cart(store, (product, 1))
    a_cart(store, (product, 2))

    assert api.as_staff_of(store).post("", checkout_of(former)).status == 404
    assert api.as_staff_of(a_buyer()).post("", checkout_of(former)).status == 404
    assert api.as_staff_of(store).post("", checkout_of(uuid4())).status == 404
    assert nothing_happened(events)


def test_the_same_cart_with_other_keys_gives_the_same_orders(api, events):
    store, product = a_buyer(), a_product()
    cart = a_cart(store, (product, 1))
    buyer = api.as_staff_of(store)

    first = buyer.post("", checkout_of(cart), key="one")
    second = buyer.post("", checkout_of(cart), key="two")

    assert (first.status, second.status) == (201, 200)
    assert first.data == second.data
    assert (count(Order), events.types()) == (1, ["order_created", "checkout_converted"])
    assert stock_of(product.id) == (99, 1)


@pytest.mark.parametrize("change", [{"redeemed_count": 1}, {"is_active": False}], ids=str)
def test_a_code_used_up_since_the_quote_or_withdrawn_asks_for_a_new_quote(api, events, change):
    vendor, store = a_vendor(), a_buyer()
    product = a_product(vendor)
    promo = a_promo(vendor, max_redemptions=1)
    cart = a_cart(store, (product, 1), promos={vendor.id: "SPRING10"})
    with transaction() as session:
        session.execute(update(VendorPromo).where(VendorPromo.id == promo.id).values(**change))

    reply = api.as_staff_of(store).post("", checkout_of(cart))

    assert (reply.status, reply.error.reason, reply.error.details["codes"]) == (409, "promo_used_up", ["SPRING10"])
    assert nothing_happened(events)
    assert stock_of(product.id) == (100, 0)


def test_a_code_with_a_limit_per_buyer_is_counted_per_buyer(api):
    vendor = a_vendor()
    product = a_product(vendor)
    a_promo(vendor, per_buyer_limit=1)
    store, other = a_buyer(), a_buyer()

    for buyer in (store, other):
        cart = a_cart(buyer, (product, 1), promos={vendor.id: "SPRING10"})
        assert api.as_staff_of(buyer).post("", checkout_of(cart)).data["discounts_cents"] == 250
    cart = a_cart(store, (product, 1), promos={vendor.id: "SPRING10"})

    assert api.as_staff_of(store).post("", checkout_of(cart)).data["discounts_cents"] == 0


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"payment_method": "ach"}, 422, "STATE_CONFLICT"),
        ({"payment_method": "card"}, 400, "VALIDATION_ERROR"),
        ({"shipping_line": {"code": "drone"}}, 400, "VALIDATION_ERROR"),
        ({"shipping_line": {"code": "agent_standard", "price_cents": 0}}, 400, "VALIDATION_ERROR"),
        ({"shipping_address": {**HOME.model_dump(), "state": "Oklahoma"}}, 400, "VALIDATION_ERROR"),
        ({"total_cents": 1}, 400, "VALIDATION_ERROR"),
    ],
)
def test_bad_bodies_are_refused_and_leave_nothing(api, events, more, status, code):
    store = a_buyer()
    cart = a_cart(store, (a_product(), 1))

    reply = api.as_staff_of(store).post("", checkout_of(cart, **more))

    assert (reply.status, reply.error.code) == (status, code)
    assert nothing_happened(events)


@pytest.mark.parametrize("role", [Role.STAFF, Role.VIEWER])
def test_who_may_not_check_out_is_refused(api, events, role):
    store = a_buyer()
    cart = a_cart(store, (a_product(), 1))

    assert api.as_member(store, role).post("", checkout_of(cart)).status == 403
    assert nothing_happened(events)


def test_the_limit_of_checkouts_counts_per_store(api):
    store = a_buyer()

    statuses = [api.as_staff_of(store).post("", checkout_of(uuid4())).status for _ in range(11)]

    assert statuses == [404] * 10 + [429]


@pytest.mark.parametrize(("lines", "vendors"), [(1, 1), (40, 8)])
def test_a_checkout_costs_the_same_few_statements_whatever_its_size(api, statements, lines, vendors):
    store = a_buyer()
    sellers = [a_vendor() for _ in range(vendors)]
    for seller in sellers:
        a_promo(seller)
    wanted = [(a_product(sellers[n % vendors]), 1) for n in range(lines)]
    cart = a_cart(store, *wanted, promos={seller.id: "SPRING10" for seller in sellers})
    flag(Flag.ALLOW_ACH)

    with statements() as counted:
        api.as_staff_of(store).post("", checkout_of(cart))

    assert (counted.requests, counted.sql, counted.redis) == (1, 9, 3)
    assert (count(Order), count(OrderLine)) == (vendors, lines)


def test_a_connection_plans_the_statements_of_a_quote_and_a_checkout_once(api, monkeypatch):
    parsed = []
    whole = driver.Connection.send_PARSE

    def noted(connection, name, statement, oids):
        if not statement.startswith(("SAVEPOINT", "RELEASE SAVEPOINT")):
            parsed.append(statement)
        whole(connection, name, statement, oids)

    monkeypatch.setattr(driver.Connection, "send_PARSE", noted)
    for _ in range(2):
        store, products = a_buyer(), [a_product(), a_product()]
        caller = api.as_staff_of(store)
        parsed.clear()
        cart = a_cart(store, *((product, 2) for product in products))
        assert caller.post("", checkout_of(cart)).status == 201

    assert parsed == []


def test_a_bank_transfer_is_taken_where_the_flag_allows_it(api):
    store, other = a_buyer(), a_buyer()
    allow_ach(store)

    taken = api.as_staff_of(store).post("", checkout_of(a_cart(store, (a_product(), 1)), payment_method="ach"))
    refused = api.as_staff_of(other).post("", checkout_of(a_cart(other, (a_product(), 1)), payment_method="ach"))

    intent = {"method": "ach", "status": "pending", "amount_cents": 2_500}
    assert (taken.status, taken.data["vendor_orders"][0]["payment_intent"]) == (201, intent)
    assert (refused.status, refused.error.reason) == (422, "ach_not_allowed")
    assert count(Order) == 1


def test_the_flags_are_read_only_on_a_cold_instance(api, statements):
    store = a_buyer()
    allow_ach(store)
    costs = []

    for method in ("ach", "ach", "cash"):
        cart = a_cart(store, (a_product(), 1))
        with statements() as counted:
            api.as_staff_of(store).post("", checkout_of(cart, payment_method=method))
        costs.append(counted.sql)

    assert costs == [8, 7, 7]
