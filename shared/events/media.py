"""Events about uploaded files."""

from typing import ClassVar
from uuid import UUID

from shared.events import topics
from shared.kit.outbox import Event

_ID = "01980000-0000-7000-8000-000000000001"


class MediaEvent(Event):
    """Something that happened to an uploaded file."""

    aggregate: ClassVar[str] = "media"
    media_id: UUID
    store_id: UUID
    kind: str

    @property
    def aggregate_id(self) -> UUID:
        return self.media_id


class MediaUploaded(MediaEvent):
    """The bytes are in the bucket and are what they claim to be; `generation` is Cloud Storage's."""

    topics: ClassVar[tuple[str, ...]] = (topics.MEDIA_PROCESS,)
    example = {"media_id": _ID, "store_id": _ID, "kind": "license_doc", "generation": 1}
    generation: int


class MediaProcessed(MediaEvent):
    """Renditions are ready; licenses and lab reports go on to be read."""

    topics: ClassVar[tuple[str, ...]] = (topics.DOCUMENTS,)
    example = {"media_id": _ID, "store_id": _ID, "kind": "license_doc", "generation": 1}
    generation: int


class MediaDeleted(MediaEvent):
    """The file and all that was made of it shall go."""

    topics: ClassVar[tuple[str, ...]] = (topics.MEDIA_DELETE,)
    example = {"media_id": _ID, "store_id": _ID, "kind": "product"}
