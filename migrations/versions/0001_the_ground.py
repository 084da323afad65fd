"""The ground: people, stores, catalogue, stock, carts, orders, money, audit and events."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import UserDefinedType

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

EXTENSIONS = ("postgis", "pg_trgm", "citext", "btree_gin")
APPEND_ONLY = ("audit_logs", "ledger_events", "inventory_movements")
ENUMS = {
    "movement_reason": ("initial", "set", "reserved", "released", "sold"),
    "store_type": ("buyer", "vendor"),
    "kyc_status": ("pending_verification", "verified", "rejected", "expired", "suspended"),
    "system_role": ("admin", "agent"),
    "cart_status": ("active", "converted"),
    "payment_method": ("cash", "ach"),
    "product_category": (
        "flower",
        "cart",
        "pre_roll",
        "edible",
        "concentrate",
        "beverage",
        "vape",
        "topical",
        "tincture",
        "seed",
        "seedling",
        "accessory",
    ),
    "product_classification": ("sativa", "hybrid", "indica", "cbd", "hemp", "balanced"),
    "product_unit": ("unit", "gram", "ounce", "pound", "eighth", "sixteenth"),
    "member_role": ("owner", "admin", "manager", "ops", "staff", "viewer"),
    "membership_status": ("invited", "active", "removed"),
    "promo_kind": ("percent", "fixed"),
    "cart_item_status": ("ok", "not_available", "invalid"),
    "cart_group_status": ("ok", "invalid"),
    "order_status": (
        "created_pending",
        "accepted",
        "partially_accepted",
        "rejected",
        "ready_for_dispatch",
        "hold",
        "in_transit",
        "delivered",
        "closed",
        "canceled",
        "expired",
    ),
    "fulfillment_status": ("pending", "partial", "fulfilled"),
    "shipping_status": ("pending", "dispatched", "in_transit", "delivered"),
    "refund_status": ("none", "partial", "full"),
    "ledger_type": ("cash_collected", "vendor_payout", "adjustment", "refund"),
    "line_status": ("pending", "accepted", "rejected", "fulfilled"),
    "intent_status": ("unpaid", "pending", "settled", "paid", "failed", "rejected"),
}


class _Geography(UserDefinedType[Any]):
    def get_col_spec(self, **_: Any) -> str:
        return "geography(Point,4326)"


def _enum(name: str) -> postgresql.ENUM:
    return postgresql.ENUM(*ENUMS[name], name=name, create_type=False)


def upgrade() -> None:
    for extension in EXTENSIONS:
        op.execute(f"CREATE EXTENSION IF NOT EXISTS {extension}")
    for name, values in ENUMS.items():
        postgresql.ENUM(*values, name=name).create(op.get_bind())
    op.execute("CREATE SEQUENCE order_number_seq START 1001")
    op.create_table(
        "audit_logs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("actor_user_id", sa.Uuid(), nullable=True),
        sa.Column("actor_store_id", sa.Uuid(), nullable=True),
        sa.Column("actor_role", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("target_type", sa.Text(), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=True),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_logs")),
    )
    op.create_index("ix_audit_logs_created_at", "audit_logs", ["created_at", "id"], unique=False)
    op.create_index("ix_audit_logs_store", "audit_logs", ["actor_store_id", "created_at"], unique=False)
    op.create_index("ix_audit_logs_target", "audit_logs", ["target_type", "target_id", "created_at"], unique=False)
    op.create_table(
        "inventory_movements",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("delta_available_qty", sa.Integer(), nullable=False),
        sa.Column("delta_reserved_qty", sa.Integer(), nullable=False),
        sa.Column("reason", _enum("movement_reason"), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("line_item_id", sa.Uuid(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inventory_movements")),
    )
    op.create_index(
        "ix_inventory_movements_order",
        "inventory_movements",
        ["order_id"],
        unique=False,
        postgresql_where=sa.text("order_id IS NOT NULL"),
    )
    op.create_index("ix_inventory_movements_product", "inventory_movements", ["product_id", "id"], unique=False)
    op.create_table(
        "outbox_dlq",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("subscription", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=True),
        sa.Column("message", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replayed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dismissed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dismissed_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_dlq")),
    )
    op.create_index("ix_outbox_dlq_created_at", "outbox_dlq", ["created_at", "id"], unique=False)
    op.create_index("uq_outbox_dlq_delivery", "outbox_dlq", ["event_id", "source", "subscription"], unique=True)
    op.create_table(
        "outbox_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        sa.Column("aggregate_type", sa.Text(), nullable=False),
        sa.Column("aggregate_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("dedupe_key", sa.Text(), nullable=True),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("traceparent", sa.Text(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "next_attempt_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("dead_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_events")),
    )
    op.create_index(
        "ix_outbox_events_due",
        "outbox_events",
        ["created_at", "id"],
        unique=False,
        postgresql_where=sa.text("published_at IS NULL AND dead_at IS NULL"),
    )
    op.create_index(
        "ix_outbox_events_order",
        "outbox_events",
        ["aggregate_id", "sequence"],
        unique=False,
        postgresql_where=sa.text("published_at IS NULL AND dead_at IS NULL"),
    )
    op.create_index("ix_outbox_events_published_at", "outbox_events", ["published_at"], unique=False)
    op.create_index("uq_outbox_events_dedupe_key", "outbox_events", ["dedupe_key"], unique=True)
    op.create_index(
        "uq_outbox_events_sequence", "outbox_events", ["aggregate_type", "aggregate_id", "sequence"], unique=True
    )
    op.create_table(
        "outbox_sequences",
        sa.Column("aggregate_type", sa.Text(), nullable=False),
        sa.Column("aggregate_id", sa.Uuid(), nullable=False),
        sa.Column("last_sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("aggregate_type", "aggregate_id", name=op.f("pk_outbox_sequences")),
    )
    op.create_table(
        "processed_events",
        sa.Column("consumer", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("processed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("consumer", "event_id", name=op.f("pk_processed_events")),
    )
    op.create_table(
        "stores",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type", _enum("store_type"), nullable=False),
        sa.Column("company_name", sa.Text(), nullable=False),
        sa.Column("dba_name", sa.Text(), nullable=True),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("kyc_status", _enum("kyc_status"), server_default="pending_verification", nullable=False),
        sa.Column("subscription_active", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("delivery_radius_meters", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "geom",
            _Geography(),
            sa.Computed("(ST_SetSRID(ST_MakePoint(lng, lat), 4326))::geography", persisted=True),
            nullable=False,
        ),
        sa.Column(
            "social_links", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column(
            "categories", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False
        ),
        sa.Column("logo_media_id", sa.Uuid(), nullable=True),
        sa.Column("banner_media_id", sa.Uuid(), nullable=True),
        sa.Column("square_customer_id", sa.Text(), nullable=True),
        sa.Column("rating_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("rating_sum", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("suspended_reason", sa.Text(), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_active_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("line1", sa.Text(), nullable=False),
        sa.Column("line2", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("postal_code", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), server_default="US", nullable=False),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("lng", sa.Double(), nullable=False),
        sa.CheckConstraint("delivery_radius_meters >= 0", name=op.f("ck_stores_delivery_radius")),
        sa.CheckConstraint("lat BETWEEN -90 AND 90 AND lng BETWEEN -180 AND 180", name=op.f("ck_stores_position")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stores")),
        sa.UniqueConstraint("slug", name=op.f("uq_stores_slug")),
    )
    op.create_index("ix_stores_created_at", "stores", ["created_at", "id"], unique=False)
    op.create_index("ix_stores_geom", "stores", ["geom"], unique=False, postgresql_using="gist")
    op.create_index(
        "ix_stores_selling",
        "stores",
        ["state", "id"],
        unique=False,
        postgresql_where=sa.text(
            "type = 'vendor' AND kyc_status = 'verified' AND subscription_active AND deleted_at IS NULL"
        ),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", postgresql.CITEXT(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("last_name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("avatar_media_id", sa.Uuid(), nullable=True),
        sa.Column("system_role", _enum("system_role"), nullable=True),
        sa.Column("credential_number", sa.Text(), nullable=True),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("must_change_password", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("email_verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mfa_secret", sa.Text(), nullable=True),
        sa.Column("mfa_confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_login_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
    )
    op.create_table(
        "cart_records",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("buyer_store_id", sa.Uuid(), nullable=False),
        sa.Column("status", _enum("cart_status"), nullable=False),
        sa.Column("currency", sa.Text(), server_default=sa.text("'USD'"), nullable=False),
        sa.Column("subtotal_cents", sa.BigInteger(), nullable=False),
        sa.Column("discounts_cents", sa.BigInteger(), nullable=False),
        sa.Column("total_cents", sa.BigInteger(), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("intent", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("warnings", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column(
            "rejected_vendors", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False
        ),
        sa.Column(
            "attribution_tokens",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column("shipping_address", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("payment_method", _enum("payment_method"), nullable=True),
        sa.Column("shipping_line", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("buyer_notes", sa.Text(), nullable=True),
        sa.Column("checkout_group_id", sa.Uuid(), nullable=True),
        sa.Column("converted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("total_cents = subtotal_cents - discounts_cents", name=op.f("ck_cart_records_sums")),
        sa.CheckConstraint("total_cents >= 0", name=op.f("ck_cart_records_total")),
        sa.ForeignKeyConstraint(
            ["buyer_store_id"], ["stores.id"], name=op.f("fk_cart_records_buyer_store_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cart_records")),
        sa.UniqueConstraint("checkout_group_id", name=op.f("uq_cart_records_checkout_group_id")),
    )
    op.create_index(
        "uq_cart_records_active",
        "cart_records",
        ["buyer_store_id"],
        unique=True,
        postgresql_where=sa.text("status = 'active'"),
    )
    op.create_table(
        "products",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_store_id", sa.Uuid(), nullable=False),
        sa.Column("vendor_name", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("subtitle", sa.Text(), nullable=True),
        sa.Column("body_html", sa.Text(), nullable=True),
        sa.Column("category", _enum("product_category"), nullable=False),
        sa.Column("classification", _enum("product_classification"), nullable=True),
        sa.Column("strain", sa.Text(), nullable=True),
        sa.Column("unit", _enum("product_unit"), nullable=False),
        sa.Column("moq", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("max_qty", sa.Integer(), nullable=True),
        sa.Column("price_cents", sa.Integer(), nullable=False),
        sa.Column("compare_at_price_cents", sa.Integer(), nullable=True),
        sa.Column("thc_percent", sa.Numeric(precision=5, scale=2), nullable=True),
        sa.Column("cbd_percent", sa.Numeric(precision=5, scale=2), nullable=True),
        sa.Column("feelings", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("flavors", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("usage", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("is_featured", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("coa_media_id", sa.Uuid(), nullable=True),
        sa.Column("thumbnail_url", sa.Text(), nullable=True),
        sa.Column("rating_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("rating_sum", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "search",
            postgresql.TSVECTOR(),
            sa.Computed(
                "setweight(to_tsvector('english', title), 'A') || "
                "setweight(to_tsvector('english', coalesce(strain, '')), 'B') || "
                "setweight(to_tsvector('simple', sku), 'B') || "
                "setweight(to_tsvector('english', vendor_name), 'C') || "
                "setweight(to_tsvector('english', coalesce(subtitle, '')), 'D')",
                persisted=True,
            ),
            nullable=False,
        ),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("cbd_percent BETWEEN 0 AND 100", name=op.f("ck_products_cbd")),
        sa.CheckConstraint(
            "compare_at_price_cents IS NULL OR compare_at_price_cents > 0", name=op.f("ck_products_compare_at_price")
        ),
        sa.CheckConstraint("max_qty IS NULL OR max_qty >= moq", name=op.f("ck_products_max_qty")),
        sa.CheckConstraint("moq >= 1", name=op.f("ck_products_moq")),
        sa.CheckConstraint("price_cents > 0", name=op.f("ck_products_price")),
        sa.CheckConstraint("thc_percent BETWEEN 0 AND 100", name=op.f("ck_products_thc")),
        sa.ForeignKeyConstraint(
            ["vendor_store_id"], ["stores.id"], name=op.f("fk_products_vendor_store_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_products")),
        sa.UniqueConstraint("vendor_store_id", "sku", name=op.f("uq_products_vendor_store_id_sku")),
    )
    op.create_index(
        "ix_products_newest",
        "products",
        ["created_at", "id"],
        unique=False,
        postgresql_where=sa.text("is_active AND deleted_at IS NULL"),
    )
    op.create_index("ix_products_search", "products", ["search"], unique=False, postgresql_using="gin")
    op.create_index("ix_products_vendor", "products", ["vendor_store_id", "created_at", "id"], unique=False)
    op.create_table(
        "store_memberships",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", _enum("member_role"), nullable=False),
        sa.Column("status", _enum("membership_status"), server_default="active", nullable=False),
        sa.Column("invited_by", sa.Uuid(), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["invited_by"], ["users.id"], name=op.f("fk_store_memberships_invited_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["store_id"], ["stores.id"], name=op.f("fk_store_memberships_store_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_store_memberships_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_store_memberships")),
        sa.UniqueConstraint("store_id", "user_id", name=op.f("uq_store_memberships_store_id_user_id")),
    )
    op.create_index("ix_store_memberships_user_id", "store_memberships", ["user_id"], unique=False)
    op.create_table(
        "vendor_promos",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=False),
        sa.Column("code", postgresql.CITEXT(), nullable=False),
        sa.Column("kind", _enum("promo_kind"), nullable=False),
        sa.Column("value", sa.Numeric(precision=12, scale=4), nullable=False),
        sa.Column("min_subtotal_cents", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("max_redemptions", sa.Integer(), nullable=True),
        sa.Column("per_buyer_limit", sa.Integer(), nullable=True),
        sa.Column("redeemed_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("value > 0 AND (kind = 'fixed' OR value <= 100)", name=op.f("ck_vendor_promos_value")),
        sa.CheckConstraint("ends_at IS NULL OR ends_at > starts_at", name=op.f("ck_vendor_promos_period")),
        sa.CheckConstraint(
            "max_redemptions IS NULL OR redeemed_count <= max_redemptions", name=op.f("ck_vendor_promos_redeemed_count")
        ),
        sa.CheckConstraint("min_subtotal_cents >= 0", name=op.f("ck_vendor_promos_min_subtotal")),
        sa.ForeignKeyConstraint(
            ["store_id"], ["stores.id"], name=op.f("fk_vendor_promos_store_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vendor_promos")),
        sa.UniqueConstraint("store_id", "code", name=op.f("uq_vendor_promos_store_id_code")),
    )
    op.create_table(
        "cart_items",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("cart_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("vendor_store_id", sa.Uuid(), nullable=True),
        sa.Column("status", _enum("cart_item_status"), nullable=False),
        sa.Column("requested_qty", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("strain", sa.Text(), nullable=True),
        sa.Column("classification", sa.Text(), nullable=True),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("thumbnail_url", sa.Text(), nullable=True),
        sa.Column("thc_percent", sa.Numeric(precision=5, scale=2), nullable=True),
        sa.Column("cbd_percent", sa.Numeric(precision=5, scale=2), nullable=True),
        sa.Column("moq", sa.Integer(), nullable=False),
        sa.Column("max_qty", sa.Integer(), nullable=True),
        sa.Column("qty", sa.Integer(), nullable=False),
        sa.Column("unit_price_cents", sa.Integer(), nullable=False),
        sa.Column("tier_min_qty", sa.Integer(), nullable=True),
        sa.Column("tier_percent", sa.Numeric(precision=7, scale=4), nullable=True),
        sa.Column("line_subtotal_cents", sa.BigInteger(), nullable=False),
        sa.Column("line_discount_cents", sa.BigInteger(), nullable=False),
        sa.Column("line_total_cents", sa.BigInteger(), nullable=False),
        sa.Column("warnings", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.ForeignKeyConstraint(
            ["cart_id"], ["cart_records.id"], name=op.f("fk_cart_items_cart_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cart_items")),
        sa.UniqueConstraint("cart_id", "product_id", name=op.f("uq_cart_items_cart_id_product_id")),
    )
    op.create_table(
        "cart_vendor_groups",
        sa.Column("cart_id", sa.Uuid(), nullable=False),
        sa.Column("vendor_store_id", sa.Uuid(), nullable=False),
        sa.Column("vendor_name", sa.Text(), nullable=False),
        sa.Column("status", _enum("cart_group_status"), nullable=False),
        sa.Column("warnings", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("subtotal_cents", sa.BigInteger(), nullable=False),
        sa.Column("line_discounts_cents", sa.BigInteger(), nullable=False),
        sa.Column("promo_discount_cents", sa.BigInteger(), nullable=False),
        sa.Column("total_cents", sa.BigInteger(), nullable=False),
        sa.Column("promo_id", sa.Uuid(), nullable=True),
        sa.Column("promo_code", sa.Text(), nullable=True),
        sa.CheckConstraint("total_cents >= 0", name=op.f("ck_cart_vendor_groups_total")),
        sa.ForeignKeyConstraint(
            ["cart_id"], ["cart_records.id"], name=op.f("fk_cart_vendor_groups_cart_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("cart_id", "vendor_store_id", name=op.f("pk_cart_vendor_groups")),
    )
    op.create_table(
        "inventory_items",
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("available_qty", sa.Integer(), nullable=False),
        sa.Column("reserved_qty", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("low_stock_threshold", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("low_stock_told", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint("available_qty >= 0", name=op.f("ck_inventory_items_available_qty")),
        sa.CheckConstraint("low_stock_threshold >= 0", name=op.f("ck_inventory_items_low_stock_threshold")),
        sa.CheckConstraint("reserved_qty >= 0", name=op.f("ck_inventory_items_reserved_qty")),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_inventory_items_product_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("product_id", name=op.f("pk_inventory_items")),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_table(
        "product_volume_discounts",
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("min_qty", sa.Integer(), nullable=False),
        sa.Column("discount_percent", sa.Numeric(precision=7, scale=4), nullable=False),
        sa.CheckConstraint(
            "discount_percent BETWEEN 0 AND 100", name=op.f("ck_product_volume_discounts_discount_percent")
        ),
        sa.CheckConstraint("min_qty >= 1", name=op.f("ck_product_volume_discounts_min_qty")),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_product_volume_discounts_product_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("product_id", "min_qty", name=op.f("pk_product_volume_discounts")),
    )
    op.create_table(
        "promo_redemptions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("promo_id", sa.Uuid(), nullable=False),
        sa.Column("buyer_store_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["promo_id"], ["vendor_promos.id"], name=op.f("fk_promo_redemptions_promo_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promo_redemptions")),
        sa.UniqueConstraint("promo_id", "order_id", name=op.f("uq_promo_redemptions_promo_id_order_id")),
    )
    op.create_index("ix_promo_redemptions_buyer", "promo_redemptions", ["promo_id", "buyer_store_id"], unique=False)
    op.create_table(
        "vendor_orders",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "order_number", sa.BigInteger(), server_default=sa.text("nextval('order_number_seq')"), nullable=False
        ),
        sa.Column("checkout_group_id", sa.Uuid(), nullable=False),
        sa.Column("cart_id", sa.Uuid(), nullable=True),
        sa.Column("buyer_store_id", sa.Uuid(), nullable=False),
        sa.Column("vendor_store_id", sa.Uuid(), nullable=False),
        sa.Column("status", _enum("order_status"), nullable=False),
        sa.Column("held_from", _enum("order_status"), nullable=True),
        sa.Column("fulfillment_status", _enum("fulfillment_status"), server_default="pending", nullable=False),
        sa.Column("shipping_status", _enum("shipping_status"), server_default="pending", nullable=False),
        sa.Column("refund_status", _enum("refund_status"), server_default="none", nullable=False),
        sa.Column("balance_due_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), server_default=sa.text("'USD'"), nullable=False),
        sa.Column("payment_method", _enum("payment_method"), nullable=False),
        sa.Column("shipping_line", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("buyer_notes", sa.Text(), nullable=True),
        sa.Column("attribution", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("pending_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ttl_nudged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_nudged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retry_of_order_id", sa.Uuid(), nullable=True),
        sa.Column("signature_media_id", sa.Uuid(), nullable=True),
        sa.Column("recipient_name", sa.Text(), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fulfilled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("canceled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("subtotal_cents", sa.BigInteger(), nullable=False),
        sa.Column("line_discounts_cents", sa.BigInteger(), nullable=False),
        sa.Column("promo_discount_cents", sa.BigInteger(), nullable=False),
        sa.Column("total_cents", sa.BigInteger(), nullable=False),
        sa.Column("promo_id", sa.Uuid(), nullable=True),
        sa.Column("promo_code", sa.Text(), nullable=True),
        sa.Column("line1", sa.Text(), nullable=False),
        sa.Column("line2", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("postal_code", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), server_default="US", nullable=False),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("lng", sa.Double(), nullable=False),
        sa.CheckConstraint("balance_due_cents >= 0", name=op.f("ck_vendor_orders_balance_due")),
        sa.CheckConstraint("buyer_store_id <> vendor_store_id", name=op.f("ck_vendor_orders_two_stores")),
        sa.CheckConstraint("total_cents >= 0", name=op.f("ck_vendor_orders_total")),
        sa.ForeignKeyConstraint(
            ["buyer_store_id"], ["stores.id"], name=op.f("fk_vendor_orders_buyer_store_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["cart_id"], ["cart_records.id"], name=op.f("fk_vendor_orders_cart_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["retry_of_order_id"],
            ["vendor_orders.id"],
            name=op.f("fk_vendor_orders_retry_of_order_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["vendor_store_id"], ["stores.id"], name=op.f("fk_vendor_orders_vendor_store_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vendor_orders")),
        sa.UniqueConstraint("cart_id", "vendor_store_id", name=op.f("uq_vendor_orders_cart_id_vendor_store_id")),
        sa.UniqueConstraint("order_number", name=op.f("uq_vendor_orders_order_number")),
    )
    op.create_index("ix_vendor_orders_buyer", "vendor_orders", ["buyer_store_id", "created_at", "id"], unique=False)
    op.create_index("ix_vendor_orders_checkout_group_id", "vendor_orders", ["checkout_group_id"], unique=False)
    op.create_index("ix_vendor_orders_open", "vendor_orders", ["status", "created_at", "id"], unique=False)
    op.create_index(
        "ix_vendor_orders_pending",
        "vendor_orders",
        ["pending_until"],
        unique=False,
        postgresql_where=sa.text("status = 'created_pending'"),
    )
    op.create_index("ix_vendor_orders_vendor", "vendor_orders", ["vendor_store_id", "created_at", "id"], unique=False)
    op.create_table(
        "ledger_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("type", _enum("ledger_type"), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("memo", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["vendor_orders.id"], name=op.f("fk_ledger_events_order_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_events")),
    )
    op.create_index("ix_ledger_events_created_at", "ledger_events", ["created_at", "id"], unique=False)
    op.create_index(
        "uq_ledger_events_once",
        "ledger_events",
        ["order_id", "type"],
        unique=True,
        postgresql_where=sa.text("type IN ('cash_collected', 'vendor_payout')"),
    )
    op.create_table(
        "order_assignments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("agent_user_id", sa.Uuid(), nullable=False),
        sa.Column("assigned_by", sa.Text(), nullable=False),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("picked_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cash_collected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["agent_user_id"], ["users.id"], name=op.f("fk_order_assignments_agent_user_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["vendor_orders.id"], name=op.f("fk_order_assignments_order_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_assignments")),
    )
    op.create_index("ix_order_assignments_agent", "order_assignments", ["agent_user_id", "assigned_at"], unique=False)
    op.create_index(
        "uq_order_assignments_open",
        "order_assignments",
        ["order_id"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "order_line_items",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("cart_item_id", sa.Uuid(), nullable=True),
        sa.Column("status", _enum("line_status"), nullable=False),
        sa.Column("rejection_reason", sa.Text(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("attribution", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("strain", sa.Text(), nullable=True),
        sa.Column("classification", sa.Text(), nullable=True),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("thumbnail_url", sa.Text(), nullable=True),
        sa.Column("thc_percent", sa.Numeric(precision=5, scale=2), nullable=True),
        sa.Column("cbd_percent", sa.Numeric(precision=5, scale=2), nullable=True),
        sa.Column("moq", sa.Integer(), nullable=False),
        sa.Column("max_qty", sa.Integer(), nullable=True),
        sa.Column("qty", sa.Integer(), nullable=False),
        sa.Column("unit_price_cents", sa.Integer(), nullable=False),
        sa.Column("tier_min_qty", sa.Integer(), nullable=True),
        sa.Column("tier_percent", sa.Numeric(precision=7, scale=4), nullable=True),
        sa.Column("line_subtotal_cents", sa.BigInteger(), nullable=False),
        sa.Column("line_discount_cents", sa.BigInteger(), nullable=False),
        sa.Column("line_total_cents", sa.BigInteger(), nullable=False),
        sa.Column("warnings", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.CheckConstraint("qty >= 1", name=op.f("ck_order_line_items_qty")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["vendor_orders.id"], name=op.f("fk_order_line_items_order_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_line_items")),
        sa.UniqueConstraint("order_id", "position", name=op.f("uq_order_line_items_order_id_position")),
    )
    op.create_index("ix_order_line_items_product_id", "order_line_items", ["product_id"], unique=False)
    op.create_table(
        "payment_intents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("method", _enum("payment_method"), nullable=False),
        sa.Column("status", _enum("intent_status"), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("failure_reason", sa.Text(), nullable=True),
        sa.Column("cash_collected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("vendor_paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_cents >= 0", name=op.f("ck_payment_intents_amount")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["vendor_orders.id"], name=op.f("fk_payment_intents_order_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_intents")),
        sa.UniqueConstraint("order_id", name=op.f("uq_payment_intents_order_id")),
    )
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$"
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    op.drop_table("payment_intents")
    op.drop_index("ix_order_line_items_product_id", table_name="order_line_items")
    op.drop_table("order_line_items")
    op.drop_index(
        "uq_order_assignments_open", table_name="order_assignments", postgresql_where=sa.text("closed_at IS NULL")
    )
    op.drop_index("ix_order_assignments_agent", table_name="order_assignments")
    op.drop_table("order_assignments")
    op.drop_index(
        "uq_ledger_events_once",
        table_name="ledger_events",
        postgresql_where=sa.text("type IN ('cash_collected', 'vendor_payout')"),
    )
    op.drop_index("ix_ledger_events_created_at", table_name="ledger_events")
    op.drop_table("ledger_events")
    op.drop_index("ix_vendor_orders_vendor", table_name="vendor_orders")
    op.drop_index(
        "ix_vendor_orders_pending", table_name="vendor_orders", postgresql_where=sa.text("status = 'created_pending'")
    )
    op.drop_index("ix_vendor_orders_open", table_name="vendor_orders")
    op.drop_index("ix_vendor_orders_checkout_group_id", table_name="vendor_orders")
    op.drop_index("ix_vendor_orders_buyer", table_name="vendor_orders")
    op.drop_table("vendor_orders")
    op.drop_index("ix_promo_redemptions_buyer", table_name="promo_redemptions")
    op.drop_table("promo_redemptions")
    op.drop_table("product_volume_discounts")
    op.drop_table("inventory_items")
    op.drop_table("cart_vendor_groups")
    op.drop_table("cart_items")
    op.drop_table("vendor_promos")
    op.drop_index("ix_store_memberships_user_id", table_name="store_memberships")
    op.drop_table("store_memberships")
    op.drop_index("ix_products_vendor", table_name="products")
    op.drop_index("ix_products_search", table_name="products", postgresql_using="gin")
    op.drop_index(
        "ix_products_newest", table_name="products", postgresql_where=sa.text("is_active AND deleted_at IS NULL")
    )
    op.drop_table("products")
    op.drop_index("uq_cart_records_active", table_name="cart_records", postgresql_where=sa.text("status = 'active'"))
    op.drop_table("cart_records")
    op.drop_table("users")
    op.drop_index(
        "ix_stores_selling",
        table_name="stores",
        postgresql_where=sa.text(
            "type = 'vendor' AND kyc_status = 'verified' AND subscription_active AND deleted_at IS NULL"
        ),
    )
    op.drop_index("ix_stores_geom", table_name="stores", postgresql_using="gist")
    op.drop_index("ix_stores_created_at", table_name="stores")
    op.drop_table("stores")
    op.drop_table("processed_events")
    op.drop_table("outbox_sequences")
    op.drop_index("uq_outbox_events_sequence", table_name="outbox_events")
    op.drop_index("uq_outbox_events_dedupe_key", table_name="outbox_events")
    op.drop_index("ix_outbox_events_published_at", table_name="outbox_events")
    op.drop_index(
        "ix_outbox_events_order",
        table_name="outbox_events",
        postgresql_where=sa.text("published_at IS NULL AND dead_at IS NULL"),
    )
    op.drop_index(
        "ix_outbox_events_due",
        table_name="outbox_events",
        postgresql_where=sa.text("published_at IS NULL AND dead_at IS NULL"),
    )
    op.drop_table("outbox_events")
    op.drop_index("uq_outbox_dlq_delivery", table_name="outbox_dlq")
    op.drop_index("ix_outbox_dlq_created_at", table_name="outbox_dlq")
    op.drop_table("outbox_dlq")
    op.drop_index("ix_inventory_movements_product", table_name="inventory_movements")
    op.drop_index(
        "ix_inventory_movements_order",
        table_name="inventory_movements",
        postgresql_where=sa.text("order_id IS NOT NULL"),
    )
    op.drop_table("inventory_movements")
    op.drop_index("ix_audit_logs_target", table_name="audit_logs")
    op.drop_index("ix_audit_logs_store", table_name="audit_logs")
    op.drop_index("ix_audit_logs_created_at", table_name="audit_logs")
    op.drop_table("audit_logs")
    op.execute("DROP FUNCTION refuse_change()")
    op.execute("DROP SEQUENCE order_number_seq")
    for name in ENUMS:
        op.execute(f"DROP TYPE {name}")
