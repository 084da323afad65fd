"""What the vendors offer: fifty products each, with prices, tiers, stock, potency, pictures and lab reports."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from itertools import product as combinations
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from infra.local.demo.pdf import one_page
from infra.local.seed.files import File, Files
from infra.local.seed.forms import FORMS, Form
from infra.local.seed.pictures import picture
from infra.local.seed.stores import SeededStore
from infra.local.seed.strains import STRAINS, Strain
from shared.catalog.models import Category, Product, VolumeDiscount
from shared.inventory.stock import OpeningStock, open_stock
from shared.kit import clock
from shared.kit.ids import new_id
from shared.kit.tables import insert_all
from shared.media.kinds import MediaKind
from shared.media.models import EntityType

PER_VENDOR = 50
_TIERS = ((), (), ((4, "4"),), ((4, "3"), (10, "6.5")), ((3, "2.5"), (8, "5"), (20, "9")))
"""Volume discounts, drawn by lot: from so many times the smallest order on, so many percent."""

_TESTED = frozenset({Category.FLOWER, Category.CONCENTRATE, Category.CART})


@dataclass
class Assortment:
    """Rows of the vendors' products, their tiers and their stock; written at once."""

    products: list[dict[str, Any]] = field(default_factory=list)
    tiers: list[dict[str, Any]] = field(default_factory=list)
    stock: list[OpeningStock] = field(default_factory=list)

    def write(self, session: Session) -> None:
        """Insert all of it; stock with its first movements."""
        insert_all(session, Product, self.products)
        insert_all(session, VolumeDiscount, self.tiers)
        open_stock(session, self.stock)


def draw_assortment(vendors: list[SeededStore], rng: Random, files: Files) -> Assortment:
    """Fifty products for each vendor, drawn by lot, with a picture per category and one lab report."""
    drawn = Assortment()
    offers = {vendor.id: list(_offers(vendor, rng)) for vendor in vendors}
    pictures = _upload_pictures(vendors, offers, rng, files)
    reports = files.upload([_lab_report(vendor) for vendor in vendors])
    for vendor, report in zip(vendors, reports, strict=True):
        for n, (form, strain) in enumerate(offers[vendor.id]):
            row = _row(vendor, form, strain, n, rng)
            files.attach(pictures[vendor.id, form.category], EntityType.PRODUCT_GALLERY, row["id"], vendor.id)
            if form.category in _TESTED:
                row["coa_media_id"] = report
                files.attach(report, EntityType.PRODUCT_COA, row["id"], vendor.id)
            drawn.products.append(row)
            drawn.stock.append(_stock(row, form, rng))
            drawn.tiers += [
                {"product_id": row["id"], "min_qty": times * form.moq, "discount_percent": percent}
                for times, percent in rng.choice(_TIERS)
            ]
    return drawn


def _offers(vendor: SeededStore, rng: Random) -> Iterator[tuple[Form, Strain]]:
    forms = FORMS[vendor.trade] if vendor.trade else ()
    return iter(rng.sample(list(combinations(forms, STRAINS)), PER_VENDOR))


def _row(vendor: SeededStore, form: Form, strain: Strain, n: int, rng: Random) -> dict[str, Any]:
    low, high = form.price_cents
    price_cents = round(rng.triangular(low, high), -1).__int__()
    thc_low, thc_high = form.thc or strain.thc
    created_at = clock.now() - timedelta(minutes=rng.randint(60, 120 * 24 * 60))
    return {
        "id": new_id(),
        "vendor_store_id": vendor.id,
        "vendor_name": vendor.name,
        "sku": f"{vendor.named.prefix if vendor.named else ''}-{n + 1:03}",
        "title": f"{strain.name} {form.name}",
        "subtitle": form.subtitle,
        "body_html": f"<p><b>{strain.name}</b> by {vendor.name}. {form.subtitle}.</p>",
        "category": form.category,
        "classification": strain.classification,
        "strain": strain.name,
        "unit": form.unit,
        "moq": form.moq,
        "max_qty": form.moq * 50 if rng.random() < 0.25 else None,
        "price_cents": price_cents,
        "compare_at_price_cents": price_cents * 115 // 100 if rng.random() < 0.12 else None,
        "thc_percent": Decimal(rng.randint(thc_low * 100, thc_high * 100)) / 100,
        "cbd_percent": Decimal(rng.randint(2, 90)) / 100,
        "feelings": list(strain.feelings),
        "flavors": list(strain.flavors),
        "usage": list(form.usage),
        "tags": ["new"] if created_at > clock.now() - timedelta(days=14) else [],
        "is_active": rng.random() < 0.96,
        "is_featured": rng.random() < 0.06,
        "coa_media_id": None,
        "rating_count": 0,
        "rating_sum": 0,
        "created_at": created_at,
        "updated_at": created_at,
    }


def _stock(row: dict[str, Any], form: Form, rng: Random) -> OpeningStock:
    low, high = form.stock_qty
    threshold = max(form.moq, low // 2)
    kind = rng.random()
    if kind < 0.04:
        return OpeningStock(row["id"], 0, threshold)
    available = rng.randint(form.moq, threshold + form.moq) if kind < 0.1 else rng.randint(low, high)
    return OpeningStock(row["id"], available, threshold)


def _upload_pictures(
    vendors: list[SeededStore], offers: dict[UUID, list[tuple[Form, Strain]]], rng: Random, files: Files
) -> dict[tuple[UUID, Category], UUID]:
    """A picture for each category of each vendor."""
    wanted = [
        (vendor, category)
        for vendor in vendors
        for category in sorted({form.category for form, _ in offers[vendor.id]})
    ]
    media_ids = files.upload(
        [
            File(vendor.id, MediaKind.PRODUCT, f"{category}.png", "image/png", picture(category, vendor.name, rng))
            for vendor, category in wanted
        ]
    )
    return {(vendor.id, category): media_id for (vendor, category), media_id in zip(wanted, media_ids, strict=True)}


def _lab_report(vendor: SeededStore) -> File:
    page = one_page("CERTIFICATE OF ANALYSIS", vendor.row["company_name"], "Microbials: pass", "Pesticides: pass")
    return File(vendor.id, MediaKind.COA, f"COA {vendor.name}.pdf", "application/pdf", page)
