"""Notifications: what people are told."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ENUMS = {
    "notification_type": (
        "system_announcement",
        "market_update",
        "security_alert",
        "order_alert",
        "compliance",
        "billing",
    ),
}


def _enum(name: str) -> postgresql.ENUM:
    return postgresql.ENUM(*ENUMS[name], name=name, create_type=False)


def upgrade() -> None:
    for name, values in ENUMS.items():
        postgresql.ENUM(*values, name=name).create(op.get_bind())
    op.create_table(
        "notifications",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("recipient_store_id", sa.Uuid(), nullable=True),
        sa.Column(
            "recipient_role", postgresql.ENUM("admin", "agent", name="system_role", create_type=False), nullable=True
        ),
        sa.Column("recipient_user_id", sa.Uuid(), nullable=True),
        sa.Column("type", _enum("notification_type"), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "num_nonnulls(recipient_store_id, recipient_role, recipient_user_id) = 1",
            name=op.f("ck_notifications_one_recipient"),
        ),
        sa.ForeignKeyConstraint(
            ["recipient_store_id"], ["stores.id"], name=op.f("fk_notifications_recipient_store_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["recipient_user_id"], ["users.id"], name=op.f("fk_notifications_recipient_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
    )
    op.create_index("ix_notifications_created_at", "notifications", ["created_at"], unique=False)
    op.create_index(
        "ix_notifications_role",
        "notifications",
        ["recipient_role", "created_at", "id"],
        unique=False,
        postgresql_where=sa.text("recipient_role IS NOT NULL"),
    )
    op.create_index(
        "ix_notifications_store",
        "notifications",
        ["recipient_store_id", "created_at", "id"],
        unique=False,
        postgresql_where=sa.text("recipient_store_id IS NOT NULL"),
    )
    op.create_index(
        "ix_notifications_user",
        "notifications",
        ["recipient_user_id", "created_at", "id"],
        unique=False,
        postgresql_where=sa.text("recipient_user_id IS NOT NULL"),
    )
    op.create_index(
        "uq_notifications_once",
        "notifications",
        ["event_id", "recipient_store_id", "recipient_role", "recipient_user_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )


def downgrade() -> None:
    op.drop_table("notifications")
    for name in ENUMS:
        op.execute(f"DROP TYPE {name}")
