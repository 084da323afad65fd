"""Orders: the file of a signature is attached to its order, which keeps it from deletion."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_BEFORE = (
    *("license", "product_gallery", "product_coa", "store_logo", "store_banner"),
    *("user_avatar", "ad_creative", "order_manifest"),
)

_ATTACH_SIGNATURES = """
    INSERT INTO media_attachments (entity_type, entity_id, media_id, store_id, position, created_at)
    SELECT 'order_signature', vendor_orders.id, media.id, media.store_id, 0, COALESCE(vendor_orders.delivered_at, now())
    FROM vendor_orders JOIN media ON media.id = vendor_orders.signature_media_id
    ON CONFLICT DO NOTHING
"""


def upgrade() -> None:
    # PostgreSQL lets a new value be used only after it was committed.
    with op.get_context().autocommit_block():
        op.execute("ALTER TYPE media_entity_type ADD VALUE IF NOT EXISTS 'order_signature'")
    op.execute(_ATTACH_SIGNATURES)


def downgrade() -> None:
    values = ", ".join(f"'{value}'" for value in _BEFORE)
    op.execute("DELETE FROM media_attachments WHERE entity_type = 'order_signature'")
    op.execute("ALTER TYPE media_entity_type RENAME TO media_entity_type_with_signatures")
    op.execute(f"CREATE TYPE media_entity_type AS ENUM ({values})")
    op.execute(
        "ALTER TABLE media_attachments"
        " ALTER COLUMN entity_type TYPE media_entity_type USING entity_type::text::media_entity_type"
    )
    op.execute("DROP TYPE media_entity_type_with_signatures")
