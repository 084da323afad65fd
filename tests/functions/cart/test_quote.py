"""The authoritative quote: every clamp, every refusal, every sum."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update

from shared.catalog.models import Product, PromoKind
from shared.identity.models import KycStatus
from shared.identity.permissions import Role
from shared.inventory.models import InventoryItem
from shared.kit import clock
from shared.kit.db import read_only, transaction
from shared.orders.models import Cart, CartItem
from tests.builders.products import a_product, a_promo
from tests.builders.stores import TULSA, a_buyer, a_vendor


def wanting(*wanted, **more):
    items = [
        {"product_id": str(product if not isinstance(product, Product) else product.id), "quantity": qty}
        for product, qty in wanted
    ]
    return {"items": items, **more}


def types(warnings):
    return [warned["type"] for warned in warnings]


def stock():
    with read_only() as session:
        return list(session.execute(select(InventoryItem.available_qty, InventoryItem.reserved_qty)))


def carts():
    with read_only() as session:
        return session.scalar(select(func.count()).select_from(Cart))


def test_a_quote_over_two_vendors_prices_tiers_promos_and_sums(api):
    ann, bob = a_vendor(company_name="Ann's Farm"), a_vendor(company_name="Bob's Grow")
    flower = a_product(ann, price_cents=333, tiers={10: "2.5", 50: "10"})
    vape = a_product(ann, price_cents=1_999)
    edible = a_product(bob, price_cents=1_250)
    a_promo(ann, code="Spring10")
    a_promo(bob, code="FIVE", kind=PromoKind.FIXED, value=Decimal(500))

    reply = api.as_staff_of(a_buyer()).post(
        "",
        wanting(
            (flower, 50),
            (edible, 2),
            (vape, 3),
            vendor_promos=[
                {"vendor_store_id": str(ann.id), "code": "SPRING10"},
                {"vendor_store_id": str(bob.id), "code": "FIVE"},
            ],
        ),
    )

    assert reply.status == 200
    assert [(item["title"], item["qty"], item["line_total_cents"]) for item in reply.data["items"]] == [
        (flower.title, 50, 14_985),
        (edible.title, 2, 2_500),
        (vape.title, 3, 5_997),
    ]
    assert [
        (g["vendor_name"], g["subtotal_cents"], g["line_discounts_cents"], g["promo_discount_cents"], g["total_cents"])
        for g in reply.data["vendor_groups"]
    ] == [("Ann's Farm", 22_647, 1_665, 2_098, 18_884), ("Bob's Grow", 2_500, 0, 500, 2_000)]
    assert (reply.data["subtotal_cents"], reply.data["discounts_cents"], reply.data["total_cents"]) == (
        25_147,
        4_263,
        20_884,
    )
    assert reply.data["expired"] is False


@pytest.mark.parametrize(
    ("fields", "asked", "status", "qty", "warned"),
    [
        ({"moq": 10}, 4, "ok", 10, ["clamped_to_moq"]),
        ({"max_qty": 5}, 9, "ok", 5, ["clamped_to_max"]),
        ({"available_qty": 7}, 9, "ok", 7, ["clamped_to_available"]),
        ({"moq": 5, "max_qty": 20, "available_qty": 8}, 50, "ok", 8, ["clamped_to_max", "clamped_to_available"]),
        ({"moq": 10, "available_qty": 9}, 10, "not_available", 10, ["not_available"]),
        ({"available_qty": 0}, 1, "not_available", 1, ["not_available"]),
        ({"is_active": False}, 1, "invalid", 1, ["product_invalid"]),
        ({"deleted_at": clock.now()}, 1, "invalid", 1, ["product_invalid"]),
    ],
)
def test_quantities_are_clamped_and_what_is_not_offered_is_told(api, fields, asked, status, qty, warned):
    product = a_product(**fields)

    reply = api.as_staff_of(a_buyer()).post("", wanting((product, asked)))

    (item,) = reply.data["items"]
    assert (reply.status, item["status"], item["qty"], types(item["warnings"])) == (200, status, qty, warned)
    assert item["line_total_cents"] == (qty * 2_500 if status == "ok" else 0)
    assert reply.data["vendor_groups"][0]["status"] == ("ok" if status == "ok" else "invalid")


@pytest.mark.parametrize(
    ("fields", "group_warning", "reason"),
    [
        ({"kyc_status": KycStatus.SUSPENDED}, "vendor_suspended", "suspended"),
        ({"kyc_status": KycStatus.EXPIRED}, "license_invalid", "license_invalid"),
        ({"subscription_active": False}, "vendor_invalid", "not_subscribed"),
        ({"state": "TX"}, "vendor_invalid", "other_state"),
        ({"delivery_radius_meters": 50_000, **TULSA}, "vendor_invalid", "out_of_radius"),
        ({"deleted_at": clock.now()}, "vendor_invalid", "deleted"),
    ],
)
def test_a_vendor_that_may_not_sell_makes_its_items_invalid_and_keeps_its_products_to_itself(
    api, fields, group_warning, reason
):
    product = a_product(a_vendor(**fields))

    reply = api.as_staff_of(a_buyer()).post("", wanting((product, 1)))

    (item,), (group,) = reply.data["items"], reply.data["vendor_groups"]
    assert (item["status"], types(item["warnings"]), item["title"], item["unit_price_cents"]) == (
        "invalid",
        ["vendor_invalid"],
        "",
        0,
    )
    assert (group["status"], types(group["warnings"])) == ("invalid", [group_warning])
    assert group["warnings"][0]["details"] == {"reason": reason}
    assert reply.data["total_cents"] == 0


def test_within_the_radius_the_vendor_sells(api):
    product = a_product(a_vendor(delivery_radius_meters=200_000, **TULSA))

    reply = api.as_staff_of(a_buyer()).post("", wanting((product, 1)))

    assert reply.data["items"][0]["status"] == "ok"


def test_unknown_products_and_wrong_vendors_are_told_apart(api):
    product = a_product()
    body = wanting((uuid4(), 1), (product, 1))
    body["items"][1]["vendor_store_id"] = str(uuid4())

    reply = api.as_staff_of(a_buyer()).post("", body)

    assert [(item["status"], types(item["warnings"])) for item in reply.data["items"]] == [
        ("invalid", ["product_invalid"]),
        ("invalid", ["vendor_mismatch"]),
    ]


def test_repeated_products_are_merged_in_the_order_they_first_appear(api):
    one, two = a_product(), a_product()

    reply = api.as_staff_of(a_buyer()).post("", wanting((one, 2), (two, 1), (one, 3)))

    assert [(item["title"], item["qty"]) for item in reply.data["items"]] == [(one.title, 5), (two.title, 1)]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"starts_at": clock.now() + timedelta(hours=1)}, "not_started"),
        ({"ends_at": clock.now() - timedelta(hours=1)}, "ended"),
        ({"is_active": False}, "ended"),
        ({"max_redemptions": 3, "redeemed_count": 3}, "exhausted"),
        ({"per_buyer_limit": 0}, "limit_reached"),
        ({"min_subtotal_cents": 2_501}, "below_minimum"),
        ({"code": "OTHER"}, "unknown"),
    ],
)
def test_a_code_that_does_not_apply_says_why(api, fields, reason):
    vendor = a_vendor()
    product = a_product(vendor)
    a_promo(vendor, **fields)

    reply = api.as_staff_of(a_buyer()).post(
        "", wanting((product, 1), vendor_promos=[{"vendor_store_id": str(vendor.id), "code": "spring10"}])
    )

    (group,) = reply.data["vendor_groups"]
    assert (group["promo_discount_cents"], group["total_cents"], group["promo_code"]) == (0, 2_500, None)
    assert group["warnings"][0]["details"] == {"code": "spring10", "reason": reason}


def test_items_are_counted_by_status_and_warnings_by_type_wherever_they_stand(api, metrics):
    lost = a_vendor(kyc_status=KycStatus.SUSPENDED)
    body = wanting((a_product(moq=10), 4), (a_product(), 1), (a_product(lost), 1), (uuid4(), 1))
    strange = {"vendor_store_id": str(uuid4()), "code": "SPRING10"}

    api.as_staff_of(a_buyer()).post("", {**body, "vendor_promos": [strange]})

    assert metrics.of("quote_items") == [{"status": "ok", "value": 2}, {"status": "invalid", "value": 2}]
    assert {line["type"]: line["value"] for line in metrics.of("quote_warnings")} == {
        "clamped_to_moq": 1,
        "vendor_invalid": 1,
        "product_invalid": 1,
        "vendor_suspended": 1,
        "invalid_promo": 1,
    }


def test_a_code_of_another_vendor_is_told_as_such(api):
    one, two = a_vendor(), a_vendor()
    a_promo(two)

    reply = api.as_staff_of(a_buyer()).post(
        "",
        wanting(
            (a_product(one), 1),
            (a_product(two), 1),
            vendor_promos=[
                {"vendor_store_id": str(one.id), "code": "SPRING10"},
                {"vendor_store_id": str(uuid4()), "code": "SPRING10"},
            ],
        ),
    )

    assert reply.data["vendor_groups"][0]["warnings"][0]["details"]["reason"] == "wrong_vendor"
    assert reply.data["warnings"][0]["details"]["reason"] == "wrong_vendor"


def test_a_changed_price_is_told_with_both_prices(api):
    product = a_product()
    buyer = api.as_staff_of(a_buyer())
    buyer.post("", wanting((product, 1)))
    with transaction() as session:
        session.execute(update(Product).where(Product.id == product.id).values(price_cents=2_600))

    reply = buyer.post("", wanting((product, 1)))

    (warned,) = reply.data["items"][0]["warnings"]
    assert (warned["type"], warned["details"]) == ("price_changed", {"from_cents": 2_500, "to_cents": 2_600})
    assert reply.data["total_cents"] == 2_600


def test_a_product_that_had_no_price_in_the_former_quote_has_no_changed_one(api):
    product = a_product(is_active=False)
    buyer = api.as_staff_of(a_buyer())
    buyer.post("", wanting((product, 1)))
    with transaction() as session:
        session.execute(update(Product).where(Product.id == product.id).values(is_active=True))

    (item,) = buyer.post("", wanting((product, 1))).data["items"]

    assert (item["status"], item["unit_price_cents"], item["warnings"]) == ("ok", 2_500, [])


def test_a_new_quote_replaces_the_cart_and_touches_no_stock(api):
    product, store = a_product(), a_buyer()
    buyer = api.as_staff_of(store)

    first = buyer.post("", wanting((product, 1))).data["id"]
    second = buyer.post("", wanting((product, 2))).data["id"]

    assert first != second
    assert buyer.get("").data["id"] == second
    assert carts() == 1
    assert stock() == [(100, 0)]


def test_a_quote_expires_and_can_be_priced_again_from_its_intent(api, freeze):
    product, store = a_product(), a_buyer()
    moment = clock.now()
    freeze(moment)
    api.as_staff_of(store).post("", wanting((product, 4)))

    freeze(moment + timedelta(minutes=14, seconds=59))
    assert api.as_staff_of(store).get("").data["expired"] is False
    freeze(moment + timedelta(minutes=15))
    assert api.as_staff_of(store).get("").data["expired"] is True

    again = api.as_staff_of(store).get("", refresh="true")
    assert (again.data["expired"], again.data["items"][0]["qty"]) == (False, 4)


def test_a_dropped_cart_is_gone(api):
    buyer = api.as_staff_of(a_buyer())
    buyer.post("", wanting((a_product(), 1)))

    assert buyer.delete("").status == 204
    assert (buyer.delete("").status, buyer.get("").status, buyer.get("", refresh="true").status) == (404, 404, 404)
    assert carts() == 0


def test_carts_of_other_stores_are_not_seen(api):
    api.as_staff_of(a_buyer()).post("", wanting((a_product(), 1)))

    assert api.as_staff_of(a_buyer()).get("").status == 404


@pytest.mark.parametrize("status", [status for status in KycStatus if status is not KycStatus.VERIFIED])
def test_a_buyer_that_is_not_verified_gets_no_quote(api, status):
    reply = api.as_staff_of(a_buyer(kyc_status=status)).post("", wanting((a_product(), 1)))

    assert (reply.status, reply.error.reason) == (403, f"kyc_{status}")
    assert carts() == 0


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"items": []}, ["items"]),
        ({"items": [{"product_id": str(uuid4()), "quantity": 1}] * 201}, ["items"]),
        *(
            ({"items": [{"product_id": str(uuid4()), "quantity": odd}]}, ["items[0].quantity"])
            for odd in (0, -1, 1_000_001, 1.5, "1", True, None)
        ),
        ({"items": [{"product_id": "x", "quantity": 1}]}, ["items[0].product_id"]),
        (
            {"items": [{"product_id": str(uuid4()), "quantity": 1, "unit_price_cents": 1}]},
            ["items[0].unit_price_cents"],
        ),
        ({"total_cents": 1}, ["items", "total_cents"]),
    ],
)
def test_bad_bodies_are_refused_and_leave_nothing(api, change, fields):
    reply = api.as_staff_of(a_buyer()).post("", change)

    assert (reply.status, reply.error.fields) == (400, fields)
    assert carts() == 0


def test_a_viewer_and_a_vendor_may_not_quote(api):
    body = wanting((a_product(), 1))

    assert api.as_member(a_buyer(), Role.VIEWER).post("", body).status == 403
    assert api.as_staff_of(a_vendor()).post("", body).status == 403
    assert carts() == 0


@pytest.mark.parametrize(("lines", "vendors"), [(1, 1), (40, 8)])
def test_a_quote_costs_the_same_few_statements_whatever_its_size(api, statements, lines, vendors):
    sellers = [a_vendor() for _ in range(vendors)]
    wanted = [(a_product(sellers[n % vendors]), 1) for n in range(lines)]
    for seller in sellers:
        a_promo(seller)
    promos = [{"vendor_store_id": str(seller.id), "code": "SPRING10"} for seller in sellers]
    buyer = api.as_staff_of(a_buyer())

    with statements() as counted:
        buyer.post("", wanting(*wanted, vendor_promos=promos))

    assert counted.sql == 5
    with read_only() as session:
        assert session.scalar(select(func.count()).select_from(CartItem)) == lines
