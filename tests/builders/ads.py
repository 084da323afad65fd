"""Ad tokens, as serving and tracking would hand them out."""

from typing import Any

from shared.ads.claims import AdClaims, AdEvent, Placement, TargetType
from shared.ads.tokens import mint
from shared.catalog.models import Product
from shared.identity.models import Store
from shared.kit import clock
from shared.kit.ids import new_id


def some_claims(buyer: Store, target: Store | Product, **fields: Any) -> AdClaims:
    """A click of `buyer` on an ad for a vendor or a product, just now."""
    is_product = isinstance(target, Product)
    return AdClaims(
        **{
            "token_id": new_id(),
            "ad_id": new_id(),
            "creative_id": new_id(),
            "placement": Placement.PRODUCT if is_product else Placement.STORE,
            "target_type": TargetType.PRODUCT if is_product else TargetType.STORE,
            "target_id": target.id,
            "vendor_store_id": target.vendor_store_id if is_product else target.id,
            "buyer_store_id": buyer.id,
            "event": AdEvent.CLICK,
            "bid_cents": 1_200,
            "request_id": str(new_id()),
            "destination": f"/products/{target.id}" if is_product else f"/stores/{target.id}",
            "occurred_at": clock.now(),
            **fields,
        }
    )


def an_ad_token(buyer: Store, target: Store | Product, **fields: Any) -> str:
    """The token of such a click."""
    return mint(some_claims(buyer, target, **fields))
