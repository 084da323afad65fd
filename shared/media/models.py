"""Tables of uploaded files and of what uses them, and how a file moves from one status to the next."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.events.media import MediaDeleted, MediaProcessed, MediaUploaded
from shared.kit import clock
from shared.kit.errors import NotFound, StateConflict
from shared.kit.tables import Created, Id, Table, enum_type
from shared.media.kinds import MediaKind


class MediaStatus(StrEnum):
    PENDING = "pending"
    UPLOADED = "uploaded"
    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"
    DELETE_REQUESTED = "delete_requested"
    DELETED = "deleted"
    DELETE_FAILED = "delete_failed"


class EntityType(StrEnum):
    """What a media may be attached to."""

    LICENSE = "license"
    PRODUCT_GALLERY = "product_gallery"
    PRODUCT_COA = "product_coa"
    STORE_LOGO = "store_logo"
    STORE_BANNER = "store_banner"
    USER_AVATAR = "user_avatar"
    AD_CREATIVE = "ad_creative"
    ORDER_MANIFEST = "order_manifest"
    ORDER_SIGNATURE = "order_signature"


USABLE = frozenset({MediaStatus.UPLOADED, MediaStatus.PROCESSING, MediaStatus.READY})
"""The bytes are there and are what they claim to be: they may be read and attached."""

# A new upload over an old one (same key, newer generation) makes a file `uploaded` or `failed` again.
_CHECKED_AGAIN = frozenset({MediaStatus.UPLOADED, MediaStatus.FAILED})
TRANSITIONS: Mapping[MediaStatus, frozenset[MediaStatus]] = {
    MediaStatus.PENDING: _CHECKED_AGAIN | {MediaStatus.DELETE_REQUESTED},
    MediaStatus.UPLOADED: _CHECKED_AGAIN | {MediaStatus.PROCESSING, MediaStatus.DELETE_REQUESTED},
    MediaStatus.PROCESSING: _CHECKED_AGAIN | {MediaStatus.READY, MediaStatus.DELETE_REQUESTED},
    MediaStatus.READY: _CHECKED_AGAIN | {MediaStatus.DELETE_REQUESTED},
    MediaStatus.FAILED: _CHECKED_AGAIN | {MediaStatus.DELETE_REQUESTED},
    # A refused deletion returns a file to the status that it had.
    MediaStatus.DELETE_REQUESTED: USABLE
    | {MediaStatus.PENDING, MediaStatus.FAILED, MediaStatus.DELETED, MediaStatus.DELETE_FAILED},
    MediaStatus.DELETE_FAILED: frozenset(
        {MediaStatus.DELETE_REQUESTED, MediaStatus.DELETED, MediaStatus.DELETE_FAILED}
    ),
    MediaStatus.DELETED: frozenset(),
}


class MediaNotFound(NotFound):
    default_message = "There is no such media here."


class MediaCannotMove(StateConflict):
    default_message = "The file is in a state that does not allow this."


class Media(Table):
    """An uploaded file, or the leave to upload one. Its bytes are in the private bucket under `object_key`.

    `generation` and `md5_hash` (base64) are Cloud Storage's, of the bytes last checked; `sha256` (hex) is
    the uploader's word. `public_url` and `thumbnail_url` are of renditions that everybody may see.
    """

    __tablename__ = "media"
    __table_args__ = (
        CheckConstraint("size_bytes > 0", name="size_bytes"),
        Index("ix_media_store", "store_id", "created_at", "id"),
        Index("ix_media_pending", "created_at", "id", postgresql_where=text("status = 'pending'")),
        Index(
            "ix_media_delete_requested",
            "delete_requested_at",
            "id",
            postgresql_where=text("status = 'delete_requested'"),
        ),
    )

    id: Mapped[Id]
    store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id", ondelete="RESTRICT"))
    kind: Mapped[MediaKind] = mapped_column(enum_type(MediaKind, "media_kind"))
    status: Mapped[MediaStatus] = mapped_column(
        enum_type(MediaStatus, "media_status"), default=MediaStatus.PENDING, server_default=MediaStatus.PENDING.value
    )
    mime_type: Mapped[str]
    file_name: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str | None]
    object_key: Mapped[str] = mapped_column(unique=True)
    generation: Mapped[int | None] = mapped_column(BigInteger)
    md5_hash: Mapped[str | None]
    public_url: Mapped[str | None]
    thumbnail_url: Mapped[str | None]
    failure_reason: Mapped[str | None]
    status_before_deletion: Mapped[MediaStatus | None] = mapped_column(enum_type(MediaStatus, "media_status"))
    uploaded_by: Mapped[UUID | None]
    created_at: Mapped[Created]
    uploaded_at: Mapped[datetime | None]
    processing_at: Mapped[datetime | None]
    ready_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    delete_requested_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    delete_failed_at: Mapped[datetime | None]

    @property
    def is_usable(self) -> bool:
        """Whether it may be read and attached."""
        return self.status in USABLE

    @property
    def is_generated(self) -> bool:
        """Whether we made it ourselves, as opposed to somebody uploading it."""
        return self.uploaded_by is None

    def confirm_upload(self, *, generation: int, md5_hash: str | None) -> MediaUploaded:
        """The bytes of this generation are what they should be. Raises MediaCannotMove."""
        self._become(MediaStatus.UPLOADED)
        self.generation, self.md5_hash, self.failure_reason = generation, md5_hash, None
        return MediaUploaded(media_id=self.id, store_id=self.store_id, kind=self.kind, generation=generation)

    def refuse_upload(self, *, generation: int, reason: str) -> None:
        """The bytes of this generation are something else than announced. Raises MediaCannotMove."""
        self._become(MediaStatus.FAILED)
        self.generation, self.md5_hash, self.failure_reason = generation, None, reason
        self.public_url, self.thumbnail_url = None, None

    def begin_processing(self) -> None:
        """Its renditions are being made. Raises MediaCannotMove."""
        self._become(MediaStatus.PROCESSING)

    def become_ready(self, *, public_url: str | None, thumbnail_url: str | None) -> MediaProcessed:
        """Its renditions are there; the addresses are those that everybody may read. Raises MediaCannotMove."""
        assert self.generation is not None  # noqa: S101 - only checked bytes are processed
        self._become(MediaStatus.READY)
        self.public_url, self.thumbnail_url, self.failure_reason = public_url, thumbnail_url, None
        return MediaProcessed(media_id=self.id, store_id=self.store_id, kind=self.kind, generation=self.generation)

    def fail_processing(self, reason: str) -> None:
        """Nothing can be made of its bytes, which stay. Raises MediaCannotMove."""
        self._become(MediaStatus.FAILED)
        self.public_url, self.thumbnail_url, self.failure_reason = None, None, reason

    def request_deletion(self) -> MediaDeleted:
        """Nobody shall use it from now on. Raises MediaCannotMove."""
        before = self.status
        self._become(MediaStatus.DELETE_REQUESTED)
        if before is not MediaStatus.DELETE_FAILED:
            self.status_before_deletion = before
        return self.deletion()

    def refuse_deletion(self) -> None:
        """It stays as it was before it was asked to go. Raises MediaCannotMove."""
        before = self.status_before_deletion
        if self.status is not MediaStatus.DELETE_REQUESTED or before is None:
            raise MediaCannotMove(details={"reason": f"media_{self.status}"})
        # Its moments stay too: it is not ready anew.
        self.status, self.status_before_deletion, self.delete_requested_at = before, None, None

    def fail_deletion(self, reason: str) -> None:
        """Some of it could not be removed. Raises MediaCannotMove."""
        self._become(MediaStatus.DELETE_FAILED)
        self.failure_reason = reason

    def deletion(self) -> MediaDeleted:
        """The event that announces its deletion."""
        return MediaDeleted(media_id=self.id, store_id=self.store_id, kind=self.kind)

    def _become(self, status: MediaStatus) -> None:
        if status not in TRANSITIONS[self.status]:
            raise MediaCannotMove(details={"reason": f"media_{self.status}"})
        self.status = status
        setattr(self, f"{status}_at", clock.now())


class MediaAttachment(Table):
    """That something uses a media; `position` orders the media of one thing, from 0.

    `released_at`: since when the thing would do without, though its type is one that protects what it uses.
    """

    __tablename__ = "media_attachments"
    __table_args__ = (
        CheckConstraint("position >= 0", name="position"),
        Index("ix_media_attachments_media_id", "media_id"),
    )

    entity_type: Mapped[EntityType] = mapped_column(enum_type(EntityType, "media_entity_type"), primary_key=True)
    entity_id: Mapped[UUID] = mapped_column(primary_key=True)
    media_id: Mapped[UUID] = mapped_column(ForeignKey("media.id", ondelete="RESTRICT"), primary_key=True)
    store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id", ondelete="RESTRICT"))
    position: Mapped[int]
    released_at: Mapped[datetime | None]
    created_at: Mapped[Created]
