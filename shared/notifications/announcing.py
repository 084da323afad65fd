"""Announcements: operators tell stores something, by type and state, in batches that leave room for others."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.orm import Session

from shared.identity.models import Store
from shared.identity.permissions import StoreType
from shared.identity.queries import select_stores
from shared.kit.db import transaction
from shared.notifications.drafting import Draft
from shared.notifications.models import NotificationType
from shared.notifications.notices import IN_APP_ONLY
from shared.notifications.recipients import Recipient
from shared.notifications.telling import tell
from shared.operations.audit import audit

BATCH = 1_000


@dataclass(frozen=True)
class Announcement:
    """What is told, and to which stores: of one type or of both, in some states or, without any, in all."""

    id: UUID
    type: NotificationType
    title: str
    message: str
    link: str
    store_type: StoreType | None
    states: frozenset[str]


def announce(announcement: Announcement) -> int:
    """Tell every store concerned, each batch in a transaction of its own; how many there are.

    What was broken off is continued by announcing the same again: a store is told once.
    """
    with transaction() as session:
        _audit(session, announcement)
        told = _tell_batch(session, announcement, after=None)
    count = len(told)
    while len(told) == BATCH:
        with transaction() as session:
            told = _tell_batch(session, announcement, after=told[-1])
        count += len(told)
    return count


def _tell_batch(session: Session, announcement: Announcement, *, after: UUID | None) -> Sequence[UUID]:
    """Tell the next stores in order of id; which."""
    store_ids = session.scalars(_concerned(announcement, after)).all()
    tell(session, announcement.id, [_draft(announcement, store_id) for store_id in store_ids])
    return store_ids


def _concerned(announcement: Announcement, after: UUID | None) -> Select[UUID]:
    statement = select_stores(kind=announcement.store_type)
    if announcement.states:
        statement = statement.where(Store.state.in_(announcement.states))
    if after is not None:
        statement = statement.where(Store.id > after)
    return statement.with_only_columns(Store.id).order_by(Store.id).limit(BATCH)


def _draft(announcement: Announcement, store_id: UUID) -> Draft:
    return Draft(
        Recipient(store_id=store_id),
        announcement.type,
        announcement.title,
        announcement.message,
        announcement.link,
        IN_APP_ONLY,
        words={},
    )


def _audit(session: Session, announcement: Announcement) -> None:
    told = {
        "type": announcement.type,
        "title": announcement.title,
        "store_type": announcement.store_type,
        "states": sorted(announcement.states),
    }
    audit(session, "announcement.sent", "announcement", announcement.id, after=told)
