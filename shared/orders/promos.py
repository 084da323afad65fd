"""Whether a vendor's code applies to its part of a cart, and why not when it does not."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from shared.catalog.models import PromoKind, PromoRedemption, VendorPromo
from shared.orders.pricing import promo_discount


class PromoRefusal(StrEnum):
    UNKNOWN = "unknown"
    WRONG_VENDOR = "wrong_vendor"
    NOT_STARTED = "not_started"
    ENDED = "ended"
    EXHAUSTED = "exhausted"
    BELOW_MINIMUM = "below_minimum"
    LIMIT_REACHED = "limit_reached"


@dataclass(frozen=True, slots=True)
class Promo:
    """A vendor's code, with how often this buyer has used it."""

    id: UUID
    store_id: UUID
    code: str
    kind: PromoKind
    value: Decimal
    min_subtotal_cents: int
    starts_at: datetime
    ends_at: datetime | None
    max_redemptions: int | None
    redeemed_count: int
    per_buyer_limit: int | None
    used_by_buyer: int
    is_active: bool

    def refusal(self, base_cents: int, now: datetime) -> PromoRefusal | None:
        """Why it does not apply to `base_cents` at `now`; none when it does."""
        if now < self.starts_at:
            return PromoRefusal.NOT_STARTED
        if not self.is_active or (self.ends_at is not None and now >= self.ends_at):
            return PromoRefusal.ENDED
        if self.max_redemptions is not None and self.redeemed_count >= self.max_redemptions:
            return PromoRefusal.EXHAUSTED
        if self.per_buyer_limit is not None and self.used_by_buyer >= self.per_buyer_limit:
            return PromoRefusal.LIMIT_REACHED
        return PromoRefusal.BELOW_MINIMUM if base_cents < self.min_subtotal_cents else None

    def discount(self, base_cents: int) -> int:
        """What it takes off, in cents."""
        return promo_discount(self.kind, self.value, base_cents)


_COLUMNS = (
    VendorPromo.id,
    VendorPromo.store_id,
    VendorPromo.code,
    VendorPromo.kind,
    VendorPromo.value,
    VendorPromo.min_subtotal_cents,
    VendorPromo.starts_at,
    VendorPromo.ends_at,
    VendorPromo.max_redemptions,
    VendorPromo.redeemed_count,
    VendorPromo.per_buyer_limit,
)
_USED = (
    select(func.count())
    .where(PromoRedemption.promo_id == VendorPromo.id, PromoRedemption.buyer_store_id == bindparam("buyer_store_id"))
    .scalar_subquery()
)
_PROMOS = select(*_COLUMNS, _USED.label("used_by_buyer"), VendorPromo.is_active).where(
    VendorPromo.code.in_(bindparam("codes", expanding=True)),
    VendorPromo.store_id.in_(bindparam("vendors", expanding=True)),
)


def list_promos(
    session: Session, buyer_store_id: UUID, *, codes: Collection[str], vendor_store_ids: Iterable[UUID]
) -> list[Promo]:
    """The promos with these codes at these vendors, by one statement; none is asked for no codes."""
    if not codes:
        return []
    asked = {"codes": list(codes), "vendors": list(vendor_store_ids), "buyer_store_id": buyer_store_id}
    return [Promo(**row) for row in session.execute(_PROMOS, asked).mappings()]
