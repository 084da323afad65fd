"""An upload becomes what is shown: pictures, videos and documents in the sizes and types that are read.

Reacts to media_uploaded. Publishes media_processed.
"""

from sqlalchemy.orm import Session

from shared.catalog.gallery import refresh_thumbnails
from shared.events.media import MediaUploaded
from shared.kit.consumer import Consumer, Envelope
from shared.kit.db import transaction
from shared.media import processing
from shared.media.storage import check_storage

consumer = Consumer("on_media_uploaded")


@consumer.on(MediaUploaded)
def begin(session: Session, event: MediaUploaded) -> None:
    """The file is being processed from now on."""
    processing.begin(session, event.media_id, event.generation)


@consumer.afterwards
def render(envelope: Envelope) -> None:
    """Make its renditions, once for each generation, and show them where the file is in a gallery."""
    event = envelope.event
    assert isinstance(event, MediaUploaded)  # noqa: S101 - the only kind that is registered
    processing.finish(event.media_id, event.generation)
    # After the file's own transaction: whoever edits a product holds the product before its files.
    with transaction() as session:
        refresh_thumbnails(session, event.media_id)


main = consumer.entry_point(storage=check_storage)
