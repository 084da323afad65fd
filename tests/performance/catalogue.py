"""A catalogue of any size by COPY: a million products of two thousand vendors take minutes.

Always the same one for a size. Few vendors have much and many have little, few words are on many products and many
on few; one vendor in five does not sell to the buyer. Indexes are dropped meanwhile and made again at the end, and
triggers wait: foreign keys hold by construction, words and counts are collected at once, stock is not moved here.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random
from typing import Any
from uuid import UUID

from infra.local.seed.strains import STRAINS
from shared.catalog.models import Category, Feeling, Flavor, Usage
from shared.kit import db
from tests.builders.stores import OKLAHOMA_CITY

PER_VENDOR, MIN_VENDORS = 500, 20
WISHES = 100
BUYER_SLUG = "bench-buyer-0"
"""The buyer who looks at all this."""

COMMON, RARE = "reserve", "qualmont"
"""A word on one product in ten, and one on three at any size."""

_FILLED = ("products", "inventory_items", "product_volume_discounts", "wishlist_items")
_NOW = datetime(2026, 11, 1, tzinfo=UTC)
_KINDS = {
    Category.FLOWER: (30, "Flower"),
    Category.PRE_ROLL: (15, "Pre-Roll"),
    Category.EDIBLE: (15, "Gummies"),
    Category.CART: (12, "Cartridge"),
    Category.CONCENTRATE: (8, "Live Resin"),
    Category.VAPE: (7, "Disposable"),
    Category.BEVERAGE: (4, "Seltzer"),
    Category.TOPICAL: (3, "Balm"),
    Category.TINCTURE: (2, "Tincture"),
    Category.SEED: (2, "Seeds"),
    Category.SEEDLING: (1, "Seedling"),
    Category.ACCESSORY: (1, "Grinder"),
}
_WORDS = ("Indoor", "Outdoor", "Craft", "Organic", "Infused", "Classic", "Fresh", "Premium", "Mini", "Large")
_NAMES = ("Red River", "Prairie", "Tallgrass", "Cimarron", "Arbuckle", "Wichita", "Sooner", "Mesa", "Osage", "Ozark")
_TRADES = ("Farms", "Growers", "Labs", "Gardens", "Extracts")
_SYLLABLES = (
    "ba",
    "co",
    "du",
    "fe",
    "gi",
    "ho",
    "ka",
    "lu",
    "me",
    "no",
    "pi",
    "ra",
    "so",
    "tu",
    "ve",
    "wi",
    "ya",
    "zo",
)

Row = Sequence[Any]


def vendors_of(size: int) -> int:
    """How many vendors sell so many products."""
    return max(MIN_VENDORS, size // PER_VENDOR)


def buyers_of(size: int) -> int:
    """How many dispensaries look at so many products; Oklahoma has about one for two growers."""
    return vendors_of(size) // 2


def fill(size: int) -> None:
    """Fill an empty, migrated database; afterwards statistics and visibility are as autovacuum would leave them."""
    connection = db.engine().raw_connection()
    driver: Any = connection.driver_connection
    # Its settings are nothing for others: it is closed afterwards, not handed back to the pool.
    connection.detach()
    try:
        driver.autocommit = True
        _fill(driver.cursor(), size)
    finally:
        driver.close()


def _fill(cursor: Any, size: int) -> None:
    """Copy every table, with indexes made and statistics taken at the end."""
    for setting in ("statement_timeout = 0", "session_replication_role = replica", "maintenance_work_mem = '512MB'"):
        cursor.execute(f"SET {setting}")
    cursor.execute(_INDEXES, (list(_FILLED),))
    indexes = cursor.fetchall()
    for _, name in indexes:
        cursor.execute(f"DROP INDEX {name}")
    for table, rows in _Catalogue(size).tables():
        columns = ", ".join(_COLUMNS[table])
        cursor.execute(f"COPY {table} ({columns}) FROM STDIN WITH (FORMAT csv, NULL '\\N')", stream=_lines(rows))
    for definition, _ in indexes:
        cursor.execute(definition)
    cursor.execute(_LEARN)
    cursor.execute(_COUNT)
    cursor.execute("VACUUM ANALYZE")


_INDEXES = """
    SELECT indexdef, quote_ident(indexname) FROM pg_indexes
    WHERE tablename = ANY(CAST(%s AS text[])) AND NOT starts_with(indexname, 'pk_')
"""
# As the triggers of the migrations do for each statement.
_LEARN = r"""
    INSERT INTO product_words (word)
    SELECT DISTINCT heard.word FROM products, regexp_split_to_table(
        lower(concat_ws(' ', title, strain, subtitle, vendor_name)), '[^[:alpha:]]+') AS heard (word)
    WHERE length(heard.word) BETWEEN 3 AND 40
"""
_COUNT = """
    INSERT INTO product_counts (vendor_store_id, facet, value, count)
    SELECT vendor_store_id, facet, value, count(*)
    FROM products, traits_of(vendor_store_id, category, classification, strain, feelings, flavors, usage)
    WHERE is_active AND deleted_at IS NULL
    GROUP BY vendor_store_id, facet, value ORDER BY vendor_store_id, facet, value
"""


def _lines(rows: Iterable[Row]) -> Iterator[bytes]:
    rows = iter(rows)
    while some := list(islice(rows, 1_000)):
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(
            [r"\N" if cell is None else cell for cell in row] for row in some
        )
        yield text.getvalue().encode()


_COLUMNS = {
    "stores": (
        *("id", "type", "company_name", "slug", "kyc_status", "subscription_active", "delivery_radius_meters"),
        *("line1", "city", "state", "postal_code", "lat", "lng", "categories", "created_at"),
    ),
    "vendor_promos": ("id", "store_id", "code", "kind", "value", "starts_at", "created_at"),
    "products": (
        *(
            "id",
            "vendor_store_id",
            "vendor_name",
            "sku",
            "title",
            "subtitle",
            "body_html",
            "category",
            "classification",
        ),
        *("strain", "unit", "moq", "price_cents", "thc_percent", "cbd_percent", "feelings", "flavors", "usage"),
        *("is_active", "deleted_at", "created_at", "updated_at"),
    ),
    "inventory_items": ("product_id", "available_qty", "low_stock_threshold"),
    "product_volume_discounts": ("product_id", "min_qty", "discount_percent"),
    "wishlists": ("id", "store_id", "created_at"),
    "wishlist_items": ("wishlist_id", "product_id", "title", "created_at"),
}
_BODY = "<p>Grown under lights, trimmed by hand, cured for three weeks and tested in Oklahoma.</p>" * 2


class _Catalogue:
    """The rows of every table, each made when it is asked for; `n` numbers vendors and `k` products."""

    def __init__(self, size: int) -> None:
        self.size, self.vendors, self.buyers = size, vendors_of(size), buyers_of(size)
        self._step = timedelta(days=3 * 365) / size
        lot = Random(7)
        self._rare = ["".join(lot.choices(_SYLLABLES, k=4)) for _ in range(3_000)]

    def tables(self) -> Iterator[tuple[str, Iterable[Row]]]:
        yield "stores", self._stores()
        yield "vendor_promos", self._promos()
        yield "products", map(self._product, range(self.size))
        yield "inventory_items", ((self._id(k), (0, 5, 40, 400)[k % 4], 10) for k in range(self.size))
        yield "product_volume_discounts", ((self._id(k), 10, 5) for k in range(0, self.size, 5))
        yield "wishlists", ((_uuid(b, 2), _uuid(b, 1), _NOW) for b in range(self.buyers))
        yield "wishlist_items", self._wishes()

    def _stores(self) -> Iterator[Row]:
        lot = Random(11)
        for n in range(self.vendors):
            kyc = "expired" if n % 10 == 9 else "verified"
            state = "TX" if n % 20 == 1 else "OK"
            radius = 150_000 if n % 3 == 0 else 0
            place = (lot.uniform(33.7, 36.9), lot.uniform(-99.9, -94.5))
            categories = '["flower", "edible"]' if n % 2 else '["pre_roll"]'
            yield self._store(n, "vendor", _vendor_name(n), kyc, n % 13 != 12, radius, state, place, categories)
        for b in range(self.buyers):
            place = (OKLAHOMA_CITY["lat"], OKLAHOMA_CITY["lng"])
            yield self._store(b, "buyer", f"Mesa Dispensary {b}", "verified", False, 0, "OK", place, "[]")

    def _store(
        self,
        n: int,
        kind: str,
        name: str,
        kyc: str,
        subscribed: bool,
        radius: int,
        state: str,
        place: tuple[float, float],
        categories: str,
    ) -> Row:
        id_ = _uuid(n, 0 if kind == "vendor" else 1)
        head = (id_, kind, name, f"bench-{kind}-{n}", kyc, subscribed, radius)
        return (*head, f"{n} Main St", "Oklahoma City", state, "73102", *place, categories, _NOW)

    def _promos(self) -> Iterator[Row]:
        for n in range(0, self.vendors, 25):
            yield _uuid(n, 3), _uuid(n, 0), "SPRING10", "percent", 10, _NOW, _NOW

    def _product(self, k: int) -> Row:
        lot = Random(k)
        n = int(self.vendors * lot.random() ** 2)
        strain = STRAINS[int(len(STRAINS) * lot.random() ** 1.5)]
        category = lot.choices(list(_KINDS), [share for share, _ in _KINDS.values()])[0]
        words = [lot.choice(_WORDS)] * (lot.random() < 0.5) + [lot.choice(self._rare)] * (lot.random() < 0.1)
        words += [COMMON] * (lot.random() < 0.1) + [RARE] * (k % (self.size // 3) == self.size // 7)
        made_at = self._made_at(k)
        archived = lot.random() < 0.03
        return (
            *(self._id(k), _uuid(n, 0), _vendor_name(n), f"{category[:2].upper()}-{k:07}"),
            " ".join([*words, strain.name, _KINDS[category][1]]).capitalize(),
            *(f"Lot {lot.randrange(1_000)}" if lot.random() < 0.3 else None, _BODY, category.value),
            *(strain.classification.value if lot.random() < 0.9 else None, strain.name, "unit", (1, 1, 4, 10)[k % 4]),
            *(lot.randrange(300, 12_000, 5), f"{lot.uniform(*strain.thc):.2f}", f"{lot.uniform(0, 2):.2f}"),
            *(_array(lot, Feeling), _array(lot, Flavor), _array(lot, Usage)),
            *(lot.random() < 0.95, made_at if archived else None, made_at, made_at),
        )

    def _wishes(self) -> Iterator[Row]:
        for b in range(self.buyers):
            for k in Random(b).sample(range(self.size), WISHES):
                yield _uuid(b, 2), self._id(k), "Wished for", self._made_at(k)

    def _made_at(self, k: int) -> datetime:
        return _NOW - k * self._step

    def _id(self, k: int) -> UUID:
        """A UUIDv7 (RFC 9562): the milliseconds of its making, then what looks like chance."""
        millis = int(self._made_at(k).timestamp() * 1_000)
        return UUID(int=millis << 80 | 0x7 << 76 | 0x8 << 60 | (k * 0x9E3779B97F4A7C15) % 2**60)


def _uuid(n: int, kind: int) -> UUID:
    return UUID(int=0x0199 << 112 | kind << 80 | 0x7 << 76 | 0x8 << 60 | (n * 0x9E3779B97F4A7C15) % 2**60)


def _vendor_name(n: int) -> str:
    return f"{_NAMES[n % 10]} {_TRADES[n // 10 % 5]} {n}"


def _array(lot: Random, kinds: Iterable[Any]) -> str:
    return "{" + ",".join(kind.value for kind in lot.sample(list(kinds), lot.randrange(4))) + "}"
