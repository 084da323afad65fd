"""How licenses are shown."""

from datetime import date, datetime
from uuid import UUID

from shared.identity.models import KycStatus, Store
from shared.identity.permissions import StoreType
from shared.kit.schemas import Response
from shared.licensing.models import License, LicenseStatus, LicenseType
from shared.media.storage import Link


class LicenseResponse(Response):
    """One license. `document_url` reads the document until `document_url_expires_at`."""

    id: UUID
    store_id: UUID
    type: LicenseType
    number: str
    issuing_state: str
    issued_on: date
    expires_on: date
    status: LicenseStatus
    reason: str | None
    reviewed_at: datetime | None
    media_id: UUID
    document_url: str | None
    document_url_expires_at: datetime | None
    created_at: datetime

    @classmethod
    def of(cls, license: License, link: Link | None) -> "LicenseResponse":
        """A license with the address of its document."""
        return cls(**_told(cls, license, link))


class StoreSummary(Response):
    """Whose license it is, to compare with what the document says."""

    id: UUID
    type: StoreType
    company_name: str
    dba_name: str | None
    kyc_status: KycStatus
    line1: str
    line2: str | None
    city: str
    state: str
    postal_code: str


class QueuedLicenseResponse(LicenseResponse):
    """One license as an admin sees it."""

    reviewed_by: UUID | None
    store: StoreSummary

    @classmethod
    def in_queue(cls, license: License, link: Link | None, store: Store) -> "QueuedLicenseResponse":
        """A license with its store and the address of its document."""
        return cls(**_told(cls, license, link), store=StoreSummary.model_validate(store))


class DecidedResponse(Response):
    """What became of a license and of its store."""

    id: UUID
    store_id: UUID
    status: LicenseStatus
    reason: str | None
    reviewed_by: UUID
    reviewed_at: datetime
    kyc_status: KycStatus


def _told(shape: type[LicenseResponse], license: License, link: Link | None) -> dict[str, object]:
    told = {name: getattr(license, name) for name in shape.model_fields if hasattr(license, name)}
    return told | {"document_url": link and link.url, "document_url_expires_at": link and link.expires_at}
