"""Products with their stock and their volume discounts."""

from infra.local.console import step
from infra.local.demo.expectations import expect
from infra.local.demo.story import Business, Shelf, Story


def play(story: Story) -> None:
    for vendor in story.vendors:
        for shelf in vendor.shelves:
            vendor.product_ids[shelf.key] = _offer(story, vendor, shelf)


def _offer(story: Story, vendor: Business, shelf: Shelf) -> str:
    body = {
        "sku": f"{shelf.key}-{story.run}",
        "title": shelf.title,
        "category": shelf.category,
        "classification": "hybrid",
        "strain": shelf.title.split(",")[0],
        "unit": shelf.unit,
        "moq": shelf.moq,
        "price_cents": shelf.price_cents,
        "thc_percent": "21.50",
        "cbd_percent": "0.10",
        "inventory": {"available_qty": shelf.available_qty, "low_stock_threshold": 0},
        "volume_discounts": [{"min_qty": least, "discount_percent": off} for least, off in shelf.tiers.items()],
    }
    tiers = ", ".join(f"{off} % from {least}" for least, off in shelf.tiers.items())
    with step(f"{vendor.name}: {shelf.title}, {shelf.available_qty} in stock{f', {tiers}' if tiers else ''}"):
        product = vendor.owner.post("/vendor/products", body, status=201)
        expect((product["title"], product["price_cents"]), (shelf.title, shelf.price_cents), "the product")
    return str(product["id"])
