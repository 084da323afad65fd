"""One vendor accepts everything, the other rejects a line; both pack what they accepted and make the papers."""

import httpx

from infra.local.console import note, step
from infra.local.demo.acts.buying import TOTAL_A, TOTAL_B_WITHOUT_ROSIN
from infra.local.demo.expectations import expect
from infra.local.demo.story import Business, Story


def play(story: Story) -> None:
    _accept_all(story.vendor_a)
    _reject_one(story.vendor_b)
    for vendor in story.vendors:
        _pack(vendor)
        _make_manifest(vendor, story.buyer)


def _accept_all(vendor: Business) -> None:
    with step(f"{vendor.name} accepts all of order {vendor.order_number}"):
        order = vendor.owner.post(f"/vendor/orders/{vendor.order_id}/decision", {"decision": "accept"})
        expect(order["status"], "accepted", "the order")
        expect({line["status"] for line in order["lines"]}, {"accepted"}, "its lines")
        expect(order["total_cents"], TOTAL_A, "its total")


def _reject_one(vendor: Business) -> None:
    with step(f"{vendor.name} rejects the rosin of order {vendor.order_number}"):
        order = vendor.owner.get(f"/orders/{vendor.order_id}")
        decisions = [
            {
                "line_item_id": line["id"],
                "decision": "reject" if line["product_id"] == vendor.product_ids["rosin"] else "accept",
            }
            for line in order["lines"]
        ]
        decided = vendor.owner.post(f"/vendor/orders/{vendor.order_id}/line-items/decision", {"decisions": decisions})
        expect(decided["status"], "partially_accepted", "the order")
        expect(
            (decided["total_cents"], decided["balance_due_cents"], decided["payment_intent"]["amount_cents"]),
            (TOTAL_B_WITHOUT_ROSIN,) * 3,
            "total, balance due and payment without the rejected line",
        )
    note(f"${order['total_cents'] / 100:,.2f} became ${TOTAL_B_WITHOUT_ROSIN / 100:,.2f}")


def _pack(vendor: Business) -> None:
    with step(f"{vendor.name} packs"):
        order = vendor.owner.post(f"/vendor/orders/{vendor.order_id}/fulfill", {})
        expect(
            (order["status"], order["fulfillment_status"]),
            ("ready_for_dispatch", "fulfilled"),
            f"order {vendor.order_number}",
        )


def _make_manifest(vendor: Business, buyer: Business) -> None:
    with step("and makes the transport manifest, which the buyer reads too"):
        made = vendor.owner.post(f"/orders/{vendor.order_id}/manifest", {})
        seen = buyer.owner.get(f"/orders/{vendor.order_id}")["manifest"]
        expect(seen["media_id"], made["media_id"], "the buyer's manifest")
        paper = httpx.get(seen["url"], timeout=30)
        expect((paper.status_code, paper.content[:7]), (200, b"%PDF-1."), "the file")
