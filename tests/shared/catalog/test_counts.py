"""The counts that facets and totals are summed up from: what a count of the products themselves would say."""

from random import Random

import pytest
from sqlalchemy import delete, text, update

from shared.catalog.models import Product
from shared.identity.models import Store
from shared.inventory.models import InventoryItem
from shared.kit import clock
from shared.kit.db import read_only, transaction
from tests.builders.products import a_product
from tests.builders.stores import a_vendor
from tests.rivals import at_once

COUNTED = """
    WITH offered AS (SELECT * FROM products WHERE is_active AND deleted_at IS NULL)
    SELECT vendor_store_id, 'vendor_store_id', vendor_store_id::text, count(*) FROM offered GROUP BY 1
    UNION ALL SELECT vendor_store_id, 'category', category::text, count(*) FROM offered GROUP BY 1, 3
    UNION ALL SELECT vendor_store_id, 'classification', classification::text, count(*) FROM offered
        WHERE classification IS NOT NULL GROUP BY 1, 3
    UNION ALL SELECT vendor_store_id, 'strain', strain, count(*) FROM offered WHERE strain IS NOT NULL GROUP BY 1, 3
    UNION ALL SELECT vendor_store_id, 'feelings', unnest(feelings) AS one, count(*) FROM offered GROUP BY 1, one
    UNION ALL SELECT vendor_store_id, 'flavors', unnest(flavors) AS one, count(*) FROM offered GROUP BY 1, one
    UNION ALL SELECT vendor_store_id, 'usage', unnest(usage) AS one, count(*) FROM offered GROUP BY 1, one
"""
HELD = "SELECT vendor_store_id, facet::text, value, count FROM product_counts WHERE count <> 0"


def rows(statement):
    with read_only() as session:
        return sorted(tuple(row) for row in session.execute(text(statement)))


def change(lot, vendors):
    """Values for a product, by lot."""
    return {
        "vendor_store_id": lot.choice(vendors).id,
        "category": lot.choice(["flower", "edible"]),
        "classification": lot.choice(["sativa", "indica", None]),
        "strain": lot.choice(["Gelato", "gelato", None]),
        "feelings": lot.sample(["happy", "calm", "sleepy"], lot.randrange(4)),
        "flavors": lot.sample(["pine", "sweet"], lot.randrange(3)),
        "usage": lot.sample(["sleep", "nausea"], lot.randrange(3)),
        "is_active": lot.random() < 0.7,
        "deleted_at": clock.now() if lot.random() < 0.3 else None,
    }


@pytest.mark.usefixtures("database")
def test_counts_follow_whatever_is_done_to_products():
    lot, vendors = Random(5), [a_vendor(), a_vendor()]
    products = [a_product(lot.choice(vendors)).id for _ in range(6)]
    for _ in range(60):
        some = lot.sample(products, lot.randrange(1, 4))
        with transaction() as session:
            session.execute(update(Product).where(Product.id.in_(some)).values(change(lot, vendors)))
        assert rows(HELD) == rows(COUNTED)
    with transaction() as session:
        session.execute(delete(InventoryItem).where(InventoryItem.product_id.in_(products)))
        session.execute(delete(Product).where(Product.id.in_(products)))

    assert rows(HELD) == rows(COUNTED) == []


@pytest.mark.usefixtures("database")
def test_what_changes_no_trait_writes_no_count():
    product = a_product()
    place = "SELECT ctid::text, * FROM product_counts"
    before = rows(place)

    with transaction() as session:
        session.execute(update(Product).where(Product.id == product.id).values(rating_count=1, price_cents=99))
        session.execute(update(Store).where(Store.id == product.vendor_store_id).values(company_name="New Name"))

    assert rows(place) == before != []


@pytest.mark.usefixtures("committed_database")
def test_rivals_are_all_counted():
    vendor = a_vendor()

    at_once(None, *[lambda: [a_product(vendor) for _ in range(4)]] * 3)

    assert rows(HELD) == rows(COUNTED)
    assert {count for _, _, _, count in rows(HELD)} == {12}
