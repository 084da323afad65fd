"""Reviews: what buyers think of vendors and of products."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

SHOWN = sa.text("hidden_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "reviews",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("buyer_store_id", sa.Uuid(), nullable=False),
        sa.Column("author_user_id", sa.Uuid(), nullable=True),
        sa.Column("store_id", sa.Uuid(), nullable=True),
        sa.Column("product_id", sa.Uuid(), nullable=True),
        sa.Column("rating", sa.SmallInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("hidden_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hidden_reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name="ck_reviews_rating"),
        sa.CheckConstraint("num_nonnulls(store_id, product_id) = 1", name="ck_reviews_subject"),
        sa.CheckConstraint("(hidden_at IS NULL) = (hidden_reason IS NULL)", name="ck_reviews_hidden"),
        sa.ForeignKeyConstraint(
            ["buyer_store_id"], ["stores.id"], name="fk_reviews_buyer_store_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["author_user_id"], ["users.id"], name="fk_reviews_author_user_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_reviews_store_id", ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name="fk_reviews_product_id", ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name="pk_reviews"),
    )
    op.create_index("uq_reviews_of_store", "reviews", ["store_id", "buyer_store_id"], unique=True)
    op.create_index("uq_reviews_of_product", "reviews", ["product_id", "buyer_store_id"], unique=True)
    op.create_index("ix_reviews_store", "reviews", ["store_id", "created_at", "id"], postgresql_where=SHOWN)
    op.create_index("ix_reviews_product", "reviews", ["product_id", "created_at", "id"], postgresql_where=SHOWN)
    op.create_index("ix_reviews_buyer", "reviews", ["buyer_store_id"])
    op.create_index("ix_reviews_author", "reviews", ["author_user_id"])
    op.create_index("ix_reviews_created_at", "reviews", ["created_at", "id"])


def downgrade() -> None:
    op.drop_table("reviews")
