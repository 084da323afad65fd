"""Buyers write reviews of what they were brought, change them and take them back."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator
from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.catalog.visibility import get_buyer_place
from shared.identity.models import Store
from shared.kit import clock
from shared.kit.errors import Forbidden, NotFound
from shared.kit.ids import new_id
from shared.kit.schemas import Request
from shared.orders.received import has_received_from, has_received_product
from shared.reviews.models import Review
from shared.reviews.subjects import Subject, lock_review
from shared.reviews.words import Headline, Prose, plain

Rating = Annotated[int, Field(ge=1, le=5)]


class ReviewRequest(Request):
    """A review of a vendor (`store_id`) or of a product (`product_id`); its words are plain text."""

    store_id: UUID | None = None
    product_id: UUID | None = None
    rating: Rating
    title: Headline | None = None
    body: Prose | None = None

    example = {
        "store_id": "01980000-0000-7000-8000-000000000001",
        "rating": 5,
        "title": "On time, every time",
        "body": "Four orders so far, all complete, all fresh.",
    }

    @model_validator(mode="after")
    def _of_one_thing(self) -> Self:
        if (self.store_id is None) == (self.product_id is None):
            raise ValueError("name either a store or a product")
        return self


class NothingReceived(Forbidden):
    default_message = "Only what was delivered to your store can be reviewed by it."

    def __init__(self) -> None:
        super().__init__(details={"reason": "nothing_received"})


def write_review(
    session: Session, buyer_store_id: UUID, request: ReviewRequest, *, author_id: UUID
) -> tuple[Review, bool]:
    """Keep a store's review of something, in the place of an earlier one; whether it is the first.

    A review that was hidden stays so. Raises NotFound for what the buyer neither received nor sees, and
    NothingReceived.
    """
    subject = Subject.of(store_id=request.store_id, product_id=request.product_id)
    if not _was_received(session, buyer_store_id, subject):
        _refuse(session, buyer_store_id, subject)
    now = clock.now()
    written = {
        "author_user_id": author_id,
        "rating": request.rating,
        "title": plain(request.title),
        "body": plain(request.body),
        "updated_at": now,
    }
    subject.lock(session)
    review = session.scalar(select(Review).where(subject.reviews, Review.buyer_store_id == buyer_store_id))
    if review is None:
        review = Review(
            id=new_id(),
            buyer_store_id=buyer_store_id,
            store_id=request.store_id,
            product_id=request.product_id,
            created_at=now,
            **written,
        )
        session.add(review)
        subject.add(session, count=1, total=review.rating)
        return review, True
    if not review.is_hidden:
        subject.add(session, count=0, total=request.rating - review.rating)
    for field, value in written.items():
        setattr(review, field, value)
    return review, False


def delete_review(session: Session, buyer_store_id: UUID, review_id: UUID) -> None:
    """Take back a review of the store's own. Raises NotFound for every other."""
    subject, review = lock_review(session, review_id, Review.buyer_store_id == buyer_store_id)
    if not review.is_hidden:
        subject.add(session, count=-1, total=-review.rating)
    session.delete(review)


def _was_received(session: Session, buyer_store_id: UUID, subject: Subject) -> bool:
    if subject.table is Store:
        return has_received_from(session, buyer_store_id, subject.id)
    return has_received_product(session, buyer_store_id, subject.id)


def _refuse(session: Session, buyer_store_id: UUID, subject: Subject) -> None:
    """Raises NothingReceived for what this buyer sees and NotFound for the rest."""
    place = get_buyer_place(session, buyer_store_id)
    if not session.scalar(select(subject.is_seen_from(place))):
        raise NotFound
    raise NothingReceived
