"""Who is mailed about an event: written down in its transaction, one mail for each person, sent afterwards."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from shared.identity.reachable import ActiveMember, list_active_members, list_active_users
from shared.kit import clock
from shared.kit.ids import new_id
from shared.kit.outbox import Event
from shared.kit.tables import insert_new
from shared.notifications.drafting import Draft
from shared.notifications.models import DeliveryStatus, EmailDelivery
from shared.notifications.notices import Mailed
from shared.notifications.preferences import unwanted


def address(session: Session, event_id: UUID, event: Event, drafts: Sequence[Draft]) -> None:
    """Write the mail that an event calls for, to active people who hold the permission concerned and want it.

    Who stands in several lines of the table gets the first; who was written to before gets nothing more.
    """
    mailed = [(draft, draft.mail) for draft in drafts if draft.mail is not None]
    people = _people_of(session, mailed)
    declined = unwanted(session, people.keys()) if people else set()
    rows = [
        _row(event_id, event, draft, user_id)
        for user_id, draft in people.items()
        if (user_id, draft.type) not in declined
    ]
    insert_new(session, EmailDelivery, rows)


def _people_of(session: Session, mailed: Sequence[tuple[Draft, Mailed]]) -> dict[UUID, Draft]:
    """Who is mailed what: by as many statements for one recipient as for all."""
    recipients = [draft.recipient for draft, _ in mailed]
    members = list_active_members(session, {told.store_id for told in recipients if told.store_id})
    users = list_active_users(
        session,
        {told.user_id for told in recipients if told.user_id},
        {told.role for told in recipients if told.role},
    )
    people: dict[UUID, Draft] = {}
    for draft, mail in mailed:
        to = draft.recipient
        concerned = [member.user_id for member in members if _concerns(draft, mail, member)]
        concerned += [
            user_id for user_id, role in users if user_id == to.user_id or (to.role is not None and role is to.role)
        ]
        for user_id in concerned:
            people.setdefault(user_id, draft)
    return people


def _concerns(draft: Draft, mail: Mailed, member: ActiveMember) -> bool:
    is_theirs = member.store_id == draft.recipient.store_id
    return is_theirs and (mail.permission is None or member.may(mail.permission))


def _row(event_id: UUID, event: Event, draft: Draft, user_id: UUID) -> dict[str, Any]:
    told = {"title": draft.title, "message": draft.message, "path": draft.link}
    return {
        "id": new_id(),
        "event_id": event_id,
        "user_id": user_id,
        # A person may be written to about a store, such as the one that invites them.
        "store_id": draft.recipient.store_id or draft.words.get("store_id"),
        "category": draft.type,
        "template": event.event_type(),
        "words": {**draft.words, **told},
        "status": DeliveryStatus.PENDING,
        "attempts": 0,
        "due_at": clock.now(),
        "created_at": clock.now(),
    }
