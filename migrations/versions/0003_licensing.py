"""Licensing: licenses of stores."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ENUMS = {
    "license_type": ("producer", "grower", "dispensary", "merchant", "processor", "transporter"),
    "license_status": ("pending", "verified", "rejected", "expired"),
}


def _enum(name: str) -> postgresql.ENUM:
    return postgresql.ENUM(*ENUMS[name], name=name, create_type=False)


def upgrade() -> None:
    for name, values in ENUMS.items():
        postgresql.ENUM(*values, name=name).create(op.get_bind())
    op.create_table(
        "licenses",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=False),
        sa.Column("type", _enum("license_type"), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("issuing_state", sa.Text(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("status", _enum("license_status"), server_default="pending", nullable=False),
        sa.Column("media_id", sa.Uuid(), nullable=False),
        sa.Column("reviewed_by", sa.Uuid(), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("warned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("issued_on <= expires_on", name=op.f("ck_licenses_dates")),
        sa.ForeignKeyConstraint(["media_id"], ["media.id"], name=op.f("fk_licenses_media_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_licenses_store_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_licenses")),
        sa.UniqueConstraint("issuing_state", "number", name=op.f("uq_licenses_issuing_state_number")),
    )
    op.create_index("ix_licenses_store", "licenses", ["store_id", "created_at", "id"], unique=False)
    op.create_index("ix_licenses_queue", "licenses", ["status", "created_at", "id"], unique=False)
    op.create_index("ix_licenses_media_id", "licenses", ["media_id"], unique=False)


def downgrade() -> None:
    op.drop_table("licenses")
    for name in ENUMS:
        op.execute(f"DROP TYPE {name}")
