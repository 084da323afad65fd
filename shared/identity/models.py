"""Tables of people, stores and who belongs where."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Computed, ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import CITEXT, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import UserDefinedType

from shared.identity.addresses import AddressColumns
from shared.identity.permissions import Role, StoreType, SystemRole
from shared.kit.tables import Created, Id, Table, enum_type


class KycStatus(StrEnum):
    PENDING_VERIFICATION = "pending_verification"
    VERIFIED = "verified"
    REJECTED = "rejected"
    EXPIRED = "expired"
    SUSPENDED = "suspended"


class MembershipStatus(StrEnum):
    INVITED = "invited"
    ACTIVE = "active"
    REMOVED = "removed"


class TokenPurpose(StrEnum):
    """What a one-time token in a mail is good for."""

    PASSWORD_RESET = "password_reset"  # noqa: S105 - the name of a purpose
    INVITATION = "invitation"
    EMAIL_VERIFICATION = "email_verification"


SELLING = text("type = 'vendor' AND kyc_status = 'verified' AND subscription_active AND deleted_at IS NULL")
"""What is in the indexes by which buyers find vendors."""


class Geography(UserDefinedType[Any]):
    """PostGIS `geography(Point,4326)`: distances in metres on the spheroid. Read through functions only."""

    cache_ok = True

    def __init__(self, *_: Any) -> None:
        """Whatever PostgreSQL reports of the column's kind, it is this one."""

    def get_col_spec(self, **_: Any) -> str:
        return "geography(Point,4326)"


class User(Table):
    """A person. `system_role` makes an operator or a driver of the platform.

    `mfa_secret` is sealed, and counts once it is confirmed; `mfa_last_step` is the time step of the last
    code that was accepted (RFC 6238), since none is accepted twice.
    """

    __tablename__ = "users"
    __table_args__ = (
        Index("ix_users_system", "system_role", "created_at", "id", postgresql_where=text("system_role IS NOT NULL")),
    )

    id: Mapped[Id]
    email: Mapped[str] = mapped_column(CITEXT, unique=True)
    password_hash: Mapped[str | None]
    first_name: Mapped[str]
    last_name: Mapped[str]
    phone: Mapped[str | None]
    avatar_media_id: Mapped[UUID | None]
    system_role: Mapped[SystemRole | None] = mapped_column(enum_type(SystemRole, "system_role"))
    credential_number: Mapped[str | None]
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    must_change_password: Mapped[bool] = mapped_column(server_default=text("false"))
    email_verified_at: Mapped[datetime | None]
    mfa_secret: Mapped[str | None]
    mfa_confirmed_at: Mapped[datetime | None]
    mfa_last_step: Mapped[int | None] = mapped_column(BigInteger)
    last_login_at: Mapped[datetime | None]
    created_at: Mapped[Created]

    @property
    def mfa_enabled(self) -> bool:
        """Whether signing in takes a code beside the password."""
        return self.mfa_confirmed_at is not None


class Store(AddressColumns, Table):
    """A tenant: one dispensary location, or one vendor entity in one state.

    `delivery_radius_meters` 0 means no limit. `geom` follows lat/lng by definition of the column. A store with
    `deleted_at` is out of everybody's sight; with `anonymised_at` it is kept only for what refers to it.
    """

    __tablename__ = "stores"
    __table_args__ = (
        CheckConstraint("delivery_radius_meters >= 0", name="delivery_radius"),
        CheckConstraint("lat BETWEEN -90 AND 90 AND lng BETWEEN -180 AND 180", name="position"),
        Index("ix_stores_geom", "geom", postgresql_using="gist"),
        Index("ix_stores_selling", "state", "id", postgresql_where=SELLING),
        # As the directory sorts.
        Index(
            "ix_stores_by_name",
            "state",
            text("lower(coalesce(dba_name, company_name))"),
            "id",
            postgresql_where=SELLING,
        ),
        Index(
            "ix_stores_by_rating",
            "state",
            text("(CAST(rating_sum AS double precision) / greatest(CAST(rating_count AS double precision), 1))"),
            "rating_count",
            "id",
            postgresql_where=SELLING,
        ),
        Index("ix_stores_created_at", "created_at", "id"),
        Index(
            "ix_stores_to_erase",
            "deleted_at",
            "id",
            postgresql_where=text("deleted_at IS NOT NULL AND anonymised_at IS NULL"),
        ),
    )

    id: Mapped[Id]
    type: Mapped[StoreType] = mapped_column(enum_type(StoreType, "store_type"))
    company_name: Mapped[str]
    dba_name: Mapped[str | None]
    slug: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str | None]
    phone: Mapped[str | None]
    email: Mapped[str | None]
    kyc_status: Mapped[KycStatus] = mapped_column(
        enum_type(KycStatus, "kyc_status"), server_default=KycStatus.PENDING_VERIFICATION.value
    )
    subscription_active: Mapped[bool] = mapped_column(server_default=text("false"))
    delivery_radius_meters: Mapped[int] = mapped_column(server_default=text("0"))
    geom: Mapped[Any] = mapped_column(
        Geography(),
        Computed("(ST_SetSRID(ST_MakePoint(lng, lat), 4326))::geography", persisted=True),
        deferred=True,
    )
    social_links: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    categories: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))
    logo_media_id: Mapped[UUID | None]
    banner_media_id: Mapped[UUID | None]
    square_customer_id: Mapped[str | None]
    rating_count: Mapped[int] = mapped_column(server_default=text("0"))
    rating_sum: Mapped[int] = mapped_column(server_default=text("0"))
    suspended_reason: Mapped[str | None]
    deleted_at: Mapped[datetime | None]
    anonymised_at: Mapped[datetime | None]
    last_active_at: Mapped[datetime | None]
    created_at: Mapped[Created]

    @property
    def name(self) -> str:
        """What people call the store: the trading name, else the company's."""
        return self.dba_name or self.company_name

    @property
    def is_suspended(self) -> bool:
        """Whether its members may only read."""
        return self.kyc_status is KycStatus.SUSPENDED

    @property
    def rating_average(self) -> float | None:
        """The mean rating to two decimals; none without ratings."""
        return round(self.rating_sum / self.rating_count, 2) if self.rating_count else None


class StoreMembership(Table):
    """That a person belongs to a store, and as what."""

    __tablename__ = "store_memberships"
    __table_args__ = (
        UniqueConstraint("store_id", "user_id"),
        Index("ix_store_memberships_user_id", "user_id"),
    )

    id: Mapped[Id]
    store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id", ondelete="CASCADE"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    role: Mapped[Role] = mapped_column(enum_type(Role, "member_role"))
    status: Mapped[MembershipStatus] = mapped_column(
        enum_type(MembershipStatus, "membership_status"), server_default=MembershipStatus.ACTIVE.value
    )
    invited_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    last_used_at: Mapped[datetime | None]
    created_at: Mapped[Created] = mapped_column(server_default=func.now())

    store: Mapped[Store] = relationship(lazy="raise", viewonly=True)
    user: Mapped[User] = relationship(lazy="raise", viewonly=True, foreign_keys=[user_id])


class OneTimeToken(Table):
    """A token that was mailed to a person, of which only a digest is kept; `used_at` says that it was followed."""

    __tablename__ = "one_time_tokens"
    __table_args__ = (
        Index("ix_one_time_tokens_user", "user_id", "purpose"),
        Index("ix_one_time_tokens_expires_at", "expires_at"),
    )

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    purpose: Mapped[TokenPurpose] = mapped_column(enum_type(TokenPurpose, "token_purpose"))
    digest: Mapped[str] = mapped_column(unique=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    created_at: Mapped[Created]


class BackupCode(Table):
    """A code that proves a person once when their authenticator app cannot, of which only a digest is kept."""

    __tablename__ = "mfa_backup_codes"
    __table_args__ = (UniqueConstraint("user_id", "digest"),)

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    digest: Mapped[str]
    used_at: Mapped[datetime | None]
    created_at: Mapped[Created]
