"""Email: what is to be sent to whom, and who does not want it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

STATUS = postgresql.ENUM("pending", "sent", "refused", "dropped", name="email_delivery_status", create_type=False)
# Made by 0006.
CATEGORY = postgresql.ENUM(name="notification_type", create_type=False)


def upgrade() -> None:
    STATUS.create(op.get_bind())
    op.create_table(
        "email_deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=True),
        sa.Column("category", CATEGORY, nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("words", postgresql.JSONB(), nullable=False),
        sa.Column("status", STATUS, nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_email_deliveries_user_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_email_deliveries_store_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_email_deliveries"),
        sa.UniqueConstraint("event_id", "user_id", name="uq_email_deliveries_event_id_user_id"),
    )
    op.create_index(
        "ix_email_deliveries_due", "email_deliveries", ["due_at"], postgresql_where=sa.text("status = 'pending'")
    )
    op.create_index("ix_email_deliveries_created_at", "email_deliveries", ["created_at"])
    op.create_table(
        "notification_preferences",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("category", CATEGORY, nullable=False),
        sa.Column("email", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_notification_preferences_user_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "category", name="pk_notification_preferences"),
    )


def downgrade() -> None:
    op.drop_table("notification_preferences")
    op.drop_table("email_deliveries")
    op.execute("DROP TYPE email_delivery_status")
