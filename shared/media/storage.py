"""Where the bytes of media are, and the signed addresses under which they are written and read."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote
from uuid import UUID

from pydantic import Field

from shared.integrations.gcs import object_store
from shared.kit import clock
from shared.kit.config import Settings
from shared.media.kinds import EXTENSIONS, MediaKind
from shared.media.models import Media, MediaStatus
from shared.media.rendering.outcome import DOCUMENT_NAME

UPLOAD_TTL = timedelta(minutes=15)
READ_TTL = timedelta(minutes=10)
# A key that no object has, which is enough to hear that the bucket is there.
_NO_OBJECT = ".ready"


class MediaSettings(Settings):
    """The bucket of originals, which nobody reads without a signature, and the bucket of public renditions."""

    media_bucket: str = Field(min_length=3)
    public_media_bucket: str = Field(min_length=3)


@dataclass(frozen=True)
class Link:
    """A signed address for reading, and until when it works."""

    url: str
    expires_at: datetime


def object_key(store_id: UUID, kind: MediaKind, media_id: UUID, mime_type: str) -> str:
    """The key of an original; the uploader's file name is no part of it."""
    return f"{store_id}/{kind}/{media_id}.{EXTENSIONS[mime_type]}"


def derived_prefix(media_id: UUID) -> str:
    """What the keys of everything made of a media begin with, in either bucket."""
    return f"derived/{media_id}/"


def renditions_prefix(media_id: UUID, generation: int) -> str:
    """What the keys of the renditions of one generation begin with."""
    return f"{derived_prefix(media_id)}{generation}/"


def media_id_of_derived(key: str) -> UUID | None:
    """Of which media the object with this key was made; none for any other key."""
    folder, _, rest = key.partition("/")
    if folder != "derived":
        return None
    try:
        return UUID(rest.partition("/")[0])
    except ValueError:
        return None


def find_link(media: Media) -> Link | None:
    """An address for reading a media, which a browser shows under its file name; none unless it is usable.

    It is the original's, but for a PDF that is ready: then it is that of the rendition, in which nothing acts.
    Signing may be a request to IAM: call it outside of a transaction. Raises DependencyDown.
    """
    return find_links([media]).get(media.id)


def find_links(media: Iterable[Media]) -> dict[UUID, Link]:
    """The same for many, by their ids; those that are not usable are left out. Ten are signed at a time."""
    keys = {each.id: (_key_to_read(each), _shown_as(each.file_name)) for each in media if each.is_usable}
    expires_at = clock.now() + READ_TTL
    urls = object_store().presign_gets(MediaSettings.current().media_bucket, dict(keys.values()), ttl=READ_TTL)
    return {media_id: Link(urls[key], expires_at) for media_id, (key, _) in keys.items()}


def check_storage() -> None:
    """Raise when Cloud Storage does not answer, or does not let us look into our bucket."""
    object_store().stat(MediaSettings.current().media_bucket, _NO_OBJECT)


def _key_to_read(media: Media) -> str:
    if media.status is MediaStatus.READY and media.mime_type == "application/pdf" and media.generation is not None:
        return renditions_prefix(media.id, media.generation) + DOCUMENT_NAME
    return media.object_key


def _shown_as(file_name: str) -> str:
    # RFC 6266: the extended form carries any letter.
    return f"inline; filename*=UTF-8''{quote(file_name, safe='')}"
