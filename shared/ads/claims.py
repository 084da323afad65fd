"""What an ad token says: which ad was shown to or clicked by whom, where, when and at which bid."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Placement(StrEnum):
    """Where an ad is shown."""

    HERO = "hero"
    STORE = "store"
    PRODUCT = "product"


class TargetType(StrEnum):
    """What an ad leads to; `target_id` is a store or a product."""

    STORE = "store"
    PRODUCT = "product"


class AdEvent(StrEnum):
    IMPRESSION = "impression"
    CLICK = "click"


@dataclass(frozen=True, slots=True)
class AdClaims:
    """The claims of one token. `bid_cents` is for a thousand impressions, `destination` a relative path."""

    token_id: UUID
    ad_id: UUID
    creative_id: UUID
    placement: Placement
    target_type: TargetType
    target_id: UUID
    vendor_store_id: UUID
    buyer_store_id: UUID
    event: AdEvent
    bid_cents: int
    request_id: str
    destination: str
    occurred_at: datetime
