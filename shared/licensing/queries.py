"""Reads and locks of licenses: a store's own, and the queue of the admins."""

from collections.abc import Collection
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from shared.identity.models import Store
from shared.kit.errors import NotFound
from shared.kit.pagination import Order, Page, PageQuery, page_of
from shared.licensing.models import License, LicenseStatus
from shared.media.models import Media

NEWEST_FIRST = Order((License.created_at, License.id))
OLDEST_FIRST = Order((License.created_at, License.id), descending=False)


class LicenseNotFound(NotFound):
    default_message = "There is no such license here."


class LicenseQuery(PageQuery):
    """Filters of a store's licenses."""

    status: list[LicenseStatus] = []


class QueueQuery(PageQuery):
    """Filters of the admins' queue: by default what waits for a decision."""

    status: list[LicenseStatus] = [LicenseStatus.PENDING]


def page_of_licenses(session: Session, store_id: UUID, query: LicenseQuery) -> Page[tuple[License, Media]]:
    """A store's licenses with their documents, the newest first."""
    statement = _with_document().where(License.store_id == store_id)
    if query.status:
        statement = statement.where(License.status.in_(query.status))
    page = page_of(session, statement, query, NEWEST_FIRST)
    return page.of([(row.License, row.Media) for row in page.items])


def page_of_queue(session: Session, query: QueueQuery) -> Page[tuple[License, Media, Store]]:
    """Licenses of all stores with their documents and owners, the oldest first."""
    statement = _with_document().join(Store, Store.id == License.store_id).add_columns(Store)
    if query.status:
        statement = statement.where(License.status.in_(query.status))
    page = page_of(session, statement, query, OLDEST_FIRST)
    return page.of([(row.License, row.Media, row.Store) for row in page.items])


def get_license(session: Session, store_id: UUID, license_id: UUID) -> tuple[License, Media]:
    """A license of the store with its document. Raises LicenseNotFound."""
    found = session.execute(_with_document().where(License.store_id == store_id, License.id == license_id)).first()
    if found is None:
        raise LicenseNotFound
    return found[0], found[1]


def list_in_force(session: Session, store_ids: Collection[UUID], on: date) -> list[License]:
    """The verified licenses of these stores that are good on this day, in a fixed order."""
    held = (License.store_id.in_(store_ids), License.status == LicenseStatus.VERIFIED)
    statement = select(License).where(*held, License.issued_on <= on, License.expires_on >= on)
    return list(session.scalars(statement.order_by(License.issuing_state, License.number)))


def lock_license(session: Session, license_id: UUID, *, store_id: UUID | None) -> License:
    """A license, of the store or (for admins) of any, held until the transaction ends. Raises LicenseNotFound.

    Whoever needs more than one lock takes them in this order: license, media, store.
    """
    statement = select(License).where(License.id == license_id).with_for_update()
    found = session.scalar(statement if store_id is None else statement.where(License.store_id == store_id))
    if found is None:
        raise LicenseNotFound
    return found


def _with_document() -> Select[Any]:
    return select(License).add_columns(Media).join(Media, Media.id == License.media_id)
