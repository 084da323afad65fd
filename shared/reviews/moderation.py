"""Admins hide what should not be read, and show it again."""

from uuid import UUID

from sqlalchemy.orm import Session

from shared.kit import clock
from shared.kit.errors import StateConflict
from shared.operations.audit import audit
from shared.reviews.models import Review
from shared.reviews.subjects import Subject, lock_review


class AlreadyHidden(StateConflict):
    default_message = "This review is hidden already."

    def __init__(self) -> None:
        super().__init__(details={"reason": "already_hidden"})


class NotHidden(StateConflict):
    default_message = "This review is not hidden."

    def __init__(self) -> None:
        super().__init__(details={"reason": "not_hidden"})


def hide(session: Session, review_id: UUID, reason: str) -> None:
    """Show a review to nobody any more, and let it count no more. Raises NotFound, AlreadyHidden."""
    subject, review = lock_review(session, review_id)
    if review.is_hidden:
        raise AlreadyHidden
    review.hidden_at, review.hidden_reason = clock.now(), reason
    subject.add(session, count=-1, total=-review.rating)
    _record(session, "review.hidden", subject, review, reason)


def unhide(session: Session, review_id: UUID) -> None:
    """Show a review again, with what it says by now. Raises NotFound, NotHidden."""
    subject, review = lock_review(session, review_id)
    if not review.is_hidden:
        raise NotHidden
    review.hidden_at = review.hidden_reason = None
    subject.add(session, count=1, total=review.rating)
    _record(session, "review.unhidden", subject, review)


def _record(session: Session, action: str, subject: Subject, review: Review, reason: str | None = None) -> None:
    told = {subject.column.key: subject.id, "rating": review.rating} | ({"reason": reason} if reason else {})
    audit(session, action, "review", review.id, after=told)
