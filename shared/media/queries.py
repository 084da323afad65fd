"""Reads and locks of media, born scoped to a store."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from shared.media.kinds import PUBLIC_KINDS
from shared.media.models import USABLE, Media, MediaNotFound, MediaStatus
from shared.media.storage import find_link


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


def public_urls(session: Session, media_ids: Collection[UUID]) -> dict[UUID, str]:
    """Where everybody may see these media, by id; ids without a usable media of a public kind are left out.

    A media that has its rendition has a lasting address. Until then the original is shown under a signed
    one, which works for ten minutes and is not to be stored. It signs, so call it outside of a transaction
    (`read_only()`), with one statement however many ids.
    """
    if not media_ids:
        return {}
    found = session.scalars(
        select(Media).where(Media.id.in_(media_ids), Media.kind.in_(PUBLIC_KINDS), Media.status.in_(USABLE))
    )
    links = {media.id: media.public_url or find_link(media) for media in found}
    return {media_id: link if isinstance(link, str) else link.url for media_id, link in links.items() if link}


def _existing(media: Media | None) -> Media:
    if media is None:
        raise MediaNotFound
    return media
