"""The directory: vendors by name and by rating, and the orders of two stores with each other."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

SELLING = sa.text("type = 'vendor' AND kyc_status = 'verified' AND subscription_active AND deleted_at IS NULL")


def upgrade() -> None:
    op.create_index(
        "ix_stores_by_name",
        "stores",
        ["state", sa.text("lower(coalesce(dba_name, company_name))"), "id"],
        postgresql_where=SELLING,
    )
    op.create_index(
        "ix_stores_by_rating",
        "stores",
        [
            "state",
            sa.text("(CAST(rating_sum AS double precision) / greatest(CAST(rating_count AS double precision), 1))"),
            "rating_count",
            "id",
        ],
        postgresql_where=SELLING,
    )
    op.create_index("ix_vendor_orders_pair", "vendor_orders", ["buyer_store_id", "vendor_store_id", "created_at", "id"])


def downgrade() -> None:
    op.drop_index("ix_vendor_orders_pair", table_name="vendor_orders")
    op.drop_index("ix_stores_by_rating", table_name="stores")
    op.drop_index("ix_stores_by_name", table_name="stores")
