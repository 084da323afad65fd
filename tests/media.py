"""Bytes behind files, and how the files stand now."""

import io
from uuid import UUID

from shared.integrations.gcs import StoredObject, object_store
from shared.kit.db import read_only
from shared.media.models import Media, MediaAttachment
from tests.storage import MEDIA_BUCKET


def uploaded_bytes(media: Media, content: bytes, *, content_type: str | None = None) -> StoredObject:
    """Put bytes behind a file, past every check of a signed upload."""
    return object_store().upload(
        MEDIA_BUCKET, media.object_key, io.BytesIO(content), content_type=content_type or media.mime_type
    )


def stored(media: Media) -> StoredObject | None:
    """What lies in the bucket for a file."""
    return object_store().stat(MEDIA_BUCKET, media.object_key)


def media_now(media: Media) -> Media:
    """The row as it is now."""
    with read_only() as session:
        found = session.get(Media, media.id)
    assert found is not None
    return found


def users_of(media: Media) -> list[tuple[str, UUID]]:
    """What uses a file, as (entity type, entity id)."""
    from sqlalchemy import select

    with read_only() as session:
        rows = session.scalars(select(MediaAttachment).where(MediaAttachment.media_id == media.id))
        return sorted((row.entity_type.value, row.entity_id) for row in rows)
