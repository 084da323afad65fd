"""Operations: feature flags, and indexes for searching the audit log, ageing marks and dead letters."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "feature_flags",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("rules", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("updated_by", sa.Uuid(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_feature_flags"),
    )
    op.create_index("ix_audit_logs_actor", "audit_logs", ["actor_user_id", "created_at", "id"])
    op.create_index("ix_audit_logs_action", "audit_logs", ["action", "created_at", "id"])
    op.create_index("ix_processed_events_processed_at", "processed_events", ["processed_at"])
    op.create_index(
        "uq_outbox_dlq_message",
        "outbox_dlq",
        ["subscription", sa.text("(message ->> 'messageId')")],
        unique=True,
        postgresql_where=sa.text("event_id IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("uq_outbox_dlq_message", table_name="outbox_dlq")
    op.drop_index("ix_processed_events_processed_at", table_name="processed_events")
    op.drop_index("ix_audit_logs_action", table_name="audit_logs")
    op.drop_index("ix_audit_logs_actor", table_name="audit_logs")
    op.drop_table("feature_flags")
