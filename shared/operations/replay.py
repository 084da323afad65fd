"""What operators do with dead letters: send their events again, or let them rest.

A replay makes the event's row in the outbox due once more, as if created now, and makes the row anew from the
letter when retention has removed it. Either way the event keeps its id and goes to all its topics: consumers that had
done it find their processed mark and skip it. Retention keeps the marks of events with a dead letter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, ValidationError
from sqlalchemy import ColumnElement, func, select, text, update
from sqlalchemy.orm import Session

from shared.kit import clock
from shared.kit.dead_letters import announce_again
from shared.kit.errors import NotFound, StateConflict
from shared.kit.outbox import DeadLetter
from shared.kit.schemas import Instant, Request, Response
from shared.kit.tables import as_json
from shared.operations.audit import entry, record
from shared.operations.dead_letters import OPEN, LetterState, Source, find_event, response_of, state_of

MOST_AT_ONCE = 500


class ReplayRequest(Request):
    """Which open letters to replay, the oldest first and at most `limit`."""

    source: Source | None = None
    subscription: str | None = Field(default=None, max_length=255)
    event_type: str | None = Field(default=None, max_length=100)
    created_from: Instant | None = None
    created_to: Instant | None = None
    limit: int = Field(default=100, ge=1, le=MOST_AT_ONCE)

    example = {"subscription": "on_event_notify", "event_type": "order_decided", "limit": 100}


class UnreplayableResponse(Response):
    """An open letter that stays as it is, and why."""

    id: UUID
    reason: str


class ReplayResponse(Response):
    """What a replay by filter did; `left` open letters fit the filter still."""

    replayed: int
    unreplayable: list[UnreplayableResponse]
    left: int


class CannotReplay(StateConflict):
    default_message = "There is no event to send again: the message cannot be read and the outbox no longer has it."

    def __init__(self) -> None:
        super().__init__(details={"reason": "nothing_to_replay"})


class LetterSettled(StateConflict):
    default_message = "The letter was settled otherwise already."


class _Kept(BaseModel):
    """All of an event that its outbox row needs, as the letter keeps it."""

    event_id: UUID
    event_type: str
    version: int
    aggregate_type: str
    aggregate_id: UUID
    sequence: int
    occurred_at: AwareDatetime
    actor: str
    request_id: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Replay:
    """The outcome for each of some letters."""

    replayed: list[DeadLetter]
    unreplayable: list[DeadLetter]


_MAKE_DUE = text(
    """
    UPDATE outbox_events SET published_at = NULL, dead_at = NULL, attempts = 0,
        created_at = clock_timestamp(), next_attempt_at = clock_timestamp()
    WHERE id = ANY(:ids) AND (published_at IS NOT NULL OR dead_at IS NOT NULL)
    """
)
_MAKE_ANEW = text(
    """
    INSERT INTO outbox_events (id, event_type, version, aggregate_type, aggregate_id, sequence, payload,
                               actor, request_id, occurred_at)
    SELECT event_id, event_type, version, aggregate_type, aggregate_id, sequence, data, actor, request_id, occurred_at
    FROM json_to_recordset(CAST(:events AS json)) AS told(
        event_id uuid, event_type text, version smallint, aggregate_type text, aggregate_id uuid, sequence bigint,
        data jsonb, actor text, request_id text, occurred_at timestamptz)
    ORDER BY event_id ON CONFLICT DO NOTHING
    """
)
_THERE = text("SELECT id FROM outbox_events WHERE id = ANY(:ids)")


def replay(session: Session, letter_id: UUID) -> DeadLetter:
    """Send one letter's event again; a letter that was replayed stays as it is.

    Raises NotFound, LetterSettled when it was dismissed, CannotReplay.
    """
    letter = _lock(session, letter_id)
    if _is_already(letter, LetterState.REPLAYED):
        return letter
    if _replay(session, [letter]).unreplayable:
        raise CannotReplay
    return letter


def replay_all(session: Session, wanted: ReplayRequest) -> ReplayResponse:
    """Send the events of open letters again; seven statements, however many letters."""
    conditions = [OPEN, *_conditions(wanted)]
    oldest = select(DeadLetter.id).where(*conditions).order_by(DeadLetter.created_at, DeadLetter.id).limit(wanted.limit)
    locked = select(DeadLetter).where(DeadLetter.id.in_(oldest)).order_by(DeadLetter.id).with_for_update()
    done = _replay(session, [letter for letter in session.scalars(locked) if state_of(letter) is LetterState.OPEN])
    left = session.scalar(select(func.count()).select_from(DeadLetter).where(*conditions))
    return ReplayResponse(
        replayed=len(done.replayed),
        unreplayable=[UnreplayableResponse(id=letter.id, reason=letter.reason) for letter in done.unreplayable],
        left=left or 0,
    )


def dismiss(session: Session, letter_id: UUID, reason: str) -> DeadLetter:
    """Nothing more shall come of this letter; one that was dismissed keeps its first reason.

    Raises NotFound, LetterSettled when it was replayed.
    """
    letter = _lock(session, letter_id)
    if not _is_already(letter, LetterState.DISMISSED):
        letter.dismissed_at, letter.dismissed_reason = clock.now(), reason
        record(session, _audited("dead_letter.dismissed", letter, {"reason": reason}))
    return letter


def _lock(session: Session, letter_id: UUID) -> DeadLetter:
    letter = session.scalar(select(DeadLetter).where(DeadLetter.id == letter_id).with_for_update())
    if letter is None:
        raise NotFound
    return letter


def _is_already(letter: DeadLetter, wanted: LetterState) -> bool:
    """Whether an open letter's way to `wanted` is behind it. Raises LetterSettled when it went another."""
    state = state_of(letter)
    if state not in (LetterState.OPEN, wanted):
        raise LetterSettled(details={"reason": f"letter_{state}"})
    return state is wanted


def _replay(session: Session, letters: Sequence[DeadLetter]) -> Replay:
    """Bring the events of locked letters back into the outbox, and settle those letters."""
    kept = {letter.id: _kept(letter) for letter in letters}
    event_ids = {letter.id: _event_id(letter, kept[letter.id]) for letter in letters}
    present = _make_due(session, sorted({event_id for event_id in event_ids.values() if event_id}))
    gone = {held.event_id: held for held in kept.values() if held and held.event_id not in present}
    _make_anew(session, list(gone.values()))
    back = present | gone.keys()
    done = Replay(
        [letter for letter in letters if event_ids[letter.id] in back],
        [letter for letter in letters if event_ids[letter.id] not in back],
    )
    _settle(session, done.replayed)
    return done


def _event_id(letter: DeadLetter, kept: _Kept | None) -> UUID | None:
    return letter.event_id or (kept.event_id if kept else None)


def _make_due(session: Session, event_ids: list[UUID]) -> set[UUID]:
    """Those of the events that the outbox still has; they are due again."""
    if not event_ids:
        return set()
    present = set(session.scalars(_THERE, {"ids": event_ids}))
    if present:
        session.execute(_MAKE_DUE, {"ids": sorted(present)})
    return present


def _make_anew(session: Session, events: Sequence[_Kept]) -> None:
    if events:
        session.execute(_MAKE_ANEW, {"events": as_json([event.model_dump(mode="json") for event in events])})


def _settle(session: Session, letters: Sequence[DeadLetter]) -> None:
    if letters:
        replayed = update(DeadLetter).where(DeadLetter.id.in_([letter.id for letter in letters]))
        session.execute(replayed.values(replayed_at=clock.now()))
        # That one failed again would be news.
        announce_again(session, [(letter.subscription or letter.source, letter.event_type) for letter in letters])
        record(session, *(_audited("dead_letter.replayed", letter, {}) for letter in letters))


def _kept(letter: DeadLetter) -> _Kept | None:
    """The event that the letter itself holds, if it is whole and the one that the letter is about."""
    try:
        kept = _Kept.model_validate(find_event(letter))
    except ValidationError:
        return None
    return kept if letter.event_id in (None, kept.event_id) else None


def _conditions(wanted: ReplayRequest) -> list[ColumnElement[bool]]:
    columns = {
        DeadLetter.source: wanted.source,
        DeadLetter.subscription: wanted.subscription,
        DeadLetter.event_type: wanted.event_type,
    }
    conditions = [column == value for column, value in columns.items() if value is not None]
    if wanted.created_from is not None:
        conditions.append(DeadLetter.created_at >= wanted.created_from)
    if wanted.created_to is not None:
        conditions.append(DeadLetter.created_at <= wanted.created_to)
    return conditions


def _audited(
    action: Literal["dead_letter.replayed", "dead_letter.dismissed"], letter: DeadLetter, more: dict[str, Any]
) -> dict[str, Any]:
    told = response_of(letter).model_dump(mode="json", include={"source", "subscription", "event_id", "event_type"})
    return entry(action, "dead_letter", letter.id, after={**told, **more})
