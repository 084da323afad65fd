"""What a line, a vendor's part and a cart cost. Integer cents; a fraction is rounded half-up once per line.

This is the only place that prices anything; orders take their figures from the cart that was priced here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from shared.catalog.models import PromoKind
from shared.kit.money import percent_of


@dataclass(frozen=True, slots=True)
class Tier:
    """From `min_qty` on, the whole line is `percent` (0-100) cheaper."""

    min_qty: int
    percent: Decimal


@dataclass(frozen=True, slots=True)
class LinePrice:
    """`total = subtotal - discount`."""

    tier: Tier | None
    subtotal_cents: int
    discount_cents: int

    @property
    def total_cents(self) -> int:
        return self.subtotal_cents - self.discount_cents


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums of a vendor's part. `total = subtotal - line_discounts - promo_discount`, never negative."""

    subtotal_cents: int
    line_discounts_cents: int
    promo_discount_cents: int

    @property
    def total_cents(self) -> int:
        return self.subtotal_cents - self.line_discounts_cents - self.promo_discount_cents


def tier_for(qty: int, tiers: Iterable[Tier]) -> Tier | None:
    """The tier with the greatest minimum that `qty` reaches."""
    reached = [tier for tier in tiers if tier.min_qty <= qty]
    return max(reached, key=lambda tier: tier.min_qty, default=None)


def price_line(unit_price_cents: int, qty: int, tiers: Iterable[Tier]) -> LinePrice:
    """The price of `qty` units under the tier that applies to the whole line."""
    subtotal = unit_price_cents * qty
    tier = tier_for(qty, tiers)
    return LinePrice(tier, subtotal, percent_of(subtotal, tier.percent) if tier else 0)


def promo_discount(kind: PromoKind, value: Decimal, base_cents: int) -> int:
    """What a promo takes off `base_cents`: a percentage rounded half-up, or fixed cents, never more than the base."""
    wanted = percent_of(base_cents, value) if kind is PromoKind.PERCENT else int(value)
    return min(wanted, base_cents)


def sum_lines(lines: Sequence[LinePrice], promo_discount_cents: int = 0) -> Totals:
    """The totals over lines; the promo is capped by what is left of them."""
    subtotal = sum(line.subtotal_cents for line in lines)
    discounts = sum(line.discount_cents for line in lines)
    return Totals(subtotal, discounts, min(promo_discount_cents, subtotal - discounts))
