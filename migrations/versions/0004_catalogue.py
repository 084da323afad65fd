"""Catalogue: what browsing and searching a million products need beyond the ground."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

OFFERED = sa.text("is_active AND deleted_at IS NULL")
LOOKED_AT = ["vendor_store_id", "category", "classification", "strain", "price_cents", "thc_percent", "moq"]

# PostGIS says that ST_DWithin costs as much as 25 random page reads. It takes two microseconds, and a planner
# that believes the former reads whole tables to ask about fewer vendors. Hence a cost of our own, which only a
# function in another language than SQL keeps.
DELIVERS_TO = """
CREATE FUNCTION delivers_to(origin geography, radius_meters int, place geography) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 400 AS $$
BEGIN
    RETURN radius_meters = 0 OR ST_DWithin(origin, place, radius_meters);
END $$;
"""

KEEP_VENDOR_NAME = """
CREATE FUNCTION keep_vendor_name() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE products SET vendor_name = coalesce(nullif(NEW.dba_name, ''), NEW.company_name)
    WHERE vendor_store_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER stores_keep_vendor_name AFTER UPDATE OF dba_name, company_name ON stores FOR EACH ROW
WHEN (coalesce(nullif(NEW.dba_name, ''), NEW.company_name)
      IS DISTINCT FROM coalesce(nullif(OLD.dba_name, ''), OLD.company_name))
EXECUTE FUNCTION keep_vendor_name();
"""

# In order of word, so that two transactions that learn the same words never deadlock.
LEARN_WORDS = r"""
CREATE FUNCTION learn_product_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO product_words (word)
    SELECT DISTINCT heard.word
    FROM told, regexp_split_to_table(
        lower(concat_ws(' ', title, strain, subtitle, vendor_name)), '[^[:alpha:]]+') AS heard (word)
    WHERE length(heard.word) BETWEEN 3 AND 40
        AND NOT EXISTS (SELECT FROM product_words AS known WHERE known.word = heard.word)
    ORDER BY heard.word
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER products_learn_words_inserted AFTER INSERT ON products
REFERENCING NEW TABLE AS told FOR EACH STATEMENT EXECUTE FUNCTION learn_product_words();
CREATE TRIGGER products_learn_words_updated AFTER UPDATE ON products
REFERENCING NEW TABLE AS told FOR EACH STATEMENT EXECUTE FUNCTION learn_product_words();
"""


def upgrade() -> None:
    op.drop_constraint("uq_products_vendor_store_id_sku", "products")
    op.create_index(
        "uq_products_sku",
        "products",
        ["vendor_store_id", "sku"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.add_column(
        "products",
        sa.Column(
            "search_name",
            postgresql.TSVECTOR(),
            sa.Computed(
                "to_tsvector('english', title) || to_tsvector('english', coalesce(strain, '')) || "
                "to_tsvector('simple', sku)",
                persisted=True,
            ),
            nullable=False,
        ),
    )
    op.add_column(
        "products",
        sa.Column(
            "search_rest",
            postgresql.TSVECTOR(),
            sa.Computed(
                "to_tsvector('english', vendor_name) || to_tsvector('english', coalesce(subtitle, ''))",
                persisted=True,
            ),
            nullable=False,
        ),
    )
    op.create_index("ix_products_search_name", "products", ["search_name"], postgresql_using="gin")
    op.create_index("ix_products_search_rest", "products", ["search_rest"], postgresql_using="gin")
    op.drop_index("ix_products_newest", "products")
    for sort, key in {
        "newest": "created_at",
        "price": "price_cents",
        "thc": sa.text("coalesce(thc_percent, 0)"),
    }.items():
        op.create_index(
            f"ix_products_{sort}", "products", [key, "id"], postgresql_include=LOOKED_AT, postgresql_where=OFFERED
        )
    op.create_index("ix_products_strain", "products", [sa.text("lower(strain)")])
    op.create_index(
        "ix_products_traits",
        "products",
        ["category", "classification", "feelings", "flavors", "usage"],
        postgresql_using="gin",
        postgresql_where=OFFERED,
    )
    op.create_table(
        "product_words",
        sa.Column("word", sa.Text(), primary_key=True),
        sa.Column("stem", sa.Text(), sa.Computed("(ts_lexize('english_stem', word))[1]", persisted=True)),
    )
    op.create_index(
        "ix_product_words_trigrams",
        "product_words",
        ["word"],
        postgresql_using="gist",
        postgresql_ops={"word": "gist_trgm_ops"},
    )
    op.create_index("ix_product_words_stem", "product_words", ["stem"])
    op.execute(LEARN_WORDS)
    op.execute(DELIVERS_TO)
    op.execute(KEEP_VENDOR_NAME)


def downgrade() -> None:
    op.execute("DROP TRIGGER stores_keep_vendor_name ON stores; DROP FUNCTION keep_vendor_name()")
    op.execute("DROP FUNCTION delivers_to")
    op.execute(
        "DROP TRIGGER products_learn_words_inserted ON products; "
        "DROP TRIGGER products_learn_words_updated ON products; "
        "DROP FUNCTION learn_product_words()"
    )
    op.drop_table("product_words")
    for index in ("traits", "strain", "thc", "price", "newest", "search_rest", "search_name"):
        op.drop_index(f"ix_products_{index}", table_name="products")
    op.create_index("ix_products_newest", "products", ["created_at", "id"], postgresql_where=OFFERED)
    op.drop_column("products", "search_rest")
    op.drop_column("products", "search_name")
    op.drop_index("uq_products_sku", table_name="products")
    op.create_unique_constraint("uq_products_vendor_store_id_sku", "products", ["vendor_store_id", "sku"])
