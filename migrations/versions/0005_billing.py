"""Billing: plans, cards, subscriptions, charges."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ENUMS = {
    "plan_interval": ("every_30_days", "annual"),
    "plan_status": ("active", "deprecated", "hidden"),
    "subscription_status": ("trialing", "active", "past_due", "paused", "canceled", "pending", "unknown"),
    "charge_type": ("subscription", "ad_spend", "other"),
    "charge_status": ("pending", "succeeded", "failed", "refunded"),
    "usage_type": ("ad_spend",),
}


def _enum(name: str) -> postgresql.ENUM:
    return postgresql.ENUM(*ENUMS[name], name=name, create_type=False)


def upgrade() -> None:
    for name, values in ENUMS.items():
        postgresql.ENUM(*values, name=name).create(op.get_bind())
    op.create_table(
        "billing_plans",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("interval", _enum("plan_interval"), nullable=False),
        sa.Column("price_cents", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), server_default=sa.text("'USD'"), nullable=False),
        sa.Column("trial_days", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("square_plan_id", sa.Text(), nullable=False),
        sa.Column("square_variation_id", sa.Text(), nullable=False),
        sa.Column("status", _enum("plan_status"), server_default="active", nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_test", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("ui", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("features", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("NOT is_default OR status = 'active'", name=op.f("ck_billing_plans_default_is_active")),
        sa.CheckConstraint("price_cents > 0", name=op.f("ck_billing_plans_price")),
        sa.CheckConstraint("trial_days >= 0", name=op.f("ck_billing_plans_trial_days")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_plans")),
        sa.UniqueConstraint("name", name=op.f("uq_billing_plans_name")),
    )
    op.create_index("ix_billing_plans_price", "billing_plans", ["price_cents", "id"], unique=False)
    op.create_index(
        "uq_billing_plans_default", "billing_plans", ["is_default"], unique=True, postgresql_where=sa.text("is_default")
    )
    op.create_table(
        "payment_methods",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=False),
        sa.Column("square_card_id", sa.Text(), nullable=False),
        sa.Column("brand", sa.Text(), nullable=False),
        sa.Column("last4", sa.Text(), nullable=False),
        sa.Column("exp_month", sa.Integer(), nullable=False),
        sa.Column("exp_year", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["store_id"], ["stores.id"], name=op.f("fk_payment_methods_store_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_methods")),
        sa.UniqueConstraint("square_card_id", name=op.f("uq_payment_methods_square_card_id")),
    )
    op.create_index("ix_payment_methods_store", "payment_methods", ["store_id", "created_at", "id"], unique=False)
    op.create_index(
        "uq_payment_methods_default",
        "payment_methods",
        ["store_id"],
        unique=True,
        postgresql_where=sa.text("is_default AND disabled_at IS NULL"),
    )
    op.create_index(
        "uq_payment_methods_fingerprint",
        "payment_methods",
        ["store_id", "fingerprint"],
        unique=True,
        postgresql_where=sa.text("disabled_at IS NULL"),
    )
    op.create_table(
        "subscription_intents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("payment_method_id", sa.Uuid(), nullable=False),
        sa.Column("square_variation_id", sa.Text(), nullable=False),
        sa.Column("square_customer_id", sa.Text(), nullable=False),
        sa.Column("square_card_id", sa.Text(), nullable=False),
        sa.Column("trial_ends_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["payment_method_id"],
            ["payment_methods.id"],
            name=op.f("fk_subscription_intents_payment_method_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["billing_plans.id"], name=op.f("fk_subscription_intents_plan_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["store_id"], ["stores.id"], name=op.f("fk_subscription_intents_store_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription_intents")),
        sa.UniqueConstraint("store_id", name=op.f("uq_subscription_intents_store_id")),
    )
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("payment_method_id", sa.Uuid(), nullable=True),
        sa.Column("square_subscription_id", sa.Text(), nullable=False),
        sa.Column("square_customer_id", sa.Text(), nullable=False),
        sa.Column("square_card_id", sa.Text(), nullable=True),
        sa.Column("status", _enum("subscription_status"), nullable=False),
        sa.Column("provider_status", sa.Text(), nullable=False),
        sa.Column("provider_version", sa.BigInteger(), nullable=False),
        sa.Column("trial_ends_on", sa.Date(), nullable=True),
        sa.Column("period_start_on", sa.Date(), nullable=True),
        sa.Column("period_end_on", sa.Date(), nullable=True),
        sa.Column("cancel_at_period_end", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pause_effective_on", sa.Date(), nullable=True),
        sa.Column("resume_effective_on", sa.Date(), nullable=True),
        sa.Column("canceled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["payment_method_id"],
            ["payment_methods.id"],
            name=op.f("fk_subscriptions_payment_method_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["billing_plans.id"], name=op.f("fk_subscriptions_plan_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["store_id"], ["stores.id"], name=op.f("fk_subscriptions_store_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriptions")),
        sa.UniqueConstraint("square_subscription_id", name=op.f("uq_subscriptions_square_subscription_id")),
        sa.UniqueConstraint("store_id", name=op.f("uq_subscriptions_store_id")),
    )
    op.create_index("ix_subscriptions_plan_id", "subscriptions", ["plan_id"], unique=False)
    op.create_table(
        "charges",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=False),
        sa.Column("type", _enum("charge_type"), nullable=False),
        sa.Column("amount_cents", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), server_default=sa.text("'USD'"), nullable=False),
        sa.Column("status", _enum("charge_status"), nullable=False),
        sa.Column("square_payment_id", sa.Text(), nullable=True),
        sa.Column("square_invoice_id", sa.Text(), nullable=True),
        sa.Column("square_subscription_id", sa.Text(), nullable=True),
        sa.Column("provider_version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("billed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("period_start_on", sa.Date(), nullable=True),
        sa.Column("period_end_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_cents >= 0", name=op.f("ck_charges_amount")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_charges_store_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_charges")),
        sa.UniqueConstraint("square_invoice_id", name=op.f("uq_charges_square_invoice_id")),
        sa.UniqueConstraint("square_payment_id", name=op.f("uq_charges_square_payment_id")),
    )
    op.create_index("ix_charges_store", "charges", ["store_id", "billed_at", "id"], unique=False)
    op.create_index(
        "ix_charges_subscription",
        "charges",
        ["square_subscription_id"],
        unique=False,
        postgresql_where=sa.text("square_subscription_id IS NOT NULL"),
    )
    op.create_table(
        "usage_charges",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=False),
        sa.Column("usage_type", _enum("usage_type"), nullable=False),
        sa.Column("for_date", sa.Date(), nullable=False),
        sa.Column("amount_cents", sa.Integer(), nullable=False),
        sa.Column("charge_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_cents >= 0", name=op.f("ck_usage_charges_amount")),
        sa.ForeignKeyConstraint(
            ["charge_id"], ["charges.id"], name=op.f("fk_usage_charges_charge_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["store_id"], ["stores.id"], name=op.f("fk_usage_charges_store_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usage_charges")),
        sa.UniqueConstraint(
            "store_id", "usage_type", "for_date", name=op.f("uq_usage_charges_store_id_usage_type_for_date")
        ),
    )
    op.create_index("ix_usage_charges_charge_id", "usage_charges", ["charge_id"], unique=False)


def downgrade() -> None:
    op.drop_table("usage_charges")
    op.drop_table("charges")
    op.drop_table("subscriptions")
    op.drop_table("subscription_intents")
    op.drop_table("payment_methods")
    op.drop_table("billing_plans")
    for name in ENUMS:
        op.execute(f"DROP TYPE {name}")
