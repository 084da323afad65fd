"""Who wants mail of which category. Security mail is not a matter of taste: it is always sent."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.kit import clock
from shared.kit.errors import InvalidRequest
from shared.notifications.models import NotificationPreference, NotificationType

ALWAYS_MAILED = frozenset({NotificationType.SECURITY_ALERT})


@dataclass(frozen=True)
class Preference:
    """Whether a person is mailed what is of a category, and whether that is theirs to change."""

    category: NotificationType
    email: bool
    can_change: bool


def list_preferences(session: Session, user_id: UUID) -> list[Preference]:
    """All categories, those never touched included, in the order of their declaration."""
    statement = select(NotificationPreference).where(NotificationPreference.user_id == user_id)
    chosen = {preference.category: preference.email for preference in session.scalars(statement)}
    return [_preference(category, chosen) for category in NotificationType]


def choose(session: Session, user_id: UUID, wanted: Mapping[NotificationType, bool]) -> None:
    """Keep what a person wants of these categories. Raises InvalidRequest for switching off what is always sent."""
    for category in ALWAYS_MAILED:
        if wanted.get(category) is False:
            raise InvalidRequest.field(f"email.{category}", "Security mail cannot be switched off.")
    rows = [
        {"user_id": user_id, "category": category, "email": email, "changed_at": clock.now()}
        for category, email in sorted(wanted.items())
    ]
    statement = insert(NotificationPreference).values(rows)
    changed = {"email": statement.excluded.email, "changed_at": statement.excluded.changed_at}
    session.execute(statement.on_conflict_do_update(index_elements=["user_id", "category"], set_=changed))


def unwanted(session: Session, user_ids: Collection[UUID]) -> set[tuple[UUID, NotificationType]]:
    """Which of these people do not want mail of which category."""
    statement = select(NotificationPreference.user_id, NotificationPreference.category).where(
        NotificationPreference.user_id.in_(user_ids),
        NotificationPreference.email.is_(False),
        NotificationPreference.category.not_in(ALWAYS_MAILED),
    )
    return {(row.user_id, row.category) for row in session.execute(statement)}


def _preference(category: NotificationType, chosen: Mapping[NotificationType, bool]) -> Preference:
    is_always = category in ALWAYS_MAILED
    return Preference(category, is_always or chosen.get(category, True), not is_always)
