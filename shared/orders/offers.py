"""What a buyer could order right now: products with their stock, tiers and vendors, loaded by one statement."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ARRAY, RowMapping, String, Uuid, any_, bindparam, cast, func, select
from sqlalchemy.orm import Session

from shared.catalog.models import Product, VolumeDiscount
from shared.catalog.visibility import ANY_BUYER, BuyerPlace, VendorRefusal, product_offered, vendor_refusal
from shared.identity.models import Store
from shared.inventory.models import InventoryItem
from shared.kit.db import planned_once
from shared.orders.pricing import Tier


@dataclass(frozen=True, slots=True)
class Offer:
    """A product as it stands: `offered` is false when it is inactive or archived."""

    product_id: UUID
    vendor_store_id: UUID
    title: str
    sku: str
    category: str
    strain: str | None
    classification: str | None
    unit: str
    thumbnail_url: str | None
    thc_percent: Decimal | None
    cbd_percent: Decimal | None
    moq: int
    max_qty: int | None
    unit_price_cents: int
    offered: bool
    vendor_name: str
    vendor_refusal: VendorRefusal | None
    available_qty: int
    tiers: tuple[Tier, ...]

    @property
    def is_visible(self) -> bool:
        return self.offered and self.vendor_refusal is None


_TIERS = (
    select(func.json_agg(func.json_build_array(VolumeDiscount.min_qty, cast(VolumeDiscount.discount_percent, String))))
    .where(VolumeDiscount.product_id == Product.id)
    .scalar_subquery()
)


_OFFERS = planned_once(
    select(
        Product.id.label("product_id"),
        Product.vendor_store_id,
        Product.title,
        Product.sku,
        cast(Product.category, String).label("category"),
        Product.strain,
        cast(Product.classification, String).label("classification"),
        cast(Product.unit, String).label("unit"),
        Product.thumbnail_url,
        Product.thc_percent,
        Product.cbd_percent,
        Product.moq,
        Product.max_qty,
        Product.price_cents.label("unit_price_cents"),
        product_offered().label("offered"),
        func.coalesce(Store.dba_name, Store.company_name).label("vendor_name"),
        vendor_refusal(ANY_BUYER).label("vendor_refusal"),
        func.coalesce(InventoryItem.available_qty, 0).label("available_qty"),
        _TIERS.label("tiers"),
    )
    .join(Store, Store.id == Product.vendor_store_id)
    .outerjoin(InventoryItem, InventoryItem.product_id == Product.id)
    .where(Product.id == any_(bindparam("product_ids", type_=ARRAY(Uuid))))
)


def load_offers(session: Session, buyer: BuyerPlace, product_ids: Iterable[UUID]) -> dict[UUID, Offer]:
    """The products there are among `product_ids`, as this buyer could order them. One statement."""
    rows = session.execute(_OFFERS, {"product_ids": list(product_ids), **buyer.parameters})
    return {row["product_id"]: _offer(row) for row in rows.mappings()}


def _offer(row: RowMapping) -> Offer:
    tiers = tuple(Tier(min_qty, Decimal(percent)) for min_qty, percent in row["tiers"] or ())
    refusal = row["vendor_refusal"]
    return Offer(**{**row, "tiers": tiers, "vendor_refusal": VendorRefusal(refusal) if refusal else None})
