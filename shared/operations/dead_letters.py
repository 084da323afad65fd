"""Dead letters as operators see them: which there are, and what is in one."""

import base64
import json
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from shared.kit.errors import NotFound
from shared.kit.outbox import DeadLetter
from shared.kit.pagination import Order, PageQuery, page_of
from shared.kit.schemas import Instant, Page, Response


class Source(StrEnum):
    """Who gave up: the publisher of the outbox, or a consumer."""

    OUTBOX = "outbox"
    CONSUMER = "consumer"


class LetterState(StrEnum):
    """What became of a letter. One that fails again after a replay is open again."""

    OPEN = "open"
    REPLAYED = "replayed"
    DISMISSED = "dismissed"


_IN_STATE = {
    LetterState.OPEN: and_(DeadLetter.replayed_at.is_(None), DeadLetter.dismissed_at.is_(None)),
    LetterState.REPLAYED: DeadLetter.replayed_at.is_not(None),
    LetterState.DISMISSED: DeadLetter.dismissed_at.is_not(None),
}
OPEN = _IN_STATE[LetterState.OPEN]

_NEWEST = Order((DeadLetter.created_at, DeadLetter.id))


class DeadLettersQuery(PageQuery):
    """Filters of the list, which shows open letters unless asked for others; the period includes both its ends."""

    state: list[LetterState] = Field(default=[LetterState.OPEN], max_length=3)
    source: Source | None = None
    subscription: str | None = Field(default=None, max_length=255)
    event_type: str | None = Field(default=None, max_length=100)
    event_id: UUID | None = None
    created_from: Instant | None = None
    created_to: Instant | None = None


class DeadLetterResponse(Response):
    """A message given up on. `subscription` is empty when it never left the outbox."""

    id: UUID
    state: LetterState
    source: Source
    subscription: str
    event_id: UUID | None
    event_type: str | None
    attempts: int
    reason: str
    created_at: datetime
    replayed_at: datetime | None
    dismissed_at: datetime | None
    dismissed_reason: str | None


class DeadLetterDetailResponse(DeadLetterResponse):
    """With the message as it was kept, and the event in it when it can be read."""

    message: dict[str, Any]
    event: dict[str, Any] | None


def list_dead_letters(session: Session, query: DeadLettersQuery) -> Page[DeadLetterResponse]:
    """The newest first."""
    page = page_of(session, select_dead_letters(query), query, _NEWEST)
    return page.of([response_of(row.DeadLetter) for row in page.items])


def select_dead_letters(query: DeadLettersQuery) -> Select[DeadLetter]:
    """The letters that the filters let through, in no order."""
    return select(DeadLetter).where(or_(*(_IN_STATE[state] for state in query.state)), *_conditions(query))


def get_dead_letter(session: Session, letter_id: UUID) -> DeadLetterDetailResponse:
    """One letter with its message. Raises NotFound."""
    letter = session.get(DeadLetter, letter_id)
    if letter is None:
        raise NotFound
    shown = response_of(letter).model_dump()
    return DeadLetterDetailResponse(**shown, message=letter.message, event=find_event(letter))


def response_of(letter: DeadLetter) -> DeadLetterResponse:
    told = {name: getattr(letter, name) for name in DeadLetterResponse.model_fields if name != "state"}
    return DeadLetterResponse(**told, state=state_of(letter))


def state_of(letter: DeadLetter) -> LetterState:
    """What became of a letter so far."""
    if letter.dismissed_at is not None:
        return LetterState.DISMISSED
    return LetterState.OPEN if letter.replayed_at is None else LetterState.REPLAYED


def find_event(letter: DeadLetter) -> dict[str, Any] | None:
    """The event as it travelled, from the message; None when the message cannot be read.

    The publisher keeps the event itself, a consumer the Pub/Sub message that brought it.
    """
    if letter.source == Source.OUTBOX:
        return letter.message
    try:
        told = json.loads(base64.b64decode(letter.message["data"], validate=True))
    except (KeyError, TypeError, ValueError):
        return None
    return told if isinstance(told, dict) else None


def _conditions(query: DeadLettersQuery) -> list[ColumnElement[bool]]:
    wanted = {
        DeadLetter.source: query.source,
        DeadLetter.subscription: query.subscription,
        DeadLetter.event_type: query.event_type,
        DeadLetter.event_id: query.event_id,
    }
    conditions = [column == value for column, value in wanted.items() if value is not None]
    if query.created_from is not None:
        conditions.append(DeadLetter.created_at >= query.created_from)
    if query.created_to is not None:
        conditions.append(DeadLetter.created_at <= query.created_to)
    return conditions
