"""Catalogue: totals and facets are counted from an index, without reading the products."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_products_counted",
        "products",
        ["vendor_store_id", "id"],
        postgresql_include=[
            *("category", "classification", "strain", "feelings", "flavors", "usage"),
            *("price_cents", "thc_percent", "cbd_percent", "moq"),
        ],
        postgresql_where=sa.text("is_active AND deleted_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_products_counted", table_name="products")
