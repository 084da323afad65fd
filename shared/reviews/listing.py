"""The reviews of one subject as those see them who see the subject, and all reviews as admins do."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, cast
from uuid import UUID

from pydantic import Field
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from shared.catalog.visibility import locate
from shared.identity.models import Store
from shared.identity.permissions import StoreType
from shared.kit.pagination import Order, Page, PageQuery, page_of
from shared.kit.schemas import Response
from shared.reviews.models import Review
from shared.reviews.subjects import Subject

Stars = Annotated[int, Field(ge=1, le=5)]

_NEWEST = Order((Review.created_at, Review.id))
_REVIEWER = func.coalesce(Store.dba_name, Store.company_name)


class ReviewsQuery(PageQuery):
    """`rating` takes reviews with any of these ratings."""

    rating: list[Stars] = []


class _SubjectQuery(ReviewsQuery):
    """With the subject as a filter, so that a cursor is good for its reviews only."""

    subject_id: UUID


class AdminReviewsQuery(ReviewsQuery):
    """Reviews of a store or a product, by a buyer store, hidden or shown."""

    store_id: UUID | None = None
    product_id: UUID | None = None
    buyer_store_id: UUID | None = None
    hidden: bool | None = None


class ReviewResponse(Response):
    """A review. Of who wrote it only the store's name is told; `is_own` says that it is the caller's."""

    id: UUID
    rating: int
    title: str | None
    body: str | None
    reviewer_name: str
    is_own: bool
    created_at: datetime
    updated_at: datetime


class AdminReviewResponse(Response):
    """A review as an admin sees it."""

    id: UUID
    buyer_store_id: UUID
    reviewer_name: str
    author_user_id: UUID | None
    store_id: UUID | None
    product_id: UUID | None
    rating: int
    title: str | None
    body: str | None
    is_hidden: bool
    hidden_reason: str | None
    hidden_at: datetime | None
    created_at: datetime
    updated_at: datetime


def list_reviews(
    session: Session, viewer_store_id: UUID, subject: Subject, query: ReviewsQuery
) -> Page[ReviewResponse]:
    """The reviews of a subject that are shown, the newest first.

    For buyers who see the subject and for the vendor whose it is. Raises NotFound for everybody else.
    """
    narrowed = _SubjectQuery(**query.model_dump() | {"include_total": False}, subject_id=subject.id)
    shown = (subject.reviews, Review.hidden_at.is_(None), *_rated(query))
    total = select(func.count()).select_from(Review).where(*shown).scalar_subquery().label("total")
    _, told = locate(session, viewer_store_id, *([total] if query.include_total else []), given=(_may_see(subject),))
    columns = [column for column in Review.__table__.columns if column.name in ReviewResponse.model_fields]
    is_own = (Review.buyer_store_id == viewer_store_id).label("is_own")
    found = select(*columns, _REVIEWER.label("reviewer_name"), is_own).join(Store, Store.id == Review.buyer_store_id)
    page = page_of(session, found.where(*shown), narrowed, _NEWEST)
    return replace(page.of([ReviewResponse.of_row(dict(row._mapping)) for row in page.items]), total=told.get("total"))


def list_all_reviews(session: Session, query: AdminReviewsQuery) -> Page[AdminReviewResponse]:
    """Everybody's reviews, the newest first."""
    wanted = {name: getattr(query, name) for name in ("store_id", "product_id", "buyer_store_id")}
    chosen = [Review.__table__.columns[name] == value for name, value in wanted.items() if value is not None]
    if query.hidden is not None:
        chosen.append(Review.hidden_at.is_not(None) if query.hidden else Review.hidden_at.is_(None))
    page = page_of(session, _as_admins_see().where(*chosen, *_rated(query)), query, _NEWEST)
    return page.of([AdminReviewResponse.of_row(dict(row._mapping)) for row in page.items])


def get_review(session: Session, review_id: UUID) -> AdminReviewResponse:
    """One review, which is there, as an admin sees it."""
    return AdminReviewResponse.of_row(
        dict(session.execute(_as_admins_see().where(Review.id == review_id)).one()._mapping)
    )


def _as_admins_see() -> Any:
    columns = [column for column in Review.__table__.columns if column.name in AdminReviewResponse.model_fields]
    is_hidden = Review.hidden_at.is_not(None).label("is_hidden")
    told = (_REVIEWER.label("reviewer_name"), is_hidden)
    return select(*columns, *told).join(Store, Store.id == Review.buyer_store_id)


def _rated(query: ReviewsQuery) -> list[ColumnElement[bool]]:
    return [Review.rating.in_(query.rating)] if query.rating else []


def _may_see(subject: Subject) -> ColumnElement[bool]:
    """The store that asks (`Store`) is a buyer that sees the subject, or its vendor."""
    here = cast(Any, Store)
    return or_(
        and_(Store.type == StoreType.BUYER, subject.is_seen_from(here)),
        and_(Store.type == StoreType.VENDOR, subject.is_sold_by(Store.id)),
    )
