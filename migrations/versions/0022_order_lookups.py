"""Orders: placed again once, found by what they were placed again for; the ledger by order, carts by buyer."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "uq_vendor_orders_retry",
        "vendor_orders",
        ["retry_of_order_id"],
        unique=True,
        postgresql_where=sa.text("retry_of_order_id IS NOT NULL"),
    )
    op.create_index("ix_ledger_events_order_id", "ledger_events", ["order_id"])
    op.create_index("ix_cart_records_buyer_store_id", "cart_records", ["buyer_store_id"])


def downgrade() -> None:
    op.drop_index("ix_cart_records_buyer_store_id", table_name="cart_records")
    op.drop_index("ix_ledger_events_order_id", table_name="ledger_events")
    op.drop_index("uq_vendor_orders_retry", table_name="vendor_orders")
