"""Orders: everybody's, newest first, and those with a payment in a certain state, without reading all of them."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_vendor_orders_created_at", "vendor_orders", ["created_at", "id"])
    op.create_index("ix_payment_intents_status", "payment_intents", ["status", "order_id"])


def downgrade() -> None:
    op.drop_index("ix_payment_intents_status", table_name="payment_intents")
    op.drop_index("ix_vendor_orders_created_at", table_name="vendor_orders")
