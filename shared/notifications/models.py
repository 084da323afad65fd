"""Table of what people are told."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.identity.permissions import SystemRole
from shared.kit.tables import Created, Id, Table, enum_type


class NotificationType(StrEnum):
    SYSTEM_ANNOUNCEMENT = "system_announcement"
    MARKET_UPDATE = "market_update"
    SECURITY_ALERT = "security_alert"
    ORDER_ALERT = "order_alert"
    COMPLIANCE = "compliance"
    BILLING = "billing"


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
