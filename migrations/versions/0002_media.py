"""Media: uploaded files and what uses them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ENUMS = {
    "media_kind": ("product", "ads", "store", "user", "license_doc", "coa", "manifest", "pdf", "other"),
    "media_status": (
        "pending",
        "uploaded",
        "processing",
        "ready",
        "failed",
        "delete_requested",
        "deleted",
        "delete_failed",
    ),
    "media_entity_type": (
        "license",
        "product_gallery",
        "product_coa",
        "store_logo",
        "store_banner",
        "user_avatar",
        "ad_creative",
        "order_manifest",
    ),
}


def _enum(name: str) -> postgresql.ENUM:
    return postgresql.ENUM(*ENUMS[name], name=name, create_type=False)


def _moment(name: str, *, nullable: bool = True) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    for name, values in ENUMS.items():
        postgresql.ENUM(*values, name=name).create(op.get_bind())
    op.create_table(
        "media",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=False),
        sa.Column("kind", _enum("media_kind"), nullable=False),
        sa.Column("status", _enum("media_status"), server_default="pending", nullable=False),
        sa.Column("mime_type", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("object_key", sa.Text(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=True),
        sa.Column("md5_hash", sa.Text(), nullable=True),
        sa.Column("public_url", sa.Text(), nullable=True),
        sa.Column("thumbnail_url", sa.Text(), nullable=True),
        sa.Column("failure_reason", sa.Text(), nullable=True),
        sa.Column("status_before_deletion", _enum("media_status"), nullable=True),
        sa.Column("uploaded_by", sa.Uuid(), nullable=True),
        _moment("created_at", nullable=False),
        _moment("uploaded_at"),
        _moment("processing_at"),
        _moment("ready_at"),
        _moment("failed_at"),
        _moment("delete_requested_at"),
        _moment("deleted_at"),
        _moment("delete_failed_at"),
        sa.CheckConstraint("size_bytes > 0", name=op.f("ck_media_size_bytes")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_media_store_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media")),
        sa.UniqueConstraint("object_key", name=op.f("uq_media_object_key")),
    )
    op.create_index("ix_media_store", "media", ["store_id", "created_at", "id"], unique=False)
    op.create_table(
        "media_attachments",
        sa.Column("entity_type", _enum("media_entity_type"), nullable=False),
        sa.Column("entity_id", sa.Uuid(), nullable=False),
        sa.Column("media_id", sa.Uuid(), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        _moment("created_at", nullable=False),
        sa.CheckConstraint("position >= 0", name=op.f("ck_media_attachments_position")),
        sa.ForeignKeyConstraint(
            ["media_id"], ["media.id"], name=op.f("fk_media_attachments_media_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["store_id"], ["stores.id"], name=op.f("fk_media_attachments_store_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("entity_type", "entity_id", "media_id", name=op.f("pk_media_attachments")),
    )
    op.create_index("ix_media_attachments_media_id", "media_attachments", ["media_id"], unique=False)


def downgrade() -> None:
    op.drop_table("media_attachments")
    op.drop_table("media")
    for name in ENUMS:
        op.execute(f"DROP TYPE {name}")
