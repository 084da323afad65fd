"""An upload is complete: the bytes are checked against what was announced, once for each generation."""

from enum import StrEnum

from shared.integrations.gcs import object_store
from shared.kit.db import read_only, transaction
from shared.kit.logging import log
from shared.kit.object_trigger import FinalizedObject
from shared.kit.outbox import emit
from shared.media import queries
from shared.media.models import Media, MediaStatus
from shared.media.storage import MediaSettings

HEAD_BYTES = 4_096
_GOING = frozenset({MediaStatus.DELETE_REQUESTED, MediaStatus.DELETE_FAILED, MediaStatus.DELETED})


class Outcome(StrEnum):
    """What became of a finalized object; all but the first two leave everything as it is."""

    UPLOADED = "uploaded"
    FAILED = "failed"
    UNKNOWN = "unknown_key"
    DELETED = "deleted"
    REPEATED = "repeated"
    OLDER = "older_generation"
    REPLACED = "replaced_meanwhile"


def finalize(finalized: FinalizedObject) -> Outcome:
    """Check an uploaded object and confirm or refuse its media. Raises DependencyDown."""
    with read_only() as session:
        media = queries.find_by_key(session, finalized.key)
    outcome = _outcome(media, finalized)
    log.info("upload_finalized", outcome=outcome, media_id=media and str(media.id), generation=finalized.generation)
    return outcome


def _outcome(media: Media | None, finalized: FinalizedObject) -> Outcome:
    if media is None or finalized.bucket != MediaSettings.current().media_bucket:
        return Outcome.UNKNOWN
    known = _already(media, finalized)
    if known is None:
        return _check(media, finalized)
    if known is Outcome.REPEATED and media.status is MediaStatus.FAILED:
        _remove(finalized)  # an earlier delivery may have stopped between refusing and removing
    return known


def _already(media: Media, finalized: FinalizedObject) -> Outcome | None:
    """Why nothing is to be done about this object; none when there is something."""
    if media.status in _GOING:
        return Outcome.DELETED
    if media.generation is None or finalized.generation > media.generation:
        return None
    return Outcome.REPEATED if finalized.generation == media.generation else Outcome.OLDER


def _check(media: Media, finalized: FinalizedObject) -> Outcome:
    flaw = _flaw_told(media, finalized)
    if flaw is None:
        head = object_store().read_head(
            finalized.bucket, finalized.key, generation=finalized.generation, max_bytes=HEAD_BYTES
        )
        if head is None:
            return Outcome.REPLACED
        flaw = _flaw_seen(media, head)
    return _settle(finalized, flaw)


def _flaw_told(media: Media, finalized: FinalizedObject) -> str | None:
    """What Cloud Storage says of the object that differs from what was announced."""
    if finalized.size_bytes != media.size_bytes:
        return f"It has {finalized.size_bytes} bytes instead of {media.size_bytes}."
    if finalized.content_type != media.mime_type:
        return f"It was sent as {finalized.content_type} instead of {media.mime_type}."
    return None


def _flaw_seen(media: Media, head: bytes) -> str | None:
    """What the first bytes show that differs from what was announced."""
    import filetype

    seen = filetype.guess_mime(head)
    if seen == media.mime_type:
        return None
    return f"Its content is {seen or 'of an unknown type'} instead of {media.mime_type}."


def _settle(finalized: FinalizedObject, flaw: str | None) -> Outcome:
    """Write what was found, unless a rival delivery did so in between."""
    with transaction() as session:
        media = queries.lock_by_key(session, finalized.key)
        if media is None:
            return Outcome.UNKNOWN
        known = _already(media, finalized)
        if known is not None:
            return known
        if flaw is None:
            emit(session, media.confirm_upload(generation=finalized.generation, md5_hash=finalized.md5_hash))
            return Outcome.UPLOADED
        media.refuse_upload(generation=finalized.generation, reason=flaw)
    _remove(finalized)
    return Outcome.FAILED


def _remove(finalized: FinalizedObject) -> None:
    object_store().delete(finalized.bucket, finalized.key, generation=finalized.generation)
