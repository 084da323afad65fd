import io
from collections.abc import Callable
from typing import Any

import pytest

from shared.integrations.gcs import object_store
from shared.kit.db import transaction
from shared.media import deletion
from shared.media.models import Media
from shared.media.storage import derived_prefix
from tests.deliveries import delivery_of
from tests.events import Events
from tests.media import uploaded_bytes
from tests.storage import MEDIA_BUCKET, PUBLIC_MEDIA_BUCKET

Ask = Callable[[Media], dict[str, Any]]


@pytest.fixture
def consumer(object_storage: None) -> Any:
    # Imported here, because a function reads its settings when it is imported, and the servers come first.
    from functions.on_media_deleted.main import main

    return main.consumer


def asked_to_go(media: Media) -> dict[str, Any]:
    """Ask for the file to be deleted, as its store does; the delivery that follows."""
    with transaction() as session:
        deletion.request_deletion(session, media.store_id, media.id)
    return last_delivery()


def last_delivery() -> dict[str, Any]:
    """The last event of the outbox as it is delivered."""
    return delivery_of(Events().rows()[-1])


def with_renditions(media: Media) -> Media:
    """Put bytes behind a file: the original, and what was made of it in both buckets."""
    uploaded_bytes(media, b"original")
    for bucket, name in ((MEDIA_BUCKET, "1/raw_text.txt"), (PUBLIC_MEDIA_BUCKET, "1/image.webp")):
        object_store().upload(bucket, derived_prefix(media.id) + name, io.BytesIO(b"made"), content_type="text/plain")
    return media


def objects_of(media: Media) -> list[str]:
    """The keys of all objects that belong to a file, in either bucket."""
    prefixes = (derived_prefix(media.id), media.object_key)
    return [
        listed.key
        for bucket in (MEDIA_BUCKET, PUBLIC_MEDIA_BUCKET)
        for prefix in prefixes
        for listed in object_store().list_objects(bucket, prefix=prefix)
    ]
