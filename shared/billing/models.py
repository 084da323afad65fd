"""Tables of what vendors pay for: plans, cards, subscriptions, and the charges made.

Of a card nothing is kept beyond brand, last four digits, expiry, and the fingerprint that tells it from others.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from shared.kit.tables import Created, Id, Table, enum_type


class PlanInterval(StrEnum):
    EVERY_30_DAYS = "every_30_days"
    ANNUAL = "annual"


class PlanStatus(StrEnum):
    ACTIVE = "active"
    DEPRECATED = "deprecated"
    HIDDEN = "hidden"


class SubscriptionStatus(StrEnum):
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    PAUSED = "paused"
    CANCELED = "canceled"
    PENDING = "pending"
    UNKNOWN = "unknown"


class ChargeType(StrEnum):
    SUBSCRIPTION = "subscription"
    AD_SPEND = "ad_spend"
    OTHER = "other"


class ChargeStatus(StrEnum):
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REFUNDED = "refunded"


class UsageType(StrEnum):
    AD_SPEND = "ad_spend"


class BillingPlan(Table):
    """What a vendor can subscribe to. `ui` and `features` are for the pages that show it."""

    __tablename__ = "billing_plans"
    __table_args__ = (
        CheckConstraint("price_cents > 0", name="price"),
        CheckConstraint("trial_days >= 0", name="trial_days"),
        CheckConstraint("NOT is_default OR status = 'active'", name="default_is_active"),
        Index("uq_billing_plans_default", "is_default", unique=True, postgresql_where=text("is_default")),
        Index("ix_billing_plans_price", "price_cents", "id"),
    )

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(unique=True)
    interval: Mapped[PlanInterval] = mapped_column(enum_type(PlanInterval, "plan_interval"))
    price_cents: Mapped[int]
    currency: Mapped[str] = mapped_column(server_default=text("'USD'"))
    trial_days: Mapped[int] = mapped_column(server_default=text("0"))
    square_plan_id: Mapped[str]
    square_variation_id: Mapped[str]
    status: Mapped[PlanStatus] = mapped_column(
        enum_type(PlanStatus, "plan_status"), server_default=PlanStatus.ACTIVE.value
    )
    is_default: Mapped[bool] = mapped_column(server_default=text("false"))
    is_test: Mapped[bool] = mapped_column(server_default=text("false"))
    ui: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    features: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    created_at: Mapped[Created]


class PaymentMethod(Table):
    """A card that Square keeps for a store. `disabled_at` says that it was removed."""

    __tablename__ = "payment_methods"
    __table_args__ = (
        Index(
            "uq_payment_methods_default",
            "store_id",
            unique=True,
            postgresql_where=text("is_default AND disabled_at IS NULL"),
        ),
        Index(
            "uq_payment_methods_fingerprint",
            "store_id",
            "fingerprint",
            unique=True,
            postgresql_where=text("disabled_at IS NULL"),
        ),
        Index("ix_payment_methods_store", "store_id", "created_at", "id"),
    )

    id: Mapped[Id]
    store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id", ondelete="CASCADE"))
    square_card_id: Mapped[str] = mapped_column(unique=True)
    brand: Mapped[str]
    last4: Mapped[str]
    exp_month: Mapped[int]
    exp_year: Mapped[int]
    fingerprint: Mapped[str]
    is_default: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[Created]
    disabled_at: Mapped[datetime | None]


class SubscriptionIntent(Table):
    """What a store is about to subscribe to, pinned before Square is asked.

    Its id makes Square's idempotency key and its columns all that Square is told, so that whoever tries
    again after a failure finds what was bought. It goes when the outcome is known.
    """

    __tablename__ = "subscription_intents"

    id: Mapped[Id]
    store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id", ondelete="CASCADE"), unique=True)
    plan_id: Mapped[UUID] = mapped_column(ForeignKey("billing_plans.id", ondelete="CASCADE"))
    payment_method_id: Mapped[UUID] = mapped_column(ForeignKey("payment_methods.id", ondelete="CASCADE"))
    square_variation_id: Mapped[str]
    square_customer_id: Mapped[str]
    square_card_id: Mapped[str]
    trial_ends_on: Mapped[date | None]
    created_at: Mapped[Created]


class Subscription(Table):
    """A store's subscription as Square tells it; `status` is what that means to us.

    `provider_status` is Square's own word. `period_end_on` is the last day that is invoiced. The first
    day that a trial costs money is `trial_ends_on`.
    """

    __tablename__ = "subscriptions"
    __table_args__ = (Index("ix_subscriptions_plan_id", "plan_id"),)

    id: Mapped[Id]
    store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id", ondelete="CASCADE"), unique=True)
    plan_id: Mapped[UUID] = mapped_column(ForeignKey("billing_plans.id", ondelete="RESTRICT"))
    payment_method_id: Mapped[UUID | None] = mapped_column(ForeignKey("payment_methods.id", ondelete="SET NULL"))
    square_subscription_id: Mapped[str] = mapped_column(unique=True)
    square_customer_id: Mapped[str]
    square_card_id: Mapped[str | None]
    status: Mapped[SubscriptionStatus] = mapped_column(enum_type(SubscriptionStatus, "subscription_status"))
    provider_status: Mapped[str]
    provider_version: Mapped[int] = mapped_column(BigInteger)
    trial_ends_on: Mapped[date | None]
    period_start_on: Mapped[date | None]
    period_end_on: Mapped[date | None]
    cancel_at_period_end: Mapped[bool] = mapped_column(server_default=text("false"))
    paused_at: Mapped[datetime | None]
    pause_effective_on: Mapped[date | None]
    resume_effective_on: Mapped[date | None]
    canceled_at: Mapped[datetime | None]
    created_at: Mapped[Created]

    plan: Mapped[BillingPlan] = relationship(lazy="raise", viewonly=True)


class Charge(Table):
    """Money that was, or shall be, taken from a store's card. Subscription invoices are charges too."""

    __tablename__ = "charges"
    __table_args__ = (
        CheckConstraint("amount_cents >= 0", name="amount"),
        Index("ix_charges_store", "store_id", "billed_at", "id"),
        Index(
            "ix_charges_subscription",
            "square_subscription_id",
            postgresql_where=text("square_subscription_id IS NOT NULL"),
        ),
    )

    id: Mapped[Id]
    store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id", ondelete="CASCADE"))
    type: Mapped[ChargeType] = mapped_column(enum_type(ChargeType, "charge_type"))
    amount_cents: Mapped[int]
    currency: Mapped[str] = mapped_column(server_default=text("'USD'"))
    status: Mapped[ChargeStatus] = mapped_column(enum_type(ChargeStatus, "charge_status"))
    square_payment_id: Mapped[str | None] = mapped_column(unique=True)
    square_invoice_id: Mapped[str | None] = mapped_column(unique=True)
    square_subscription_id: Mapped[str | None]
    provider_version: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    attempts: Mapped[int] = mapped_column(server_default=text("1"))
    failure_code: Mapped[str | None]
    billed_at: Mapped[datetime]
    period_start_on: Mapped[date | None]
    period_end_on: Mapped[date | None]
    created_at: Mapped[Created]


class UsageCharge(Table):
    """What a store used on one day, to be part of a charge."""

    __tablename__ = "usage_charges"
    __table_args__ = (
        UniqueConstraint("store_id", "usage_type", "for_date"),
        CheckConstraint("amount_cents >= 0", name="amount"),
        Index("ix_usage_charges_charge_id", "charge_id"),
    )

    id: Mapped[Id]
    store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id", ondelete="CASCADE"))
    usage_type: Mapped[UsageType] = mapped_column(enum_type(UsageType, "usage_type"))
    for_date: Mapped[date]
    amount_cents: Mapped[int]
    charge_id: Mapped[UUID | None] = mapped_column(ForeignKey("charges.id", ondelete="RESTRICT"))
    created_at: Mapped[Created]
