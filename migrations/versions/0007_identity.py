"""Identity: agents found at once, and tokens that are mailed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

PURPOSE = postgresql.ENUM("password_reset", "invitation", "email_verification", name="token_purpose", create_type=False)


def upgrade() -> None:
    op.create_index(
        "ix_users_system",
        "users",
        ["system_role", "created_at", "id"],
        postgresql_where=sa.text("system_role IS NOT NULL"),
    )
    PURPOSE.create(op.get_bind())
    op.create_table(
        "one_time_tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", PURPOSE, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_one_time_tokens_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_one_time_tokens"),
        sa.UniqueConstraint("digest", name="uq_one_time_tokens_digest"),
    )
    op.create_index("ix_one_time_tokens_user", "one_time_tokens", ["user_id", "purpose"])
    op.create_index("ix_one_time_tokens_expires_at", "one_time_tokens", ["expires_at"])


def downgrade() -> None:
    op.drop_table("one_time_tokens")
    op.execute("DROP TYPE token_purpose")
    op.drop_index("ix_users_system", table_name="users")
