"""A file goes: what used it does without it, then its bytes and its row are removed.

Reacts to media_deleted.
"""

from sqlalchemy.orm import Session

from functions.on_media_deleted import detaching
from shared.events.media import MediaDeleted
from shared.kit.consumer import Consumer, Envelope
from shared.media import removal
from shared.media.attachments import list_users
from shared.media.storage import check_storage

consumer = Consumer("on_media_deleted")


@consumer.on(MediaDeleted)
def detach(session: Session, event: MediaDeleted) -> None:
    """Take a file from everything that uses it; refused when something must keep it since it was asked to go."""
    # Nothing begins to use a file that is on its way out, so this list only grows shorter.
    users = list_users(session, event.media_id)
    detaching.lock_all(session, users)
    if removal.lock_if_going(session, event.media_id) is not None:
        detaching.detach(session, event.media_id, users)


@consumer.afterwards
def remove(envelope: Envelope) -> None:
    """Remove the bytes, then the row; a failure leaves it `delete_failed`, to be taken up by the next delivery."""
    assert isinstance(envelope.event, MediaDeleted)  # noqa: S101 - the only kind that is registered
    removal.remove(envelope.event.media_id)


main = consumer.entry_point(storage=check_storage)
