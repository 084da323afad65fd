"""Files of stores, and licenses with their documents. No bytes lie behind them unless a test uploads some."""

import itertools
from datetime import timedelta
from typing import Any
from uuid import UUID

from shared.identity.models import Store
from shared.kit import clock
from shared.kit.config import CommonSettings
from shared.kit.db import transaction
from shared.kit.ids import new_id
from shared.licensing.models import License, LicenseStatus, LicenseType
from shared.media.kinds import EXTENSIONS, RULES, MediaKind
from shared.media.models import USABLE, EntityType, Media, MediaAttachment, MediaStatus
from shared.media.storage import object_key
from tests.builders.stores import a_vendor

_numbers = itertools.count(1)


def a_media(
    store: Store | None = None,
    kind: MediaKind = MediaKind.PRODUCT,
    *,
    status: MediaStatus = MediaStatus.UPLOADED,
    mime_type: str | None = None,
    **fields: Any,
) -> Media:
    """An uploaded file of 1,234 bytes, of the first type that its kind may have."""
    media_id = new_id()
    store = store or a_vendor()
    mime_type = mime_type or next(iter(RULES[kind].max_bytes))
    media = Media(
        **{
            "id": media_id,
            "store_id": store.id,
            "kind": kind,
            "status": status,
            "mime_type": mime_type,
            "file_name": f"{kind} {next(_numbers)}.{EXTENSIONS[mime_type]}",
            "size_bytes": 1_234,
            "object_key": object_key(store.id, kind, media_id, mime_type),
            "generation": 1 if status in USABLE else None,
            "uploaded_at": clock.now() if status in USABLE else None,
            **fields,
        }
    )
    with transaction() as session:
        session.add(media)
    return media


def attached(media: Media, entity_type: EntityType, entity_id: UUID | None = None, position: int = 0) -> UUID:
    """Something uses the file; the id of what does."""
    entity_id = entity_id or new_id()
    with transaction() as session:
        session.add(
            MediaAttachment(
                entity_type=entity_type,
                entity_id=entity_id,
                media_id=media.id,
                store_id=media.store_id,
                position=position,
            )
        )
    return entity_id


def a_license(
    store: Store | None = None,
    *,
    status: LicenseStatus = LicenseStatus.VERIFIED,
    expires_in_days: int = 300,
    **fields: Any,
) -> License:
    """A verified grower's license with its document, good for 300 days more. The KYC mirror is left as it is."""
    n = next(_numbers)
    store = store or a_vendor()
    document = a_media(store, MediaKind.LICENSE_DOC)
    today = clock.today(CommonSettings.current().time_zone)
    license = License(
        **{
            "id": new_id(),
            "store_id": store.id,
            "type": LicenseType.GROWER,
            "number": f"GAAA-{n:04d}-OKLA",
            "issuing_state": "OK",
            "issued_on": today + timedelta(days=min(expires_in_days, 0) - 65),
            "expires_on": today + timedelta(days=expires_in_days),
            "status": status,
            "media_id": document.id,
            **fields,
        }
    )
    with transaction() as session:
        session.add(license)
    if license.media_id == document.id:
        attached(document, EntityType.LICENSE, license.id)
    return license
