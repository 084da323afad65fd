"""Events about licenses."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from shared.events import topics
from shared.kit.outbox import Event

_ID = "01980000-0000-7000-8000-000000000001"


class LicenseEvent(Event):
    """Something that happened to a license."""

    aggregate: ClassVar[str] = "license"
    topics: ClassVar[tuple[str, ...]] = (topics.NOTIFICATIONS,)
    license_id: UUID
    store_id: UUID

    @property
    def aggregate_id(self) -> UUID:
        return self.license_id


class LicenseSubmitted(LicenseEvent):
    """A license waits for an admin."""

    example = {"license_id": _ID, "store_id": _ID}


class LicenseStatusChanged(LicenseEvent):
    """An admin decided, or time did."""

    example = {
        "license_id": _ID,
        "store_id": _ID,
        "from_status": "pending",
        "to_status": "verified",
        "reason": None,
        "kyc_status": "verified",
    }
    from_status: str
    to_status: str
    reason: str | None
    kyc_status: str


class LicenseExpiringSoon(LicenseEvent):
    """Fourteen days or less are left."""

    example = {"license_id": _ID, "store_id": _ID, "expires_on": "2027-01-31"}
    expires_on: date
