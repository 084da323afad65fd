"""Catalogue: how many offered products of each vendor have each trait, kept by the products' own changes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

FACETS = ("category", "classification", "strain", "feelings", "flavors", "usage", "vendor_store_id")

TRAITS_OF = """
CREATE FUNCTION traits_of(
    vendor_store_id uuid, category product_category, classification product_classification, strain text,
    feelings text[], flavors text[], usage text[]
) RETURNS TABLE (facet product_facet, value text) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT trait.facet, trait.value FROM (
        SELECT 'vendor_store_id'::product_facet AS facet, vendor_store_id::text AS value
        UNION ALL SELECT 'category', category::text
        UNION ALL SELECT 'classification', classification::text
        UNION ALL SELECT 'strain', strain
        UNION ALL SELECT 'feelings', unnest(feelings)
        UNION ALL SELECT 'flavors', unnest(flavors)
        UNION ALL SELECT 'usage', unnest(usage)
    ) AS trait WHERE trait.value IS NOT NULL
$$;
"""

# What a statement changed is added up first, so that one which changes no trait writes nothing. In order of the
# key, so that two transactions that count the same never deadlock over one statement.
COUNT = """
CREATE FUNCTION count_products() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO product_counts AS held (vendor_store_id, facet, value, count)
    SELECT vendor_store_id, facet, value, sum(by) FROM ({changed}) AS changed
    GROUP BY vendor_store_id, facet, value HAVING sum(by) <> 0 ORDER BY vendor_store_id, facet, value
    ON CONFLICT (vendor_store_id, facet, value) DO UPDATE SET count = held.count + excluded.count;
    RETURN NULL;
END $$;
"""
CHANGED = """
    SELECT offer.vendor_store_id, trait.facet, trait.value, {by} AS by
    FROM {table} AS offer, traits_of(
        offer.vendor_store_id, offer.category, offer.classification, offer.strain,
        offer.feelings, offer.flavors, offer.usage
    ) AS trait
    WHERE offer.is_active AND offer.deleted_at IS NULL
"""
GAINED, LOST = CHANGED.format(table="gained", by="1"), CHANGED.format(table="lost", by="-1")
TRIGGERS = {
    "insert": (GAINED, "NEW TABLE AS gained"),
    "update": (f"{GAINED} UNION ALL {LOST}", "NEW TABLE AS gained OLD TABLE AS lost"),
    "delete": (LOST, "OLD TABLE AS lost"),
}

COUNT_ALL = """
    INSERT INTO product_counts (vendor_store_id, facet, value, count)
    SELECT vendor_store_id, facet, value, count(*) FROM ({offered}) AS offered
    GROUP BY vendor_store_id, facet, value ORDER BY vendor_store_id, facet, value
"""


def upgrade() -> None:
    op.create_table(
        "product_counts",
        sa.Column("vendor_store_id", sa.Uuid(), nullable=False),
        sa.Column("facet", postgresql.ENUM(*FACETS, name="product_facet"), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["vendor_store_id"], ["stores.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("vendor_store_id", "facet", "value"),
        postgresql_with={"fillfactor": "70"},
    )
    op.execute(TRAITS_OF)
    # Whoever creates a trigger keeps writers out until the end, so that the first count misses nothing.
    for change, (changed, tables) in TRIGGERS.items():
        op.execute(COUNT.replace("count_products", f"count_products_{change}").format(changed=changed))
        op.execute(
            f"CREATE TRIGGER products_count_{change} AFTER {change} ON products REFERENCING {tables} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION count_products_{change}()"
        )
    op.execute(COUNT_ALL.format(offered=CHANGED.format(table="products", by="1")))


def downgrade() -> None:
    for change in TRIGGERS:
        op.execute(f"DROP TRIGGER products_count_{change} ON products; DROP FUNCTION count_products_{change}()")
    op.execute("DROP FUNCTION traits_of")
    op.drop_table("product_counts")
    op.execute("DROP TYPE product_facet")
