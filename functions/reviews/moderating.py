"""Admins look through reviews, hide what should not be read, and show it again.

Serves /api/v1/admin/reviews.
"""

from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints

from shared.identity.callers import AdminCaller, admin
from shared.kit.db import read_only, transaction
from shared.kit.errors import NotFound
from shared.kit.http import Api
from shared.kit.idempotency import DAY_1
from shared.kit.pagination import Page
from shared.kit.schemas import Request
from shared.reviews import moderation
from shared.reviews.listing import AdminReviewResponse, AdminReviewsQuery, get_review, list_all_reviews

api = Api("reviews", prefix="/api/v1/admin/reviews")


class HideRequest(Request):
    reason: Annotated[str, StringConstraints(min_length=1, max_length=500)]

    example = {"reason": "Names an employee of the vendor."}


@api.get(allow=admin())
def list_all(_: AdminCaller, query: AdminReviewsQuery) -> Page[AdminReviewResponse]:
    """All reviews, hidden ones too, the newest first."""
    with read_only() as session:
        return list_all_reviews(session, query)


@api.post("/<uuid:review_id>/hide", allow=admin(), idempotent=DAY_1, raises=(NotFound, moderation.AlreadyHidden))
def hide(_: AdminCaller, review_id: UUID, body: HideRequest) -> AdminReviewResponse:
    """Show a review to nobody any more; it counts for no rating."""
    with transaction() as session:
        moderation.hide(session, review_id, body.reason)
        session.flush()
        return get_review(session, review_id)


@api.post("/<uuid:review_id>/unhide", allow=admin(), idempotent=DAY_1, raises=(NotFound, moderation.NotHidden))
def unhide(_: AdminCaller, review_id: UUID) -> AdminReviewResponse:
    """Show a hidden review again."""
    with transaction() as session:
        moderation.unhide(session, review_id)
        session.flush()
        return get_review(session, review_id)
