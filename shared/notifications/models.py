"""Tables of what people are told, and of the mail that tells them."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

import shared.identity.models  # noqa: F401 - the foreign keys here refer to its tables
from shared.identity.permissions import SystemRole
from shared.kit.tables import Created, Id, Json, Moment, Table, enum_type


class NotificationType(StrEnum):
    SYSTEM_ANNOUNCEMENT = "system_announcement"
    MARKET_UPDATE = "market_update"
    SECURITY_ALERT = "security_alert"
    ORDER_ALERT = "order_alert"
    COMPLIANCE = "compliance"
    BILLING = "billing"


class DeliveryStatus(StrEnum):
    """A mail is to be sent, was handed over, refused for good, or left unsent: its person is gone, or mail is off."""

    PENDING = "pending"
    SENT = "sent"
    REFUSED = "refused"
    DROPPED = "dropped"


class Notification(Table):
    """One thing told to one recipient: a store, everybody with a system role, or a user.

    `event_id` is the event or the announcement that it tells of. Once one of the recipient has read it, it is read.
    """

    __tablename__ = "notifications"
    __table_args__ = (
        CheckConstraint(
            "num_nonnulls(recipient_store_id, recipient_role, recipient_user_id) = 1", name="one_recipient"
        ),
        Index(
            "uq_notifications_once",
            "event_id",
            "recipient_store_id",
            "recipient_role",
            "recipient_user_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        Index(
            "ix_notifications_store",
            "recipient_store_id",
            "created_at",
            "id",
            postgresql_where=text("recipient_store_id IS NOT NULL"),
        ),
        Index(
            "ix_notifications_role",
            "recipient_role",
            "created_at",
            "id",
            postgresql_where=text("recipient_role IS NOT NULL"),
        ),
        Index(
            "ix_notifications_user",
            "recipient_user_id",
            "created_at",
            "id",
            postgresql_where=text("recipient_user_id IS NOT NULL"),
        ),
        Index("ix_notifications_created_at", "created_at"),
    )

    id: Mapped[Id]
    event_id: Mapped[UUID]
    recipient_store_id: Mapped[UUID | None] = mapped_column(ForeignKey("stores.id", ondelete="CASCADE"))
    recipient_role: Mapped[SystemRole | None] = mapped_column(enum_type(SystemRole, "system_role"))
    recipient_user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    type: Mapped[NotificationType] = mapped_column(enum_type(NotificationType, "notification_type"))
    title: Mapped[str]
    message: Mapped[str]
    link: Mapped[str]
    read_at: Mapped[datetime | None]
    created_at: Mapped[Created]


class EmailDelivery(Table):
    """One mail to one person about one event: written with what the event did, sent afterwards, and never twice.

    `words` fill in the `template`; `due_at` is when the next try may begin, and lies ahead while one is made;
    `reason` is the provider's for a refusal, or the flag that is off; it names no person.
    """

    __tablename__ = "email_deliveries"
    __table_args__ = (
        UniqueConstraint("event_id", "user_id"),
        Index("ix_email_deliveries_due", "due_at", postgresql_where=text("status = 'pending'")),
        Index("ix_email_deliveries_created_at", "created_at"),
    )

    id: Mapped[Id]
    event_id: Mapped[UUID]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    store_id: Mapped[UUID | None] = mapped_column(ForeignKey("stores.id", ondelete="CASCADE"))
    category: Mapped[NotificationType] = mapped_column(enum_type(NotificationType, "notification_type"))
    template: Mapped[str]
    words: Mapped[Json]
    status: Mapped[DeliveryStatus] = mapped_column(enum_type(DeliveryStatus, "email_delivery_status"))
    attempts: Mapped[int] = mapped_column(SmallInteger)
    due_at: Mapped[Moment]
    finished_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    created_at: Mapped[Created]


class NotificationPreference(Table):
    """Whether a person wants mail of a category; without a row they do."""

    __tablename__ = "notification_preferences"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    category: Mapped[NotificationType] = mapped_column(
        enum_type(NotificationType, "notification_type"), primary_key=True
    )
    email: Mapped[bool]
    changed_at: Mapped[Moment]
