"""What time does to licenses: their holders are warned once, they expire, and a month later they are gone.

Each step takes one batch in the caller's transaction, by a number of statements that does not depend on the
batch. What another run holds is passed over, so that two runs share the work.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, literal, select, tuple_, update
from sqlalchemy.orm import Session

from shared.events.licenses import LicenseExpiringSoon, LicenseStatusChanged
from shared.identity.models import KycStatus
from shared.kit import clock
from shared.kit.outbox import emit
from shared.licensing import kyc
from shared.licensing.models import TRANSITIONS, License, LicenseStatus
from shared.media import attachments, deletion
from shared.media.models import EntityType
from shared.operations.audit import entry, record

WARNED_BEFORE = timedelta(days=14)
KEPT_AFTER = timedelta(days=30)
BATCH = 500

# A rejected license is good for nothing already: nobody needs to hear that it ends.
_WORTH_A_WARNING = (LicenseStatus.PENDING, LicenseStatus.VERIFIED)
_EXPIRABLE = tuple(status for status, later in TRANSITIONS.items() if LicenseStatus.EXPIRED in later)

Place = tuple[date, UUID]
"""Where a batch ended, in the order of expiration date and id; the next begins behind it."""


def warn(session: Session, today: date, after: Place | None) -> list[License]:
    """Announce, once for each, licenses that end within 14 days; those of the batch."""
    due = (
        License.status.in_(_WORTH_A_WARNING),
        License.warned_at.is_(None),
        License.expires_on.between(today, today + WARNED_BEFORE),
    )
    licenses = _lock_batch(session, after, *due)
    if licenses:
        session.execute(update(License).where(_among(licenses)).values(warned_at=clock.now()))
        emit(session, *map(_expiring_soon, licenses))
    return licenses


def expire(session: Session, today: date, after: Place | None) -> list[License]:
    """Expire licenses whose last day is over, with all that follows for their stores; those of the batch."""
    licenses = _lock_batch(session, after, License.status.in_(_EXPIRABLE), License.expires_on < today)
    if not licenses:
        return []
    before = {each.id: each.status for each in licenses}
    session.execute(update(License).where(_among(licenses)).values(status=LicenseStatus.EXPIRED))
    standing = kyc.mirror(session, {each.store_id for each in licenses})
    changes = [_changed(each, before[each.id], standing[each.store_id]) for each in licenses]
    record(session, *map(_audited, changes))
    emit(session, *changes)
    return licenses


def purge(session: Session, today: date, after: Place | None) -> list[License]:
    """Delete licenses that ended more than 30 days ago, and ask for documents to go that nothing else uses."""
    over = (License.status == LicenseStatus.EXPIRED, License.expires_on < today - KEPT_AFTER)
    licenses = _lock_batch(session, after, *over)
    if not licenses:
        return []
    session.execute(delete(License).where(_among(licenses)))
    attachments.drop_all(session, EntityType.LICENSE, [each.id for each in licenses])
    deletion.request_unused(session, {each.media_id for each in licenses})
    kyc.mirror(session, {each.store_id for each in licenses})
    record(session, *(entry("license.purged", "license", each.id, before=each.shown()) for each in licenses))
    return licenses


def _lock_batch(session: Session, after: Place | None, *due: ColumnElement[bool]) -> list[License]:
    key = (License.expires_on, License.id)
    found = select(License).where(*due).order_by(*key).limit(BATCH).with_for_update(skip_locked=True)
    if after is not None:
        bounds = (literal(value, column.type) for value, column in zip(after, key, strict=True))
        found = found.where(tuple_(*key) > tuple_(*bounds))
    return list(session.scalars(found))


def _among(licenses: Sequence[License]) -> ColumnElement[bool]:
    return License.id.in_([each.id for each in licenses])


def _expiring_soon(license: License) -> LicenseExpiringSoon:
    return LicenseExpiringSoon(license_id=license.id, store_id=license.store_id, expires_on=license.expires_on)


def _changed(license: License, before: LicenseStatus, kyc_status: KycStatus) -> LicenseStatusChanged:
    return LicenseStatusChanged(
        license_id=license.id,
        store_id=license.store_id,
        from_status=before,
        to_status=LicenseStatus.EXPIRED,
        reason=None,
        kyc_status=kyc_status,
    )


def _audited(change: LicenseStatusChanged) -> dict[str, Any]:
    after = {"status": change.to_status, "store_id": str(change.store_id), "kyc_status": change.kyc_status}
    return entry("license.expired", "license", change.license_id, before={"status": change.from_status}, after=after)
