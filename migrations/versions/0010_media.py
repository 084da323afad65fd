"""Media and licensing: licenses in the order in which they end."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_licenses_expires_on", "licenses", ["expires_on", "id"])


def downgrade() -> None:
    op.drop_index("ix_licenses_expires_on", table_name="licenses")
