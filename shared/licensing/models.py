"""The table of licenses, and how a license moves from one status to the next."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from shared.kit import clock
from shared.kit.errors import StateConflict
from shared.kit.tables import Created, Id, Table, enum_type


class LicenseType(StrEnum):
    PRODUCER = "producer"
    GROWER = "grower"
    DISPENSARY = "dispensary"
    MERCHANT = "merchant"
    PROCESSOR = "processor"
    TRANSPORTER = "transporter"


class LicenseStatus(StrEnum):
    PENDING = "pending"
    VERIFIED = "verified"
    REJECTED = "rejected"
    EXPIRED = "expired"


class Decision(StrEnum):
    """What an admin may make of a license."""

    VERIFIED = "verified"
    REJECTED = "rejected"


TRANSITIONS: Mapping[LicenseStatus, frozenset[LicenseStatus]] = {
    LicenseStatus.PENDING: frozenset({LicenseStatus.VERIFIED, LicenseStatus.REJECTED, LicenseStatus.EXPIRED}),
    LicenseStatus.VERIFIED: frozenset({LicenseStatus.EXPIRED}),
    LicenseStatus.REJECTED: frozenset({LicenseStatus.EXPIRED}),
    LicenseStatus.EXPIRED: frozenset(),
}

REMOVABLE = frozenset({LicenseStatus.EXPIRED, LicenseStatus.REJECTED})


class LicenseCannotMove(StateConflict):
    default_message = "The license is in a state that does not allow this."


class License(Table):
    """A state's license of a store. It is good through the whole day `expires_on`, in the launch state's zone."""

    __tablename__ = "licenses"
    __table_args__ = (
        UniqueConstraint("issuing_state", "number"),
        CheckConstraint("issued_on <= expires_on", name="dates"),
        Index("ix_licenses_store", "store_id", "created_at", "id"),
        Index("ix_licenses_queue", "status", "created_at", "id"),
        Index("ix_licenses_media_id", "media_id"),
        Index("ix_licenses_expires_on", "expires_on", "id"),
    )

    id: Mapped[Id]
    store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id", ondelete="RESTRICT"))
    type: Mapped[LicenseType] = mapped_column(enum_type(LicenseType, "license_type"))
    number: Mapped[str]
    issuing_state: Mapped[str]
    issued_on: Mapped[date]
    expires_on: Mapped[date]
    status: Mapped[LicenseStatus] = mapped_column(
        enum_type(LicenseStatus, "license_status"),
        default=LicenseStatus.PENDING,
        server_default=LicenseStatus.PENDING.value,
    )
    media_id: Mapped[UUID] = mapped_column(ForeignKey("media.id", ondelete="RESTRICT"))
    reviewed_by: Mapped[UUID | None]
    reviewed_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    warned_at: Mapped[datetime | None]
    created_at: Mapped[Created]

    def shown(self) -> dict[str, str]:
        """What the audit log keeps of a license."""
        return {
            "type": self.type,
            "number": self.number,
            "issuing_state": self.issuing_state,
            "expires_on": self.expires_on.isoformat(),
            "status": self.status,
            "media_id": str(self.media_id),
        }

    def decide(self, decision: Decision, *, by: UUID, reason: str | None) -> LicenseStatus:
        """An admin's word on a pending license; the status it had. Raises LicenseCannotMove."""
        before = self._become(LicenseStatus(decision))
        self.reviewed_by, self.reviewed_at, self.reason = by, clock.now(), reason
        return before

    def _become(self, status: LicenseStatus) -> LicenseStatus:
        before = self.status
        if status not in TRANSITIONS[before]:
            raise LicenseCannotMove(details={"reason": f"license_{before}"})
        self.status = status
        return before
