"""Where an order is delivered need not be on the map: only stores must be."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in ("lat", "lng"):
        op.alter_column("vendor_orders", column, existing_type=sa.Double(), nullable=True)


def downgrade() -> None:
    op.execute(
        "UPDATE vendor_orders SET lat = stores.lat, lng = stores.lng FROM stores "
        "WHERE stores.id = vendor_orders.buyer_store_id AND vendor_orders.lat IS NULL"
    )
    for column in ("lat", "lng"):
        op.alter_column("vendor_orders", column, existing_type=sa.Double(), nullable=False)
