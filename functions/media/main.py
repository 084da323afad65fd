"""A store's files: leave to upload one, look at them, ask for one to be deleted.

Serves /api/v1/media. No bytes pass through here: clients write to and read from Cloud Storage by signed
URLs. Publishes media_deleted.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

import shared.identity.models  # noqa: F401 - media belong to stores, and a flush must know their table
from shared.identity.callers import MemberCaller, member
from shared.identity.permissions import Permission
from shared.kit.db import read_only, transaction
from shared.kit.errors import Conflict, NotFound, StateConflict
from shared.kit.http import Api
from shared.kit.idempotency import DAY_1
from shared.kit.pagination import Page
from shared.kit.schemas import Request, Response
from shared.media import deletion, listing, queries, uploads
from shared.media.kinds import MediaKind
from shared.media.listing import MediaQuery
from shared.media.models import Media, MediaStatus
from shared.media.storage import Link, find_link, find_links

api = Api("media", prefix="/api/v1/media")

# The name travels in headers and on to other people's disks and eyes: no control characters, no slashes, and nothing
# that ends a line or turns the direction of writing, by which "exe.pdf" is read where "fdp.exe" stands.
FileName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f-\x9f/\\\u2028-\u202e\u2066-\u2069]+$"),
]


class PresignRequest(Request):
    """What is to be uploaded: size in bytes, `sha256` in hexadecimal."""

    kind: MediaKind
    mime_type: str = Field(max_length=100)
    file_name: FileName
    size_bytes: int = Field(ge=1)
    sha256: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")

    example = {
        "kind": "license_doc",
        "mime_type": "application/pdf",
        "file_name": "OMMA grower license 2026.pdf",
        "size_bytes": 482_133,
    }


class PresignResponse(Response):
    """Send the bytes by one PUT to `upload_url` with exactly these headers, before it expires."""

    media_id: UUID
    upload_url: str
    headers: dict[str, str]
    expires_at: datetime


class MediaResponse(Response):
    """One file. `url` reads it (a PDF without its scripts and attachments) until `url_expires_at`.

    The public addresses are of renditions and last.
    """

    id: UUID
    kind: MediaKind
    status: MediaStatus
    mime_type: str
    file_name: str
    size_bytes: int
    sha256: str | None
    url: str | None
    url_expires_at: datetime | None
    public_url: str | None
    thumbnail_url: str | None
    failure_reason: str | None
    created_at: datetime
    uploaded_at: datetime | None
    processing_at: datetime | None
    ready_at: datetime | None
    failed_at: datetime | None
    delete_requested_at: datetime | None

    @classmethod
    def of(cls, media: Media, link: Link | None) -> "MediaResponse":
        """A media with its address when it may be read."""
        told = {name: getattr(media, name) for name in cls.model_fields if hasattr(media, name)}
        return cls(**told, url=link and link.url, url_expires_at=link and link.expires_at)


class DeletionResponse(Response):
    """That a file is on its way out."""

    id: UUID
    status: MediaStatus


@api.post("/presign", allow=member(Permission.MEDIA_WRITE), idempotent=DAY_1, status=201)
def presign(caller: MemberCaller, body: PresignRequest) -> PresignResponse:
    """Leave to upload one file: 400 when type or size do not fit the kind."""
    announced = uploads.Announced(body.kind, body.mime_type, body.file_name, body.size_bytes, body.sha256)
    media, upload = uploads.presign(caller.store_id, announced, by=caller.user_id)
    return PresignResponse(
        media_id=media.id, upload_url=upload.url, headers=upload.headers, expires_at=upload.expires_at
    )


@api.get("", allow=member(Permission.MEDIA_READ))
def list_media(caller: MemberCaller, query: MediaQuery) -> Page[MediaResponse]:
    """The store's files, the newest first."""
    with read_only() as session:
        page = listing.page_of_media(session, caller.store_id, query)
    links = find_links(page.items)
    return page.of([MediaResponse.of(media, links.get(media.id)) for media in page.items])


@api.get("/<uuid:media_id>", allow=member(Permission.MEDIA_READ), raises=(NotFound,))
def get(caller: MemberCaller, media_id: UUID) -> MediaResponse:
    """One of the store's files."""
    with read_only() as session:
        media = queries.get_media(session, caller.store_id, media_id)
    return MediaResponse.of(media, find_link(media))


@api.delete(
    "/<uuid:media_id>",
    allow=member(Permission.MEDIA_WRITE),
    status=202,
    raises=(NotFound, Conflict, StateConflict),
)
def delete(caller: MemberCaller, media_id: UUID) -> DeletionResponse:
    """Ask for a file to be deleted: 409 while something must keep it, 422 while a license document is being read."""
    with transaction() as session:
        media = deletion.request_deletion(session, caller.store_id, media_id)
        return DeletionResponse.model_validate(media)


main = api.entry_point()
