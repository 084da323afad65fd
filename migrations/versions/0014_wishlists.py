"""Wishlists: the products that a buyer store would like to have."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "wishlists",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_wishlists_store_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_wishlists"),
        sa.UniqueConstraint("store_id", name="uq_wishlists_store_id"),
    )
    op.create_table(
        "wishlist_items",
        sa.Column("wishlist_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["wishlist_id"], ["wishlists.id"], name="fk_wishlist_items_wishlist_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name="fk_wishlist_items_product_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("wishlist_id", "product_id", name="pk_wishlist_items"),
    )
    op.create_index("ix_wishlist_items_newest", "wishlist_items", ["wishlist_id", "created_at", "product_id"])
    op.create_index("ix_wishlist_items_product_id", "wishlist_items", ["product_id"])


def downgrade() -> None:
    op.drop_table("wishlist_items")
    op.drop_table("wishlists")
