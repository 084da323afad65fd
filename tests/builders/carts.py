"""Carts, quoted as the cart function would, and the body that checks them out."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from shared.ads.claims import AdClaims
from shared.ads.tokens import mint
from shared.catalog.models import Product
from shared.identity.addresses import Address
from shared.identity.models import Store
from shared.kit.db import transaction
from shared.orders.intent import QuoteRequest, WantedItem, WantedPromo
from shared.orders.quoting import quote

HOME = Address(**Address.example)


def a_cart(
    buyer: Store, *wanted: tuple[Product, int], promos: dict[UUID, str] | None = None, ads: Sequence[AdClaims] = ()
) -> UUID:
    """The id of a fresh active cart for `buyer`; `promos` maps a vendor to a code, `ads` are offered as tokens."""
    request = QuoteRequest(
        items=[WantedItem(product_id=product.id, quantity=qty) for product, qty in wanted],
        vendor_promos=[WantedPromo(vendor_store_id=vendor, code=code) for vendor, code in (promos or {}).items()],
        attribution_tokens=[mint(claims) for claims in ads],
    )
    with transaction() as session:
        cart_id: UUID = quote(session, buyer.id, request).cart["id"]
        return cart_id


def checkout_of(cart_id: UUID, **more: Any) -> dict[str, Any]:
    """The body of a checkout, paid in cash."""
    return {"cart_id": str(cart_id), "shipping_address": HOME.model_dump(), "payment_method": "cash", **more}
