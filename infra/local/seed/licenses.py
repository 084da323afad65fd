"""Every store's license with its document; two of them wait for an admin."""

from collections.abc import Sequence
from datetime import timedelta
from random import Random
from uuid import UUID

from infra.local.demo.pdf import one_page
from infra.local.seed.files import File, Files
from infra.local.seed.names import Trade
from infra.local.seed.stores import SeededStore
from shared.kit import clock
from shared.kit.config import CommonSettings
from shared.kit.ids import new_id
from shared.licensing.models import License, LicenseStatus, LicenseType
from shared.media.kinds import MediaKind
from shared.media.models import EntityType

_KINDS = {Trade.GROWER: LicenseType.GROWER, Trade.PROCESSOR: LicenseType.PROCESSOR, None: LicenseType.DISPENSARY}
# The letters with which Oklahoma's regulator begins the numbers of growers, processors and dispensaries.
_PREFIXES = {LicenseType.GROWER: "GAAA", LicenseType.PROCESSOR: "PAAA", LicenseType.DISPENSARY: "DAAA"}


def draw_licenses(stores: Sequence[SeededStore], admin_id: UUID, rng: Random, files: Files) -> list[License]:
    """A license for each store, its document uploaded; what is verified was so by this admin."""
    licenses = [_license(store, admin_id, n, rng) for n, store in enumerate(stores)]
    documents = files.upload([_document(store, license) for store, license in zip(stores, licenses, strict=True)])
    for license, media_id in zip(licenses, documents, strict=True):
        license.media_id = media_id
        files.attach(media_id, EntityType.LICENSE, license.id, license.store_id)
    return licenses


def _license(store: SeededStore, admin_id: UUID, n: int, rng: Random) -> License:
    kind = _KINDS[store.trade]
    today = clock.today(CommonSettings.current().time_zone)
    age_days = rng.randint(60, 300)
    submitted_at = clock.now() - timedelta(days=age_days - 10 if store.is_verified else 1)
    return License(
        id=new_id(),
        store_id=store.id,
        type=kind,
        number=f"{_PREFIXES[kind]}-{n:04}-{rng.randint(1000, 9999)}",
        issuing_state="OK",
        issued_on=today - timedelta(days=age_days),
        expires_on=today + timedelta(days=365 - age_days),
        status=LicenseStatus.VERIFIED if store.is_verified else LicenseStatus.PENDING,
        reviewed_by=admin_id if store.is_verified else None,
        reviewed_at=submitted_at + timedelta(hours=5) if store.is_verified else None,
        created_at=submitted_at,
    )


def _document(store: SeededStore, license: License) -> File:
    page = one_page(
        "OKLAHOMA MEDICAL MARIJUANA AUTHORITY",
        f"Commercial {license.type} license {license.number}",
        store.row["company_name"],
        f"{store.row['line1']}, {store.row['city']}, OK {store.row['postal_code']}",
        f"Issued {license.issued_on}, expires {license.expires_on}",
    )
    return File(store.id, MediaKind.LICENSE_DOC, f"{license.number}.pdf", "application/pdf", page)
