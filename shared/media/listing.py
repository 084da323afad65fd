"""The list of a store's media, by filters and pages."""

from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints
from sqlalchemy.orm import Session

from shared.kit.pagination import Order, Page, PageQuery, page_of
from shared.media.kinds import MediaKind
from shared.media.models import Media, MediaStatus
from shared.media.queries import of_store

NEWEST_FIRST = Order((Media.created_at, Media.id))


class MediaQuery(PageQuery):
    """Filters of a store's media; `search` looks for a part of the file name."""

    kind: list[MediaKind] = []
    status: list[MediaStatus] = []
    mime_type: list[str] = []
    search: Annotated[str | None, StringConstraints(min_length=1, max_length=200)] = None


def page_of_media(session: Session, store_id: UUID, query: MediaQuery) -> Page[Media]:
    """A store's media, the newest first."""
    statement = of_store(store_id)
    for column, wanted in (
        (Media.kind, query.kind),
        (Media.status, query.status),
        (Media.mime_type, query.mime_type),
    ):
        if wanted:
            statement = statement.where(column.in_(wanted))
    if query.search:
        statement = statement.where(Media.file_name.icontains(query.search, autoescape=True))
    page = page_of(session, statement, query, NEWEST_FIRST)
    return page.of([row.Media for row in page.items])
