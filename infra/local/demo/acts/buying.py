"""A cart over two vendors: one line raised to the least that is sold, one that cannot be had, and a checkout."""

from typing import Any

from infra.local.console import note, step
from infra.local.demo.expectations import expect
from infra.local.demo.story import ADDRESS, Story

# What the prices and tiers of the shelves come to, reckoned by hand.
SUBTOTALS = {"flower": 150_000, "gummies": 7_500, "cart": 23_331, "rosin": 20_000, "soda": 0}
DISCOUNTS = {"flower": 15_000, "gummies": 0, "cart": 583, "rosin": 0, "soda": 0}
TOTAL_A = 150_000 - 15_000 + 7_500
TOTAL_B = 23_331 - 583 + 20_000
TOTAL_B_WITHOUT_ROSIN = 23_331 - 583


def play(story: Story) -> None:
    _browse(story)
    _quote(story)
    _check_out(story)


def _browse(story: Story) -> None:
    owner = story.buyer.owner
    with step(f"{story.buyer.name} browses the catalogue"):
        for vendor in story.vendors:
            seen = owner.get("/products", vendor_store_id=vendor.store_id)
            expect({one["id"] for one in seen}, set(vendor.product_ids.values()), f"what is seen of {vendor.name}")
        found = owner.get("/products", q="blue dream", vendor_store_id=story.vendor_a.store_id)
        expect([one["id"] for one in found], [story.vendor_a.product_ids["flower"]], "what a search finds")


def _quote(story: Story) -> None:
    items = [
        {"product_id": vendor.product_ids[shelf.key], "quantity": shelf.wanted_qty, "vendor_store_id": vendor.store_id}
        for vendor in story.vendors
        for shelf in vendor.shelves
    ]
    with step(f"A cart of {len(items)} lines over 2 vendors is quoted"):
        cart = story.cart = story.buyer.owner.post("/cart", {"items": items})
        lines = {one["product_id"]: one for one in cart["items"]}
        for vendor in story.vendors:
            for key, product_id in vendor.product_ids.items():
                _expect_line(key, lines[product_id])
        expect(
            {group["vendor_store_id"]: group["total_cents"] for group in cart["vendor_groups"]},
            {story.vendor_a.store_id: TOTAL_A, story.vendor_b.store_id: TOTAL_B},
            "the totals by vendor",
        )
        expect(
            (cart["subtotal_cents"], cart["discounts_cents"], cart["total_cents"]),
            (200_831, 15_583, TOTAL_A + TOTAL_B),
            "the sums of the cart",
        )
    note(f"gummies raised to the least of 6, soda not available, {_dollars(cart['total_cents'])} in all")


def _expect_line(key: str, line: dict[str, Any]) -> None:
    wanted = {
        "flower": ("ok", 60, []),
        "gummies": ("ok", 6, ["clamped_to_moq"]),
        "cart": ("ok", 7, []),
        "rosin": ("ok", 5, []),
        "soda": ("not_available", 5, ["not_available"]),
    }[key]
    told = (line["status"], line["qty"], [warning["type"] for warning in line["warnings"]])
    expect(told[:1] + told[2:], wanted[:1] + wanted[2:], f"status and warnings of {key}")
    if wanted[0] == "ok":
        expect(told[1], wanted[1], f"the quantity of {key}")
        expect(
            (line["line_subtotal_cents"], line["line_discount_cents"], line["line_total_cents"]),
            (SUBTOTALS[key], DISCOUNTS[key], SUBTOTALS[key] - DISCOUNTS[key]),
            f"the price of {key}",
        )


def _check_out(story: Story) -> None:
    owner = story.buyer.owner
    with step(f"{story.buyer.name} checks out, to pay in cash"):
        [way, *_] = owner.get("/checkout/shipping-options")
        body = {
            "cart_id": story.cart["id"],
            "shipping_address": ADDRESS,
            "payment_method": "cash",
            "shipping_line": {"code": way["code"]},
            "buyer_notes": "Back door, please",
        }
        done = owner.post("/checkout", body, status=201)
        again = owner.post("/checkout", body, status=200)
        expect(
            [order["id"] for order in again["vendor_orders"]],
            [order["id"] for order in done["vendor_orders"]],
            "the orders of the same cart checked out twice",
        )
    story.checkout_group_id = done["checkout_group_id"]
    orders = {order["vendor_store_id"]: order for order in done["vendor_orders"]}
    expect(set(orders), {vendor.store_id for vendor in story.vendors}, "the vendors with an order")
    for vendor, total_cents in zip(story.vendors, (TOTAL_A, TOTAL_B), strict=True):
        order = orders[vendor.store_id]
        vendor.order_id, vendor.order_number = order["id"], order["order_number"]
        expect(
            (order["status"], order["total_cents"], order["balance_due_cents"], order["payment_intent"]["status"]),
            ("created_pending", total_cents, total_cents, "unpaid"),
            f"the order with {vendor.name}",
        )
        note(f"order {vendor.order_number} with {vendor.name}: {_dollars(total_cents)}")


def _dollars(cents: int) -> str:
    return f"${cents / 100:,.2f}"
