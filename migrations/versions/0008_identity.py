"""Identity: second factors, and stores that were deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("mfa_last_step", sa.BigInteger(), nullable=True))
    op.create_table(
        "mfa_backup_codes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_mfa_backup_codes_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_mfa_backup_codes"),
        sa.UniqueConstraint("user_id", "digest", name="uq_mfa_backup_codes_user_id_digest"),
    )
    op.add_column("stores", sa.Column("anonymised_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_stores_to_erase",
        "stores",
        ["deleted_at", "id"],
        postgresql_where=sa.text("deleted_at IS NOT NULL AND anonymised_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_stores_to_erase", table_name="stores")
    op.drop_column("stores", "anonymised_at")
    op.drop_table("mfa_backup_codes")
    op.drop_column("users", "mfa_last_step")
