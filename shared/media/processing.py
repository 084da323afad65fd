"""An upload that was checked becomes what is shown, once for each generation of its bytes.

The bytes go through a folder on disk; decoding is the work of another process.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from sqlalchemy.orm import Session

from shared.integrations.gcs import object_store
from shared.kit.db import read_only, retrying, transaction
from shared.kit.logging import log
from shared.kit.outbox import emit
from shared.media import queries
from shared.media.kinds import PUBLIC_KINDS
from shared.media.models import Media, MediaStatus
from shared.media.rendering.outcome import Rendition, Role, Unfit
from shared.media.rendering.run import render
from shared.media.storage import MediaSettings, renditions_prefix

# The key holds the generation, so what is under it never changes.
_FOREVER = "public, max-age=31536000, immutable"
_PRIVATELY = "private, max-age=0"


@dataclass(frozen=True)
class Place:
    """Where the renditions of one generation lie."""

    bucket: str
    prefix: str
    is_public: bool

    def url(self, rendition: Rendition) -> str | None:
        """Where everybody may read a rendition."""
        return object_store().public_url(self.bucket, self.prefix + rendition.name) if self.is_public else None


def begin(session: Session, media_id: UUID, generation: int) -> None:
    """An uploaded media is being processed from now on; nothing for another generation or status."""
    media = queries.lock_by_id(session, media_id)
    if media is not None and media.generation == generation and media.status is MediaStatus.UPLOADED:
        media.begin_processing()


def finish(media_id: UUID, generation: int) -> None:
    """Make the renditions of a media that is being processed, and make it `ready`, or `failed` with the reason.

    Nothing for another generation or status: that was done, or is no more to be done. Calls the storage, so
    it runs outside of any transaction. Raises DependencyDown, RenderingBroke.
    """
    with read_only() as session:
        media = queries.find_by_id(session, media_id)
    if media is None or not _is_due(media, generation):
        log.info("media_not_due", media_id=str(media_id), generation=generation, status=media and media.status)
        return
    place = _place(media, generation)
    try:
        made = _made(media, generation, place)
    except Unfit as unfit:
        reason = str(unfit)
        log.info("media_unfit", media_id=str(media_id), reason=reason)
        retrying(lambda: _fail(media_id, generation, reason))
        return
    if made is not None and not retrying(lambda: _settle(media_id, generation, place, made)):
        _discard(place, made)


def _is_due(media: Media, generation: int) -> bool:
    return media.generation == generation and media.status is MediaStatus.PROCESSING


def _place(media: Media, generation: int) -> Place:
    settings, is_public = MediaSettings.current(), media.kind in PUBLIC_KINDS
    bucket = settings.public_media_bucket if is_public else settings.media_bucket
    return Place(bucket, renditions_prefix(media.id, generation), is_public)


def _made(media: Media, generation: int, place: Place) -> list[Rendition] | None:
    """The renditions, stored; none when these bytes were replaced or removed meanwhile. Raises Unfit."""
    with TemporaryDirectory(prefix="media-") as name:
        source, folder = Path(name) / "source", Path(name) / "made"
        folder.mkdir()
        if not _fetched(media, generation, source):
            return None
        _refuse_other_bytes(media, source)
        renditions = render(source, folder, media.mime_type)
        for rendition in renditions:
            _store(place, folder, rendition)
        return renditions


def _fetched(media: Media, generation: int, source: Path) -> bool:
    with source.open("wb") as target:
        bucket = MediaSettings.current().media_bucket
        return object_store().download(bucket, media.object_key, target, generation=generation)


def _refuse_other_bytes(media: Media, source: Path) -> None:
    """Whoever announced a hash gets exactly those bytes. Cloud Storage keeps none of this kind to compare before."""
    if media.sha256 is None:
        return
    with source.open("rb") as content:
        if hashlib.file_digest(content, "sha256").hexdigest() != media.sha256:
            raise Unfit("Its SHA-256 is not the one that was announced.")


def _store(place: Place, folder: Path, rendition: Rendition) -> None:
    with (folder / rendition.name).open("rb") as content:
        object_store().upload(
            place.bucket,
            place.prefix + rendition.name,
            content,
            content_type=rendition.content_type,
            cache_control=_FOREVER if place.is_public else _PRIVATELY,
        )


def _settle(media_id: UUID, generation: int, place: Place, made: list[Rendition]) -> bool:
    """Whether these bytes are still the media's; a rival delivery may have made it ready before, of the same files."""
    urls = {rendition.role: place.url(rendition) for rendition in made}
    with transaction() as session:
        media = queries.lock_by_id(session, media_id)
        if media is None or media.generation != generation:
            return False
        if _is_due(media, generation):
            emit(session, media.become_ready(public_url=urls[Role.MAIN], thumbnail_url=urls.get(Role.THUMBNAIL)))
        return True


def _fail(media_id: UUID, generation: int, reason: str) -> None:
    with transaction() as session:
        media = queries.lock_by_id(session, media_id)
        if media is not None and _is_due(media, generation):
            media.fail_processing(reason)


def _discard(place: Place, made: list[Rendition]) -> None:
    """The media was removed or its bytes replaced while renditions were made: they follow."""
    for rendition in made:
        object_store().delete(place.bucket, place.prefix + rendition.name)
