"""Identity: what signing in needs beyond the ground."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_users_system",
        "users",
        ["system_role", "created_at", "id"],
        postgresql_where=sa.text("system_role IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_users_system", table_name="users")
