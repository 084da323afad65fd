"""The catalogue as it grows: every list and filter that buyers and vendors read, at 10,000 to a million products.

`PF_BENCH_PRODUCTS=10000` names other sizes; the databases are made once and kept under `.local/bench`.
`PLANS=folder` keeps the plan of each statement there. A plan that reads a large table whole ends the run.
Beside what the clock says stands the processor time of function and database together, which is what the clock would
say on an idle machine. The floor is the same products by their primary key, sent by the bare driver: what any page
costs that shows them.
"""

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import select

from infra.local.services import Servers
from shared.catalog.browse import BrowseQuery
from shared.catalog.models import Product
from shared.catalog.sorting import Sort, order_by
from shared.catalog.visibility import get_buyer_place
from shared.catalog.walk import Walk
from shared.identity.models import Store
from shared.identity.permissions import Role
from shared.kit.context import Work, working
from shared.kit.db import read_only
from shared.kit.pagination import page_from
from tests.api import Answer, Client
from tests.performance import catalogue
from tests.performance.commerce import unlimited
from tests.performance.driver import BareDriver, Statement, recorded
from tests.performance.kept import kept_cluster, kept_database
from tests.performance.plans import Plans
from tests.performance.processor import Processor
from tests.performance.table import Figure, milliseconds, show, timed

SIZES, ROUNDS = "10000,100000,1000000", 15
SLOW_S = 1.0
"""What takes longer is asked for three times only."""

# Below that, reading a table whole may well be the best plan.
LARGE = 100_000
TABLES = {"products", "inventory_items", "product_volume_discounts", "wishlist_items"}
_BY_KEY = "SELECT * FROM products WHERE id = ANY(CAST(%s AS uuid[]))"

Ask = Callable[[], Answer]


@dataclass
class Read:
    """A request, and what the quality bars want of it."""

    what: str
    ask: Ask
    goal: str = ""


def run(_: Servers) -> None:
    """Print a table for each size of the catalogue, and how the medians grew."""
    unlimited()
    # What takes too long for a request is measured, not broken off.
    os.environ["PF_STATEMENT_TIMEOUT_MS"] = "0"
    medians: dict[str, list[str]] = {}
    with kept_cluster() as server:
        for size in [int(part) for part in os.environ.get("PF_BENCH_PRODUCTS", SIZES).split(",")]:
            fill = partial(catalogue.fill, size)
            with kept_database(server, f"catalogue_{size}", fill, made_from=[catalogue]) as url:
                plans = Plans(TABLES, os.environ.get("PLANS"), f"{size}")
                figures = [_figure(url, read, plans, medians) for read in _reads(size)]
                vendors = f"{catalogue.vendors_of(size):,} vendors"
                show(f"Catalogue: {size:,} products of {vendors}, whole request in process", figures)
                plans.tell()
                assert size < LARGE or not plans.scanning, plans.scanning
    show(
        "Growth of p50 / processor time (database pages)",
        [Figure(what, " → ".join(found)) for what, found in medians.items()],
    )


def _reads(size: int) -> list[Read]:
    from functions.products.main import main as products
    from functions.stores.main import main as stores
    from functions.wishlist.main import main as wishlist

    with read_only() as session:
        buyer = session.scalars(select(Store).where(Store.slug == catalogue.BUYER_SLUG)).one()
        vendor = session.scalars(select(Store).where(Store.slug == "bench-vendor-0")).one()
    api = Client.of(products).as_member(buyer, Role.OPS)
    own = Client.of(products).as_member(vendor, Role.OPS)
    around = Client.of(stores).as_member(buyer, Role.OPS)
    wishes = Client.of(wishlist, "/api/v1/wishlist").as_member(buyer, Role.OPS)
    grid = api.under("/api/v1/products")
    product = grid.get(limit=1).data[0]["id"]
    deep = {sort: _cursor_at(buyer, sort, size // 2) for sort in (Sort.NEWEST, Sort.PRICE)}
    return [
        Read("grid: first page", lambda: grid.get(), "p95 ≤ 25 ms"),
        Read("grid: page in the middle", lambda: grid.get(cursor=deep[Sort.NEWEST]), "≤ 1.2 of the first"),
        Read("grid: by price", lambda: grid.get(sort="price"), "p95 ≤ 25 ms"),
        Read("grid: by price, in the middle", lambda: grid.get(sort="price", cursor=deep[Sort.PRICE]), "≤ 1.2"),
        Read("grid: dearest first", lambda: grid.get(sort="-price"), "p95 ≤ 25 ms"),
        Read("grid: strongest first", lambda: grid.get(sort="thc"), "p95 ≤ 25 ms"),
        Read("grid: nearest first", lambda: grid.get(sort="distance"), "p95 ≤ 25 ms"),
        *(Read(f"grid: {_told(query)}", partial(grid.get, **query), "p95 ≤ 25 ms") for query in _queries(vendor)),
        Read("words: common", lambda: grid.get(q=catalogue.COMMON), "p95 ≤ 60 ms"),
        Read("words: three common", lambda: grid.get(q="blue dream gummies"), "p95 ≤ 60 ms"),
        Read("words: on three products", lambda: grid.get(q=catalogue.RARE), "p95 ≤ 60 ms"),
        Read("words: a vendor's name", lambda: grid.get(q="tallgrass farms"), "p95 ≤ 60 ms"),
        Read("words: a sku", lambda: grid.get(q="FL-0000007"), "p95 ≤ 60 ms"),
        Read("words: misspelled", lambda: grid.get(q="bleu draem"), "p95 ≤ 60 ms"),
        Read("words: none such", lambda: grid.get(q="qualmont balm tahoe"), "p95 ≤ 60 ms"),
        Read("words: common, by price", lambda: grid.get(q=catalogue.COMMON, sort="price"), "p95 ≤ 60 ms"),
        Read("words: common, edible", lambda: grid.get(q=catalogue.COMMON, category="edible"), "p95 ≤ 60 ms"),
        Read("facets: seven", lambda: grid.get(limit=1, facets=_FACETS), "< 5 s, the timeout"),
        Read(
            "facets: of a category and a strain",
            lambda: grid.get(facets=_FACETS, category="vape", strain="ACDC"),
            "< 5 s",
        ),
        Read("total", lambda: grid.get(limit=1, include_total="true")),
        Read("one product", lambda: grid.get(f"/{product}")),
        Read("vendor's table", lambda: own.get("/api/v1/vendor/products")),
        Read("vendor's table: low stock", lambda: own.get("/api/v1/vendor/products", low_stock="true")),
        Read("vendor's table: archived", lambda: own.get("/api/v1/vendor/products", status="archived")),
        Read("vendor's table: words", lambda: own.get("/api/v1/vendor/products", q="gelato")),
        Read("vendor's stock", lambda: own.get("/api/v1/inventory")),
        Read("vendor's stock: low", lambda: own.get("/api/v1/inventory", low_stock="true")),
        Read("directory: nearest first", lambda: around.get("/api/v1/stores/vendors")),
        Read("directory: within 50 km", lambda: around.get("/api/v1/stores/vendors", radius_m=50_000)),
        Read("directory: by name", lambda: around.get("/api/v1/stores/vendors", sort="name")),
        Read("storefront: products", lambda: around.get(f"/api/v1/stores/{vendor.id}/products")),
        Read("wishlist", lambda: wishes.get()),
        Read("wishlist: ids", lambda: wishes.get("/ids")),
    ]


_FACETS = "category,classification,strain,feelings,flavors,usage,vendor_store_id"


def _queries(vendor: Store) -> list[dict[str, str]]:
    """Each filter alone, then some together."""
    return [
        {"category": "edible"},
        {"category": "accessory"},
        {"classification": "cbd"},
        {"strain": "harlequin"},
        {"price_min_cents": "11000"},
        {"price_max_cents": "400"},
        {"thc_min": "28"},
        {"thc_max": "2"},
        {"cbd_min": "1.95"},
        {"cbd_max": "0.02"},
        {"has_promo": "true"},
        {"has_promo": "false"},
        {"vendor_store_id": str(vendor.id)},
        {"feelings": "sleepy"},
        {"flavors": "cheese"},
        {"usage": "nausea"},
        {"in_stock": "true"},
        {"in_stock": "false"},
        {"category": "flower", "classification": "indica", "price_max_cents": "3000", "in_stock": "true"},
        {"category": "seedling", "strain": "acdc", "sort": "price"},
        {"category": "tincture", "feelings": "calm", "usage": "sleep", "has_promo": "true", "sort": "-price"},
        {"category": "topical", "thc_min": "20", "sort": "distance"},
    ]


def _told(query: dict[str, str]) -> str:
    return ", ".join(name if name == "vendor_store_id" else f"{name} {value}" for name, value in query.items())


def _cursor_at(buyer: Store, sort: Sort, place: int) -> str:
    """The cursor that a page would end with whose last product has so many before it, visible or not."""
    order = order_by(sort)
    with read_only() as session:
        marks = select(*order.marks()).where(Product.is_active, Product.deleted_at.is_(None))
        row = session.execute(marks.order_by(*order.clauses(backwards=False)).offset(place).limit(1)).one()
        walk = Walk(get_buyer_place(session, buyer.id), sort, lambda _: [])
    query = BrowseQuery(limit=1, sort=None if sort is Sort.NEWEST else sort)
    with working(Work("products", "bench", action="functions.products.grid.list_products")):
        cursor = page_from(lambda _: [row, row], query, walk.order).next
    assert cursor is not None
    return cursor


def _figure(url: str, read: Read, plans: Plans, medians: dict[str, list[str]]) -> Figure:
    with recorded() as script:
        began_s = time.monotonic()
        answer = read.ask()
    assert answer.status == 200, answer.json
    rounds = ROUNDS if time.monotonic() - began_s < SLOW_S else 3
    pages = plans.look(read.what, script)
    by_key: list[Statement] = [(_BY_KEY, (_ids(answer),))]
    driver = BareDriver(url)
    processor = Processor()
    ours, bare, floor = [], [], []
    for _ in range(rounds):
        with processor:
            ours.append(timed(read.ask))
        bare.append(timed(lambda: driver.run(script)))
        floor.append(timed(lambda: driver.run(by_key)))
    driver.close()
    cpu_ms = processor.ms_of_each(rounds)
    medians.setdefault(read.what, []).append(
        f"{statistics.median(ours) * 1000:.1f} / {cpu_ms:.1f} ms ({pages:,} pages)"
    )
    ratio = statistics.median(ours) / statistics.median(floor)
    sql_ms = statistics.median(bare) * 1000
    value = f"{milliseconds(ours)}, CPU {cpu_ms:.1f} ms; SQL p50 {sql_ms:.1f} ms, {pages:,} pages"
    return Figure(f"{read.what} ({len(script)} statements)", value, milliseconds(floor), f"{ratio:.1f}", read.goal)


def _ids(answer: Answer) -> list[str]:
    """The ids of what is shown."""
    rows: Sequence[Any] = answer.data if isinstance(answer.data, list) else [answer.data]
    return [
        row if isinstance(row, str) else row.get("id") or row.get("product_id") or row["product"]["id"] for row in rows
    ]
