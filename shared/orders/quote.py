"""The authoritative quote: a buyer's intent against what is offered, made into priced items and groups.

Pure: the same intent, offers, promos and moment always give the same quote. It never refuses; what
cannot be ordered is in it, with the reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from shared.catalog.visibility import VendorRefusal
from shared.orders.intent import Merged, QuoteRequest
from shared.orders.models import GroupStatus, ItemStatus
from shared.orders.offers import Offer
from shared.orders.pricing import LinePrice, Totals, price_line, sum_lines
from shared.orders.promos import Promo, PromoRefusal
from shared.orders.warnings import Warned, WarningType, warning


@dataclass(frozen=True, slots=True)
class QuotedItem:
    """One product of a quote. `qty` is what is priced; `offer` is none for a product that is not there."""

    product_id: UUID
    requested_qty: int
    qty: int
    status: ItemStatus
    price: LinePrice
    offer: Offer | None
    warnings: list[Warned]


@dataclass(frozen=True, slots=True)
class QuotedGroup:
    """One vendor's part of a quote, over its `ok` items."""

    vendor_store_id: UUID
    vendor_name: str
    status: GroupStatus
    totals: Totals
    promo: Promo | None
    warnings: list[Warned]


@dataclass(frozen=True, slots=True)
class Quote:
    """The whole answer. `warnings` are about codes for vendors that are not part of it."""

    items: list[QuotedItem]
    groups: list[QuotedGroup]
    warnings: list[Warned] = field(default_factory=list)

    @property
    def subtotal_cents(self) -> int:
        return sum(group.totals.subtotal_cents for group in self._ok_groups)

    @property
    def total_cents(self) -> int:
        return sum(group.totals.total_cents for group in self._ok_groups)

    @property
    def _ok_groups(self) -> list[QuotedGroup]:
        return [group for group in self.groups if group.status is GroupStatus.OK]


_NOTHING = LinePrice(None, 0, 0)
_GROUP_WARNINGS = {
    VendorRefusal.SUSPENDED: WarningType.VENDOR_SUSPENDED,
    VendorRefusal.LICENSE_INVALID: WarningType.LICENSE_INVALID,
}


def make_quote(
    request: QuoteRequest,
    *,
    offers: Mapping[UUID, Offer],
    promos: Sequence[Promo],
    former_prices: Mapping[UUID, int],
    now: datetime,
) -> Quote:
    """The quote for an intent. `former_prices` are the unit prices of the buyer's previous quote, in cents."""
    items = [
        _quote_item(product_id, wanted, offers.get(product_id), former_prices.get(product_id))
        for product_id, wanted in request.merged().items()
    ]
    codes = {wanted.vendor_store_id: wanted.code for wanted in request.vendor_promos}
    members: dict[UUID, list[QuotedItem]] = {}
    for item in items:
        if item.offer is not None:
            members.setdefault(item.offer.vendor_store_id, []).append(item)
    groups = [_quote_group(vendor, held, codes.get(vendor), promos, now) for vendor, held in members.items()]
    strays = [
        warning(WarningType.INVALID_PROMO, code=code, vendor_store_id=str(vendor), reason=PromoRefusal.WRONG_VENDOR)
        for vendor, code in codes.items()
        if vendor not in members
    ]
    return Quote(items, groups, strays)


def _quote_item(product_id: UUID, wanted: Merged, offer: Offer | None, former_price: int | None) -> QuotedItem:
    refusal = _item_refusal(wanted, offer)
    if offer is None or refusal is not None:
        told = refusal or warning(WarningType.PRODUCT_INVALID)
        return QuotedItem(product_id, wanted.quantity, wanted.quantity, ItemStatus.INVALID, _NOTHING, offer, [told])
    qty, warnings = _clamp(wanted.quantity, offer)
    if qty == 0:
        return QuotedItem(
            product_id, wanted.quantity, wanted.quantity, ItemStatus.NOT_AVAILABLE, _NOTHING, offer, warnings
        )
    if former_price is not None and former_price != offer.unit_price_cents:
        warnings.append(warning(WarningType.PRICE_CHANGED, from_cents=former_price, to_cents=offer.unit_price_cents))
    price = price_line(offer.unit_price_cents, qty, offer.tiers)
    return QuotedItem(product_id, wanted.quantity, qty, ItemStatus.OK, price, offer, warnings)


def _item_refusal(wanted: Merged, offer: Offer | None) -> Warned | None:
    """Why a product cannot be ordered at all: it is not offered, its vendor may not sell, or it is another's."""
    if offer is None or not offer.offered:
        return warning(WarningType.PRODUCT_INVALID)
    if offer.vendor_refusal is not None:
        return warning(WarningType.VENDOR_INVALID, reason=offer.vendor_refusal)
    if wanted.vendor_store_ids - {offer.vendor_store_id}:
        return warning(WarningType.VENDOR_MISMATCH)
    return None


def _clamp(quantity: int, offer: Offer) -> tuple[int, list[Warned]]:
    """The quantity that can be ordered (0 for none) and what was done to get there."""
    if offer.available_qty < offer.moq:
        return 0, [warning(WarningType.NOT_AVAILABLE, available_qty=offer.available_qty, moq=offer.moq)]
    warnings: list[Warned] = []
    qty = quantity
    if qty < offer.moq:
        warnings.append(warning(WarningType.CLAMPED_TO_MOQ, requested_qty=quantity, moq=offer.moq))
        qty = offer.moq
    if offer.max_qty is not None and qty > offer.max_qty:
        warnings.append(warning(WarningType.CLAMPED_TO_MAX, requested_qty=quantity, max_qty=offer.max_qty))
        qty = offer.max_qty
    if qty > offer.available_qty:
        warnings.append(
            warning(WarningType.CLAMPED_TO_AVAILABLE, requested_qty=quantity, available_qty=offer.available_qty)
        )
        qty = offer.available_qty
    return qty, warnings


def _quote_group(
    vendor_store_id: UUID, items: Sequence[QuotedItem], code: str | None, promos: Sequence[Promo], now: datetime
) -> QuotedGroup:
    offer = next(item.offer for item in items if item.offer is not None)
    priced = [item.price for item in items if item.status is ItemStatus.OK]
    warnings: list[Warned] = []
    if offer.vendor_refusal is not None:
        kind = _GROUP_WARNINGS.get(offer.vendor_refusal, WarningType.VENDOR_INVALID)
        warnings.append(warning(kind, reason=offer.vendor_refusal))
    totals, promo = sum_lines(priced), None
    if code is not None:
        base = totals.total_cents
        promo, refusal = _applicable_promo(vendor_store_id, code, promos, base, now)
        if refusal is not None:
            warnings.append(warning(WarningType.INVALID_PROMO, code=code, reason=refusal))
        if promo is not None:
            totals = sum_lines(priced, promo.discount(base))
    status = GroupStatus.OK if priced else GroupStatus.INVALID
    return QuotedGroup(vendor_store_id, offer.vendor_name, status, totals, promo, warnings)


def _applicable_promo(
    vendor_store_id: UUID, code: str, promos: Sequence[Promo], base_cents: int, now: datetime
) -> tuple[Promo | None, PromoRefusal | None]:
    """The vendor's promo with this code, or why there is none to apply."""
    same_code = [promo for promo in promos if promo.code.lower() == code.lower()]
    own = next((promo for promo in same_code if promo.store_id == vendor_store_id), None)
    if own is None:
        return None, PromoRefusal.WRONG_VENDOR if same_code else PromoRefusal.UNKNOWN
    refusal = own.refusal(base_cents, now)
    return (None, refusal) if refusal is not None else (own, None)
