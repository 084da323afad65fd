"""An admin decides on a license."""

from uuid import UUID

from sqlalchemy.orm import Session

from shared.events.licenses import LicenseStatusChanged
from shared.identity.models import KycStatus
from shared.kit.outbox import emit
from shared.licensing import kyc, queries
from shared.licensing.models import Decision, License
from shared.operations.audit import audit


def decide(
    session: Session, license_id: UUID, decision: Decision, *, by: UUID, reason: str | None
) -> tuple[License, KycStatus]:
    """Verify or reject a pending license, and what its store's KYC status is then.

    Status, KYC mirror, audit and event in the caller's transaction. Raises LicenseNotFound, LicenseCannotMove.
    """
    license = queries.lock_license(session, license_id, store_id=None)
    before = license.decide(decision, by=by, reason=reason)
    status = kyc.mirror(session, [license.store_id])[license.store_id]
    audit(
        session,
        f"license.{decision}",
        "license",
        license.id,
        before={"status": before},
        after={"status": license.status, "reason": reason, "store_id": str(license.store_id), "kyc_status": status},
    )
    emit(
        session,
        LicenseStatusChanged(
            license_id=license.id,
            store_id=license.store_id,
            from_status=before,
            to_status=license.status,
            reason=reason,
            kyc_status=status,
        ),
    )
    return license, status
