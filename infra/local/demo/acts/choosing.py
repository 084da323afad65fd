"""The dispensary looks around: who delivers to it, what they have, and what it would like to have."""

from typing import Any

from infra.local.console import note, step
from infra.local.demo.expectations import Unexpected, expect
from infra.local.demo.story import Business, Story

_AROUND_METERS = 30_000


def play(story: Story) -> None:
    for vendor in story.vendors:
        _find(story, vendor)
        _look_in(story, vendor)
    _wish(story)


def _find(story: Story, vendor: Business) -> None:
    """Page by page, as every telling on this stack has vendors of these names in the same town."""
    owner, query = story.buyer.owner, {"q": vendor.name, "radius_m": str(_AROUND_METERS), "limit": "100"}
    with step(f"{story.buyer.name} finds {vendor.name} in town"):
        page = owner.answer("GET", "/stores/vendors", 200, query=query)
        while (found := _among(page["data"], vendor)) is None and page["page"]["next"]:
            page = owner.answer("GET", "/stores/vendors", 200, query=query | {"cursor": page["page"]["next"]})
        if found is None:
            raise Unexpected("the vendor in the directory", None, vendor.name)
        expect((found["name"], found["distance_meters"] <= _AROUND_METERS), (vendor.name, True), "the vendor found")


def _among(vendors: list[dict[str, Any]], wanted: Business) -> dict[str, Any] | None:
    return next((one for one in vendors if one["id"] == wanted.store_id), None)


def _look_in(story: Story, vendor: Business) -> None:
    owner = story.buyer.owner
    with step(f"{story.buyer.name} looks into its storefront"):
        head = owner.get(f"/stores/vendors/{vendor.store_id}")
        expect((head["name"], head["delivers"]), (vendor.name, True), "the storefront")
        shown = owner.get(f"/stores/{vendor.store_id}/products")
        expect({one["id"] for one in shown}, set(vendor.product_ids.values()), "what it shows")
        expect(owner.get(f"/stores/{vendor.store_id}/orders"), [], "what was ordered there so far")


def _wish(story: Story) -> None:
    owner = story.buyer.owner
    wanted = [story.vendor_a.product_ids["flower"], story.vendor_b.product_ids["soda"]]
    with step("Two products go onto its wishlist, one of them twice"):
        for product_id, status in ((wanted[0], 201), (wanted[1], 201), (wanted[1], 200)):
            owner.post("/wishlist/items", {"product_id": product_id}, status=status)
        expect(owner.get("/wishlist/ids"), wanted[::-1], "the wishlist")
        expect(owner.get(f"/products/{wanted[0]}")["is_wishlisted"], True, "whether the product is marked")
    note("the soda is sold by five, and there are two")
