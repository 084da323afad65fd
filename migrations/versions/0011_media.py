"""Media: what the daily clean-up looks for."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_media_pending", "media", ["created_at", "id"], postgresql_where=sa.text("status = 'pending'"))
    op.create_index(
        "ix_media_delete_requested",
        "media",
        ["delete_requested_at", "id"],
        postgresql_where=sa.text("status = 'delete_requested'"),
    )


def downgrade() -> None:
    op.drop_index("ix_media_delete_requested", table_name="media")
    op.drop_index("ix_media_pending", table_name="media")
