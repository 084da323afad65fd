"""Writing notifications: one statement for all recipients, and never twice for one event."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from shared.kit import clock
from shared.kit.ids import new_id
from shared.kit.tables import insert_new
from shared.notifications.drafting import Draft
from shared.notifications.models import Notification


def tell(session: Session, event_id: UUID, drafts: Sequence[Draft]) -> None:
    """Keep what is told of an event; who was told of it before is not told again."""
    shown = [draft for draft in drafts if draft.mail is None or not draft.mail.alone]
    insert_new(session, Notification, [_row(event_id, draft) for draft in shown])


def _row(event_id: UUID, draft: Draft) -> dict[str, Any]:
    return {
        "id": new_id(),
        "event_id": event_id,
        "recipient_store_id": draft.recipient.store_id,
        "recipient_role": draft.recipient.role,
        "recipient_user_id": draft.recipient.user_id,
        "type": draft.type,
        "title": draft.title,
        "message": draft.message,
        "link": draft.link,
        "created_at": clock.now(),
    }
