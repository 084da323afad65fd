"""A store's KYC status mirrors its licenses: one rule, always applied under a lock on the store."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from shared.identity.models import KycStatus, Store
from shared.kit import clock
from shared.kit.config import CommonSettings
from shared.licensing.models import License, LicenseStatus


@dataclass(frozen=True)
class Standing:
    """What counts of a license."""

    status: LicenseStatus
    expires_on: date

    def effective(self, today: date) -> LicenseStatus:
        """A verified license counts as expired from the day after its last, whether or not a job has said so."""
        ran_out = self.status is LicenseStatus.VERIFIED and self.expires_on < today
        return LicenseStatus.EXPIRED if ran_out else self.status


# The best standing of any license decides.
_DECIDING = (
    (LicenseStatus.VERIFIED, KycStatus.VERIFIED),
    (LicenseStatus.PENDING, KycStatus.PENDING_VERIFICATION),
    (LicenseStatus.EXPIRED, KycStatus.EXPIRED),
    (LicenseStatus.REJECTED, KycStatus.REJECTED),
)


def mirrored(current: KycStatus, licenses: Iterable[Standing], today: date) -> KycStatus:
    """What a store's KYC status shall be; a suspended store stays so until it is reinstated."""
    if current is KycStatus.SUSPENDED:
        return current
    present = {license.effective(today) for license in licenses}
    for standing, status in _DECIDING:
        if standing in present:
            return status
    return KycStatus.PENDING_VERIFICATION


def mirror(session: Session, store_ids: Collection[UUID]) -> dict[UUID, KycStatus]:
    """Set the KYC status of these stores from their licenses as they are in this transaction; what it is now.

    Locks the stores in id order. A store that does not exist is left out.
    """
    session.flush()
    held = session.execute(
        select(Store.id, Store.kyc_status)
        .where(Store.id.in_(store_ids))
        .order_by(Store.id)
        # Orders and carts may go on referring to the store meanwhile.
        .with_for_update(key_share=True)
    )
    before = {row.id: row.kyc_status for row in held}
    standings = _standings(session, before)
    today = clock.today(CommonSettings.current().time_zone)
    after = {store_id: mirrored(status, standings[store_id], today) for store_id, status in before.items()}
    for status in set(after.values()):
        changed = [store_id for store_id in after if after[store_id] is status and before[store_id] is not status]
        if changed:
            session.execute(update(Store).where(Store.id.in_(changed)).values(kyc_status=status))
    return after


def _standings(session: Session, store_ids: Collection[UUID]) -> dict[UUID, list[Standing]]:
    """Of each status only the license that lasts longest, which is the one that counts."""
    standings: dict[UUID, list[Standing]] = defaultdict(list)
    rows = session.execute(
        select(License.store_id, License.status, func.max(License.expires_on).label("expires_on"))
        .where(License.store_id.in_(store_ids))
        .group_by(License.store_id, License.status)
    )
    for row in rows:
        standings[row.store_id].append(Standing(row.status, row.expires_on))
    return standings
