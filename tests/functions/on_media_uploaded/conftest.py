import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from shared.events.media import MediaUploaded
from shared.integrations.gcs import object_store
from shared.kit.db import transaction
from shared.kit.outbox import emit
from shared.media.kinds import MediaKind
from shared.media.models import Media, MediaStatus
from shared.media.storage import derived_prefix
from tests.builders.media import a_media
from tests.deliveries import delivery_of
from tests.events import Events
from tests.media import uploaded_bytes
from tests.storage import MEDIA_BUCKET, PUBLIC_MEDIA_BUCKET

Process = Callable[[Media], bool]


@pytest.fixture
def consumer(object_storage: None) -> Any:
    # Imported here, because a function reads its settings when it is imported, and the servers come first.
    from functions.on_media_uploaded.main import main

    return main.consumer


@pytest.fixture
def process(consumer: Any) -> Process:
    """Announce the upload of a file and deliver that; whether it was acknowledged."""
    return lambda media: bool(consumer.deliver(announced(media)))


def announced(media: Media) -> dict[str, Any]:
    """The delivery that tells of the file's present bytes."""
    assert media.generation is not None
    with transaction() as session:
        emit(
            session,
            MediaUploaded(media_id=media.id, store_id=media.store_id, kind=media.kind, generation=media.generation),
        )
    return delivery_of(Events().rows()[-1])


def uploaded(content: bytes, mime_type: str, kind: str = "product", **fields: Any) -> Media:
    """A file with these bytes, just confirmed."""
    media = a_media(
        fields.pop("store", None),
        MediaKind(kind),
        mime_type=mime_type,
        size_bytes=len(content),
        status=MediaStatus.UPLOADED,
        **fields,
    )
    return confirmed(media, content)


def confirmed(media: Media, content: bytes) -> Media:
    """The file with other bytes, confirmed as on_media_finalized does."""
    stored = uploaded_bytes(media, content)
    with transaction() as session:
        held = session.get_one(Media, media.id)
        held.confirm_upload(generation=stored.generation, md5_hash=stored.md5_hash)
    return held


def renditions_of(media: Media) -> dict[str, bytes]:
    """Everything that was made of a file, by bucket and key below its prefix."""
    found = {}
    for label, bucket in (("private", MEDIA_BUCKET), ("public", PUBLIC_MEDIA_BUCKET)):
        prefix = derived_prefix(media.id)
        for listed in object_store().list_objects(bucket, prefix=prefix):
            content = io.BytesIO()
            object_store().download(bucket, listed.key, content, generation=listed.stored.generation)
            found[f"{label}:{listed.key.removeprefix(prefix)}"] = content.getvalue()
    return found


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image
