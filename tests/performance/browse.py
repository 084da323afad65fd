"""The buyers' grid as the catalogue grows: first page, deep page and words, beside the same statements sent bare.

`python -m tests.performance browse` measures 10,000 and 100,000 products; PF_BENCH_PRODUCTS names other sizes.
"""

import os
import statistics
from collections.abc import Callable
from typing import Any

from sqlalchemy import text

from infra.local.services import Servers
from shared.kit.db import transaction
from tests.api import Answer, Client
from tests.builders.stores import a_buyer
from tests.performance.driver import BareDriver, recorded
from tests.performance.table import Figure, milliseconds, show, timed
from tests.performance.world import fresh_database

ROUNDS = 40
DEEP_PAGE = 40

_VENDORS = text(
    """
    INSERT INTO stores (id, type, company_name, slug, kyc_status, subscription_active, delivery_radius_meters,
                        line1, city, state, postal_code, lat, lng, created_at)
    SELECT gen_random_uuid(), 'vendor', 'Vendor ' || n, 'vendor-' || n,
           CASE WHEN mod(n, 10) = 0 THEN 'expired' ELSE 'verified' END::kyc_status, mod(n, 13) <> 0,
           CASE WHEN mod(n, 3) = 0 THEN 150000 ELSE 0 END,
           n || ' Main St', 'Oklahoma City', CASE WHEN mod(n, 20) = 1 THEN 'TX' ELSE 'OK' END, '73102',
           34.0 + (mod(n, 100)) / 35.0, -99.0 + (mod(n, 77)) / 20.0, now()
    FROM generate_series(1, :vendors) AS n
    """
)
_PRODUCTS = text(
    """
    WITH sellers AS (SELECT id, company_name, row_number() OVER () AS n FROM stores WHERE type = 'vendor'),
    strains AS (
        SELECT ARRAY['Blue Dream', 'Gelato', 'Sour Diesel', 'Northern Lights', 'Wedding Cake'] AS names,
               ARRAY[' Flower ', ' Resin ', ' Gummies ', ' Cartridge ', ' Pre-Roll '] AS kinds
    ),
    made AS (
        INSERT INTO products (id, vendor_store_id, vendor_name, sku, title, strain, category, classification, unit,
                              price_cents, thc_percent, created_at, updated_at)
        SELECT gen_random_uuid(), sellers.id, company_name, 'SKU-' || k,
               strains.names[1 + mod(k, 5)]
               || strains.kinds[1 + mod(k / 5, 5)] || k,
               strains.names[1 + mod(k, 5)],
               (enum_range(NULL::product_category))[1 + mod(k, 12)],
               (enum_range(NULL::product_classification))[1 + mod(k, 6)], 'unit', 500 + mod(k * 37, 9000),
               mod(k, 300) / 10.0,
               now() - make_interval(secs => k), now()
        FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS k
        JOIN sellers ON sellers.n = 1 + mod(k, :vendors) CROSS JOIN strains
        RETURNING id
    )
    INSERT INTO inventory_items (product_id, available_qty) SELECT id, 100 FROM made
    """
)


def run(running: Servers) -> None:
    """Print a table for each size of the catalogue."""
    for size in [int(part) for part in os.environ.get("PF_BENCH_PRODUCTS", "10000,100000").split(",")]:
        with fresh_database(running, f"browse_{size}") as url:
            _fill(size)
            _measure(url, size)


def _fill(size: int) -> None:
    os.environ["PF_STATEMENT_TIMEOUT_MS"] = "0"
    vendors = max(20, size // 500)
    with transaction() as session:
        session.execute(text("SET LOCAL statement_timeout = 0"))
        session.execute(_VENDORS, {"vendors": vendors})
    for first in range(1, size + 1, 50_000):
        with transaction() as session:
            session.execute(text("SET LOCAL statement_timeout = 0"))
            last = min(size, first + 49_999)
            session.execute(_PRODUCTS, {"first": first, "last": last, "vendors": vendors})
    with transaction() as session:
        session.execute(text("ANALYZE"))


def _measure(url: str, size: int) -> None:
    from functions.products.main import main

    os.environ["PF_LIMIT_DEFAULT"] = "1000000/minute"
    api = Client.of(main, "/api/v1/products").as_staff_of(a_buyer())
    deep = _cursor_of_page(api, DEEP_PAGE)
    requests: list[tuple[str, Callable[[], Answer], str]] = [
        ("first page, newest", lambda: api.get(""), "p95 ≤ 25 ms"),
        (f"page {DEEP_PAGE}, newest", lambda: api.get("", cursor=deep), "≤ 1.2 of the first"),
        ("a category by price", lambda: api.get("", category="edible", sort="price"), "p95 ≤ 25 ms"),
        ("nearest first", lambda: api.get("", sort="distance"), "p95 ≤ 25 ms"),
        ("words: blue dream gummies", lambda: api.get("", q="blue dream gummies"), "p95 ≤ 60 ms"),
    ]
    figures = [_figure(url, what, ask, goal) for what, ask, goal in requests]
    show(f"Browse at {size:,} products over {max(20, size // 500):,} vendors, whole request in process", figures)


def _cursor_of_page(api: Client, page: int) -> str:
    cursor: str | None = None
    for _ in range(page - 1):
        query: dict[str, Any] = {} if cursor is None else {"cursor": cursor}
        cursor = api.get("", **query).page["next"]
    assert cursor is not None
    return cursor


def _figure(url: str, what: str, ask: Callable[[], Answer], goal: str) -> Figure:
    with recorded() as script:
        answer = ask()
    assert answer.status == 200, answer.json
    assert len(answer.data) == 25
    driver = BareDriver(url)
    ours, bare = [], []
    for _ in range(ROUNDS):
        ours.append(timed(ask))
        bare.append(timed(lambda: driver.run(script)))
    driver.close()
    ratio = statistics.median(ours) / statistics.median(bare)
    return Figure(f"{what} ({len(script)} statements)", milliseconds(ours), milliseconds(bare), f"{ratio:.2f}", goal)
