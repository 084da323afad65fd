"""Products with their stock, tiers and promos."""

import itertools
from datetime import timedelta
from decimal import Decimal
from typing import Any

from shared.catalog.models import Category, Classification, Product, PromoKind, Unit, VendorPromo, VolumeDiscount
from shared.identity.models import Store
from shared.inventory.models import InventoryItem, InventoryMovement, MovementReason
from shared.kit import clock
from shared.kit.db import transaction
from shared.kit.ids import new_id
from tests.builders.stores import a_vendor

_numbers = itertools.count(1)


def a_product(
    vendor: Store | None = None,
    *,
    available_qty: int = 100,
    low_stock_threshold: int = 0,
    tiers: dict[int, str] | None = None,
    **fields: Any,
) -> Product:
    """An active product at $25.00 with 100 in stock; `tiers` maps a minimum quantity to a percentage."""
    n = next(_numbers)
    vendor = vendor or a_vendor()
    product = Product(
        **{
            "id": new_id(),
            "vendor_store_id": vendor.id,
            "vendor_name": vendor.name,
            "sku": f"SKU-{n:05d}",
            "title": f"Blue Dream {n}",
            "category": Category.FLOWER,
            "classification": Classification.HYBRID,
            "strain": "Blue Dream",
            "unit": Unit.EIGHTH,
            "moq": 1,
            "price_cents": 2_500,
            "thc_percent": Decimal("21.50"),
            "cbd_percent": Decimal("0.10"),
            **fields,
        }
    )
    with transaction() as session:
        session.add(product)
        session.flush()
        session.add(
            InventoryItem(product_id=product.id, available_qty=available_qty, low_stock_threshold=low_stock_threshold)
        )
        session.add(
            InventoryMovement(
                product_id=product.id,
                delta_available_qty=available_qty,
                delta_reserved_qty=0,
                reason=MovementReason.INITIAL,
                actor="system",
            )
        )
        for min_qty, percent in (tiers or {}).items():
            session.add(VolumeDiscount(product_id=product.id, min_qty=min_qty, discount_percent=Decimal(percent)))
    return product


def a_promo(vendor: Store, **fields: Any) -> VendorPromo:
    """Ten percent off with the code SPRING10, running since yesterday."""
    promo = VendorPromo(
        **{
            "id": new_id(),
            "store_id": vendor.id,
            "code": "SPRING10",
            "kind": PromoKind.PERCENT,
            "value": Decimal(10),
            "starts_at": clock.now() - timedelta(days=1),
            **fields,
        }
    )
    with transaction() as session:
        session.add(promo)
    return promo
