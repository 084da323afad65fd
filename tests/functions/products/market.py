"""A market drawn by lot, and what plain Python says of it: which offers pass which filters, and in which order.

Nothing here is read from the code under test.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from shared.catalog.models import Product, VolumeDiscount
from shared.identity.models import KycStatus, Store
from shared.inventory.models import InventoryItem
from shared.kit import clock
from shared.kit.db import transaction
from shared.kit.tables import insert_together
from tests.builders.products import a_product, a_promo
from tests.builders.stores import OKLAHOMA_CITY, TULSA, a_vendor

WORDS = ["lemon", "gelato", "kush", "diesel", "mango", "frost"]
"""Words that are far from one another, each its own stem and none of them too common to be searched."""

CATEGORIES, CLASSIFICATIONS = ["flower", "edible", "vape"], ["sativa", "indica", None]
STRAINS = ["Amnesia", "Blue Dream", "Zkittlez", None]
FEELINGS, FLAVORS, USAGE = ["happy", "calm", "sleepy"], ["pine", "sweet"], ["sleep", "nausea"]
PRICES, MOQS, STOCKS = [500, 1_000, 1_001, 9_900], [1, 10], [0, 1, 10, 50]
PERCENTS = [None, Decimal("0.00"), Decimal("5.25"), Decimal("21.00")]
NORMAN = {"lat": 35.2226, "lng": -97.4395}


@dataclass(frozen=True)
class Vendor:
    """A vendor and what follows from it: where it stands in the order of distance, and whether it sells here."""

    store: Store
    far: int
    has_promo: bool = False
    sells: bool = True


def vendors() -> list[Vendor]:
    """Two in town, one of them with a promo; one near and one far; and four that do not sell to Oklahoma City."""
    promoting = a_vendor(company_name="Prairie Lemon")
    a_promo(promoting)
    return [
        Vendor(a_vendor(company_name="Gelato Works"), 0),
        Vendor(promoting, 0, has_promo=True),
        Vendor(a_vendor(company_name="Norman", delivery_radius_meters=40_000, **NORMAN), 1),
        Vendor(a_vendor(company_name="Far Kush", **TULSA), 2),
        Vendor(a_vendor(delivery_radius_meters=157_285, **TULSA), 2, sells=False),
        Vendor(a_vendor(kyc_status=KycStatus.EXPIRED), 0, sells=False),
        Vendor(a_vendor(subscription_active=False), 0, sells=False),
        Vendor(a_vendor(state="TX", **OKLAHOMA_CITY), 0, sells=False),
    ]


@dataclass(frozen=True)
class Offer:
    """A product as it was drawn; `vendor` and `tick` (when it was made) stand for themselves in the database."""

    vendor: int
    tick: int
    category: str
    classification: str | None
    strain: str | None
    price_cents: int
    thc_percent: Decimal | None
    cbd_percent: Decimal | None
    feelings: tuple[str, ...]
    flavors: tuple[str, ...]
    usage: tuple[str, ...]
    moq: int
    available: int
    has_tier: bool
    state: str
    title: tuple[str, ...]
    subtitle: tuple[str, ...]
    id: UUID


def draw_offers(lot: Random, count: int) -> list[Offer]:
    """So many offers; four of five are visible, and each value of a trait is on a good part of them."""
    return [_drawn(lot) for _ in range(count)]


def _drawn(lot: Random) -> Offer:
    return Offer(
        id=UUID(int=lot.getrandbits(128)),
        vendor=lot.choice([0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 3, lot.choice([4, 5, 6, 7])]),
        tick=lot.randrange(5),
        category=lot.choice(CATEGORIES),
        classification=lot.choice(CLASSIFICATIONS),
        strain=lot.choice(STRAINS),
        price_cents=lot.choice(PRICES),
        thc_percent=lot.choice(PERCENTS),
        cbd_percent=lot.choice(PERCENTS),
        feelings=_some(lot, FEELINGS),
        flavors=_some(lot, FLAVORS),
        usage=_some(lot, USAGE),
        moq=lot.choice(MOQS),
        available=lot.choice(STOCKS),
        has_tier=lot.random() < 0.4,
        state=lot.choice([*["offered"] * 8, "inactive", "archived"]),
        title=_some(lot, WORDS),
        subtitle=_some(lot, WORDS),
    )


def _some(lot: Random, values: Sequence[str]) -> tuple[str, ...]:
    return tuple(lot.sample(values, lot.randrange(3)))


class Market:
    """The offers in the database, and the same offers in plain Python."""

    def __init__(self) -> None:
        self.start = clock.now() - timedelta(days=1)
        self.vendors = vendors()
        self.offers: list[Offer] = []
        # A word that no product holds would be taken for the nearest one; so each is held by something hidden.
        a_product(title=" ".join(WORDS), is_active=False)

    def add(self, offers: Iterable[Offer]) -> None:
        added = list(offers)
        self.offers += added
        tiers = [{"product_id": offer.id, "min_qty": 10, "discount_percent": "5"} for offer in added if offer.has_tier]
        stock = [
            {
                "product_id": offer.id,
                "available_qty": offer.available,
                "low_stock_threshold": 0,
                "reserved_qty": 0,
                "version": 1,
                "low_stock_told": False,
            }
            for offer in added
        ]
        with transaction() as session:
            insert_together(
                session,
                (Product, [self._row(offer) for offer in added]),
                (VolumeDiscount, tiers),
                (InventoryItem, stock),
            )

    def _row(self, offer: Offer) -> dict[str, Any]:
        vendor = self.vendors[offer.vendor].store
        made_at = self.start + timedelta(seconds=offer.tick)
        same = ("id", "category", "classification", "strain", "price_cents", "thc_percent", "cbd_percent", "moq")
        return {
            **{name: getattr(offer, name) for name in same},
            **{name: list(getattr(offer, name)) for name in ("feelings", "flavors", "usage")},
            "vendor_store_id": vendor.id,
            "vendor_name": vendor.name,
            "sku": sku_of(offer),
            "title": " ".join(["Jar", *offer.title]),
            "subtitle": " ".join(offer.subtitle) or None,
            "unit": "unit",
            "is_active": offer.state != "inactive",
            "is_featured": False,
            "tags": [],
            "rating_count": 0,
            "rating_sum": 0,
            "deleted_at": made_at if offer.state == "archived" else None,
            "created_at": made_at,
            "updated_at": made_at,
        }

    def matching(self, query: dict[str, Any], *, but: str = "") -> list[Offer]:
        """The offers that the buyer sees and that pass every filter; `but` leaves one out."""
        filters = [(FILTERS[name], value) for name, value in query.items() if name != but]
        return [
            offer
            for offer in self.offers
            if offer.state == "offered"
            and self.vendors[offer.vendor].sells
            and all(holds(self, offer, value) for holds, value in filters)
        ]

    def key(self, offer: Offer, sort: str, words: Sequence[str]) -> tuple[Any, ...]:
        """What an offer is sorted by, so that the smallest comes first."""
        vendor = self.vendors[offer.vendor]
        falling = -offer.id.int
        return {
            "relevance": (not set(words) <= self._named(offer), -offer.tick, falling),
            "newest": (-offer.tick, falling),
            "price": (offer.price_cents, offer.id.int),
            "-price": (-offer.price_cents, falling),
            "thc": (-(offer.thc_percent or 0), falling),
            "distance": (vendor.far, vendor.store.id.int, offer.id.int),
        }[sort]

    def facet(self, name: str, query: dict[str, Any]) -> list[dict[str, Any]]:
        """The values of a trait among what passes the other filters, the most frequent first."""
        values = [value for offer in self.matching(query, but=name) for value in self._traits(offer, name)]
        counted = sorted(Counter(values).items(), key=lambda item: (-item[1], item[0][0]))
        return [{"value": value, "label": label, "count": count} for (value, label), count in counted]

    def _traits(self, offer: Offer, name: str) -> list[tuple[str, str]]:
        if name == "vendor_store_id":
            store = self.vendors[offer.vendor].store
            return [(str(store.id), store.name)]
        held = getattr(offer, name)
        return [(value, value) for value in (held if isinstance(held, tuple) else [held]) if value is not None]

    def _named(self, offer: Offer) -> set[str]:
        return {"jar", *offer.title, *(offer.strain or "").lower().split(), sku_of(offer).lower()}

    def holds(self, offer: Offer, words: Sequence[str]) -> bool:
        elsewhere = {*offer.subtitle, *self.vendors[offer.vendor].store.name.lower().split()}
        return set(words) <= self._named(offer) | elsewhere


def sku_of(offer: Offer) -> str:
    """A letter and a number, which full text takes for one word."""
    return f"S{offer.id.int}"


def _percent(compare: Callable[[Decimal, Decimal], bool], name: str) -> Callable[[Market, Offer, Any], bool]:
    def holds(_: Market, offer: Offer, bound: Decimal) -> bool:
        percent = getattr(offer, name)
        return percent is not None and compare(percent, bound)

    return holds


FILTERS: dict[str, Callable[[Market, Offer, Any], bool]] = {
    "category": lambda _, offer, wanted: offer.category in wanted,
    "classification": lambda _, offer, wanted: offer.classification in wanted,
    "strain": lambda _, offer, wanted: (offer.strain or "").lower() in [name.lower() for name in wanted],
    "price_min_cents": lambda _, offer, bound: offer.price_cents >= bound,
    "price_max_cents": lambda _, offer, bound: offer.price_cents <= bound,
    "thc_min": _percent(lambda percent, bound: percent >= bound, "thc_percent"),
    "thc_max": _percent(lambda percent, bound: percent <= bound, "thc_percent"),
    "cbd_min": _percent(lambda percent, bound: percent >= bound, "cbd_percent"),
    "cbd_max": _percent(lambda percent, bound: percent <= bound, "cbd_percent"),
    "has_promo": lambda market, offer, wanted: wanted is (offer.has_tier or market.vendors[offer.vendor].has_promo),
    "vendor_store_id": lambda market, offer, wanted: offer.vendor in wanted,
    "feelings": lambda _, offer, wanted: bool({*offer.feelings} & {*wanted}),
    "flavors": lambda _, offer, wanted: bool({*offer.flavors} & {*wanted}),
    "usage": lambda _, offer, wanted: bool({*offer.usage} & {*wanted}),
    "in_stock": lambda _, offer, wanted: wanted is (offer.available >= offer.moq),
    "q": lambda market, offer, words: market.holds(offer, words),
}
"""For each filter, whether an offer passes it with this value."""


def _any_of(*values: Any) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True)


_FLOORS = st.sampled_from([Decimal(0), Decimal(0), Decimal("5.25"), Decimal(100)])
_CEILINGS = st.sampled_from([Decimal("5.25"), Decimal(6), Decimal(100), Decimal(0)])
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "category": _any_of(*CATEGORIES),
    "classification": _any_of("sativa", "indica"),
    "strain": _any_of("AMNESIA", "blue dream", "Zkittlez", "Nobody's"),
    "price_min_cents": st.sampled_from([1_000, 500, 1_001, 9_901]),
    "price_max_cents": st.sampled_from([1_000, 9_900, 499]),
    "thc_min": _FLOORS,
    "thc_max": _CEILINGS,
    "cbd_min": _FLOORS,
    "cbd_max": _CEILINGS,
    "has_promo": st.booleans(),
    "vendor_store_id": _any_of(0, 1, 2, 3, 4),
    "feelings": _any_of(*FEELINGS),
    "flavors": _any_of(*FLAVORS),
    "usage": _any_of(*USAGE),
    "in_stock": st.booleans(),
}


def queries(most: int) -> st.SearchStrategy[dict[str, Any]]:
    """Any of the filters, so many at most, with values that some offers pass."""
    names = st.lists(st.sampled_from(sorted(_VALUES)), max_size=most, unique=True)
    return names.flatmap(lambda chosen: st.fixed_dictionaries({name: _VALUES[name] for name in chosen}))
