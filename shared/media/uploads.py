"""Leave to upload: what a store may put into the bucket, for how long, and under which key."""

from dataclasses import dataclass
from uuid import UUID

from shared.integrations.gcs import SignedUpload, object_store
from shared.kit.db import transaction
from shared.kit.errors import InvalidRequest
from shared.kit.ids import new_id
from shared.media.kinds import MB, RULES, MediaKind
from shared.media.models import Media
from shared.media.storage import UPLOAD_TTL, MediaSettings, object_key


@dataclass(frozen=True)
class Announced:
    """What the uploader says of a file before sending it."""

    kind: MediaKind
    mime_type: str
    file_name: str
    size_bytes: int
    sha256: str | None = None


def presign(store_id: UUID, announced: Announced, *, by: UUID) -> tuple[Media, SignedUpload]:
    """A `pending` media and the signed address to PUT its bytes to. Raises InvalidRequest, DependencyDown."""
    refuse_unfit(announced)
    media_id = new_id()
    key = object_key(store_id, announced.kind, media_id, announced.mime_type)
    # Signed first: a row is written only when its owner can upload.
    upload = object_store().presign_put(
        MediaSettings.current().media_bucket,
        key,
        content_type=announced.mime_type,
        max_bytes=announced.size_bytes,
        ttl=UPLOAD_TTL,
    )
    media = Media(
        id=media_id,
        store_id=store_id,
        kind=announced.kind,
        mime_type=announced.mime_type,
        file_name=announced.file_name,
        size_bytes=announced.size_bytes,
        sha256=announced.sha256,
        object_key=key,
        uploaded_by=by,
    )
    with transaction() as session:
        session.add(media)
    return media, upload


def refuse_unfit(announced: Announced) -> None:
    """Raises InvalidRequest for a type that the kind may not have, or a size over the type's limit."""
    limits = RULES[announced.kind].max_bytes
    if announced.mime_type not in limits:
        raise InvalidRequest.field("mime_type", f"A {announced.kind} is one of {', '.join(sorted(limits))}.")
    max_bytes = limits[announced.mime_type]
    if announced.size_bytes > max_bytes:
        raise InvalidRequest.field("size_bytes", f"At most {max_bytes // MB} MB.")
