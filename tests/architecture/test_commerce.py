"""What commerce must not have, looked for in the source as text."""

import re

from infra.local.paths import CHECKOUT
from shared.kit.tables import Table

PRICES = re.compile(r"\b(percent_of|promo_discount|price_line|sum_lines)\(")
PRICING = "shared/orders/pricing.py"
SOURCES = {
    str(file.relative_to(CHECKOUT)): file.read_text()
    for folder in ("functions", "shared", "migrations")
    for file in sorted((CHECKOUT / folder).rglob("*.py"))
}


def having(word):
    return [name for name, text in SOURCES.items() if word in text]


def test_a_checkout_group_is_only_an_id():
    assert "checkout_groups" not in Table.metadata.tables
    assert having("checkout_groups") == []


def test_attribution_is_a_snapshot_and_no_reference_to_a_click():
    assert having("attributed_ad_click_id") == []


def test_there_is_one_pricing_path():
    callers = {
        name: sorted(set(PRICES.findall(text)))
        for name, text in SOURCES.items()
        if PRICES.search(text) and name != PRICING
    }

    # The quote asks for its prices, and the orders add up what stands; both by pricing.py's sums.
    assert callers == {
        "shared/kit/money.py": ["percent_of"],
        "shared/orders/promos.py": ["promo_discount"],
        "shared/orders/quote.py": ["price_line", "sum_lines"],
        "shared/orders/totals.py": ["sum_lines"],
    }
    assert "percent_of(" in SOURCES[PRICING]


def test_a_quote_and_a_checkout_call_nothing_but_postgres_and_redis():
    from infra.imports import reach

    for name in ("cart", "checkout"):
        reached = reach([f"functions.{name}.main"]).modules
        assert [module for module in reached if module.startswith("shared.integrations")] == []
