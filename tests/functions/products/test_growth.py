"""What a page reads does not grow with the catalogue: pages of the database at 1,000 products and at 8,000."""

from functools import partial

import pytest
from sqlalchemy import func, select, text

from shared.catalog.models import Product
from shared.identity.models import Store
from shared.kit.db import read_only, transaction
from tests.performance import catalogue
from tests.performance.driver import recorded
from tests.performance.plans import Plans

SMALL, LARGE = 1_000, 8_000
NARROW = [
    {},
    {"sort": "price"},
    {"sort": "-price"},
    {"sort": "thc"},
    {"category": "flower"},
    {"price_min_cents": "3000", "sort": "price"},
    {"has_promo": "true"},
    {"has_promo": "false"},
    {"in_stock": "true"},
    {"in_stock": "false"},
]


def pages_read(grid, size):
    """By each of these lists, in a catalogue of this size."""
    catalogue.fill(size)
    with read_only() as session:
        assert session.scalar(select(func.count()).select_from(Product)) == size
        buyer = session.scalars(select(Store).where(Store.slug == catalogue.BUYER_SLUG)).one()
    plans = Plans(frozenset(), None, "")
    caller = grid.as_staff_of(buyer)
    return {str(query): _pages(plans, partial(caller.get, **query)) for query in NARROW}


def _pages(plans, ask):
    with recorded() as script:
        reply = ask()
    assert (reply.status, len(reply.data)) == (200, 25)
    return plans.look("", script)


@pytest.mark.usefixtures("committed_database")
def test_what_a_page_reads_does_not_grow_with_the_catalogue(grid):
    small = pages_read(grid, SMALL)
    with transaction() as session:
        session.execute(text("TRUNCATE stores, product_words CASCADE"))

    large = pages_read(grid, LARGE)

    assert {query: (small[query], pages) for query, pages in large.items() if pages > 1.5 * small[query]} == {}
