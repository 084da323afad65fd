"""Reads and locks of media, born scoped to a store."""

from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from shared.media.models import Media, MediaNotFound, MediaStatus


def of_store(store_id: UUID) -> Select[Media]:
    """Every media of a store that there still is."""
    return select(Media).where(Media.store_id == store_id, Media.status != MediaStatus.DELETED)


def get_media(session: Session, store_id: UUID, media_id: UUID) -> Media:
    """A media of the store. Raises MediaNotFound."""
    return _existing(session.scalar(of_store(store_id).where(Media.id == media_id)))


def lock_media(session: Session, store_id: UUID, media_id: UUID) -> Media:
    """A media of the store, held until the transaction ends. Raises MediaNotFound."""
    return _existing(session.scalar(of_store(store_id).where(Media.id == media_id).with_for_update()))


def find_by_id(session: Session, media_id: UUID) -> Media | None:
    """A media of any store."""
    return session.get(Media, media_id)


def lock_by_id(session: Session, media_id: UUID) -> Media | None:
    """A media of any store, held until the transaction ends."""
    return session.scalar(select(Media).where(Media.id == media_id).with_for_update())


def find_by_key(session: Session, key: str) -> Media | None:
    """The media whose bytes are kept under this key."""
    return session.scalar(select(Media).where(Media.object_key == key))


def lock_by_key(session: Session, key: str) -> Media | None:
    """The media whose bytes are kept under this key, held until the transaction ends."""
    return session.scalar(select(Media).where(Media.object_key == key).with_for_update())


def _existing(media: Media | None) -> Media:
    if media is None:
        raise MediaNotFound
    return media
