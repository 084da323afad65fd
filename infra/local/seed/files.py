"""Files in the bucket: written as originals and announced as uploaded, so that the pipeline makes the rest of them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from uuid import UUID

from sqlalchemy.orm import Session
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_fixed

from shared.integrations.gcs import StoredObject, object_store
from shared.kit import clock
from shared.kit.errors import DependencyDown
from shared.kit.ids import new_id
from shared.kit.outbox import emit
from shared.media.kinds import MediaKind
from shared.media.models import EntityType, Media, MediaAttachment
from shared.media.storage import MediaSettings, object_key

_AT_ONCE = 4


@dataclass(frozen=True)
class File:
    """A file of a store that shall be in the bucket."""

    store_id: UUID
    kind: MediaKind
    name: str
    mime_type: str
    content: bytes


class Files:
    """Uploads files, and writes their rows and what uses them, all at once."""

    def __init__(self) -> None:
        self._media: list[Media] = []
        self._attachments: list[MediaAttachment] = []

    def upload(self, files: list[File]) -> list[UUID]:
        """Put files into the bucket; their media ids, in the same order."""
        media = [_row(file) for file in files]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            stored = list(pool.map(_put, media, files))
        for row, held in zip(media, stored, strict=True):
            row.generation, row.md5_hash = held.generation, held.md5_hash
        self._media += media
        return [row.id for row in media]

    def attach(self, media_id: UUID, entity_type: EntityType, entity_id: UUID, store_id: UUID) -> None:
        """Let something use an uploaded file as its first."""
        self._attachments.append(
            MediaAttachment(
                media_id=media_id, entity_type=entity_type, entity_id=entity_id, store_id=store_id, position=0
            )
        )

    def write(self, session: Session) -> None:
        """Write the rows, with media_uploaded for each file."""
        session.add_all(self._media)
        uploaded = [row.confirm_upload(generation=row.generation or 0, md5_hash=row.md5_hash) for row in self._media]
        session.flush()
        session.add_all(self._attachments)
        emit(session, *uploaded)


def _row(file: File) -> Media:
    media_id = new_id()
    return Media(
        id=media_id,
        store_id=file.store_id,
        kind=file.kind,
        status="pending",
        mime_type=file.mime_type,
        file_name=file.name,
        size_bytes=len(file.content),
        object_key=object_key(file.store_id, file.kind, media_id, file.mime_type),
        created_at=clock.now(),
    )


# A first start has everything else to do as well, and a busy machine is no reason to give up.
@retry(retry=retry_if_exception_type(DependencyDown), stop=stop_after_attempt(6), wait=wait_fixed(2), reraise=True)
def _put(media: Media, file: File) -> StoredObject:
    return object_store().upload(
        MediaSettings.current().media_bucket, media.object_key, BytesIO(file.content), content_type=file.mime_type
    )
