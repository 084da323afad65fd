"""Files that we make ourselves: the bytes are stored first, then the row is written by whoever uses the file.

What is stored and never kept has no row; the daily clean-up removes it.
"""

import hashlib
import io
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from shared.integrations.gcs import StoredObject, object_store
from shared.kit.ids import new_id
from shared.kit.outbox import emit
from shared.media.kinds import MediaKind
from shared.media.models import Media, MediaStatus
from shared.media.storage import MediaSettings, object_key


@dataclass(frozen=True)
class Content:
    """A file as it was made."""

    kind: MediaKind
    mime_type: str
    file_name: str
    content: bytes

    @property
    def sha256(self) -> str:
        """In hexadecimal; the same file made again has the same."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class Made:
    """A made file whose bytes lie in the private bucket, under the key of a media that there is not yet."""

    media_id: UUID
    store_id: UUID
    file: Content
    stored: StoredObject

    @property
    def key(self) -> str:
        """Where the bytes are."""
        return object_key(self.store_id, self.file.kind, self.media_id, self.file.mime_type)


def store(store_id: UUID, file: Content) -> Made:
    """Store the bytes of a file for a store. Calls the storage, so it runs outside of any transaction.

    Raises DependencyDown.
    """
    media_id = new_id()
    key = object_key(store_id, file.kind, media_id, file.mime_type)
    source = io.BytesIO(file.content)
    stored = object_store().upload(MediaSettings.current().media_bucket, key, source, content_type=file.mime_type)
    return Made(media_id, store_id, file, stored)


def keep(session: Session, made: Made) -> Media:
    """The media of a stored file, `uploaded` from the beginning and on its way to being processed."""
    media = Media(
        id=made.media_id,
        store_id=made.store_id,
        kind=made.file.kind,
        status=MediaStatus.PENDING,
        mime_type=made.file.mime_type,
        file_name=made.file.file_name,
        size_bytes=made.stored.size_bytes,
        sha256=made.file.sha256,
        object_key=made.key,
    )
    session.add(media)
    emit(session, media.confirm_upload(generation=made.stored.generation, md5_hash=made.stored.md5_hash))
    session.flush()
    return media


def discard(made: Made) -> None:
    """Remove the bytes of a stored file that nobody keeps. Only of one that is surely not kept."""
    object_store().delete(MediaSettings.current().media_bucket, made.key, generation=made.stored.generation)
