"""Buyers write reviews of what they were brought, and take them back.

Serves /api/v1/reviews.
"""

from datetime import datetime
from uuid import UUID

from shared.identity.callers import BuyerCaller, buyer
from shared.identity.permissions import Permission
from shared.kit.db import transaction
from shared.kit.errors import NotFound
from shared.kit.http import Api, Reply
from shared.kit.idempotency import DAY_1
from shared.kit.schemas import Response
from shared.reviews.writing import NothingReceived, ReviewRequest, delete_review, write_review

api = Api("reviews", prefix="/api/v1/reviews")


class OwnReviewResponse(Response):
    """A review as its store sees it. One that is hidden is shown to nobody else."""

    id: UUID
    store_id: UUID | None
    product_id: UUID | None
    rating: int
    title: str | None
    body: str | None
    is_hidden: bool
    created_at: datetime
    updated_at: datetime


@api.post(
    "",
    allow=buyer(Permission.REVIEWS_WRITE),
    idempotent=DAY_1,
    status=201,
    raises=(NotFound, NothingReceived),
)
def write(caller: BuyerCaller, body: ReviewRequest) -> Reply[OwnReviewResponse]:
    """Review a vendor or product of a delivered order; 200 when it takes the place of the store's earlier review."""
    with transaction() as session:
        review, is_new = write_review(session, caller.store_id, body, author_id=caller.user_id)
        session.flush()
        return Reply(OwnReviewResponse.model_validate(review), status=201 if is_new else 200)


@api.delete("/<uuid:review_id>", allow=buyer(Permission.REVIEWS_WRITE), raises=(NotFound,))
def delete(caller: BuyerCaller, review_id: UUID) -> None:
    """Take a review of the store's own back."""
    with transaction() as session:
        delete_review(session, caller.store_id, review_id)
