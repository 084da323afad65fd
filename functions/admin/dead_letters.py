"""Dead letters: look at them, send their events again, or let them rest.

Serves /api/v1/admin/dead-letters. Puts events back into the outbox under the ids that they had.
"""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from shared.identity.callers import AdminCaller, admin
from shared.kit.db import read_only, transaction
from shared.kit.errors import NotFound
from shared.kit.http import Api
from shared.kit.idempotency import DAY_1
from shared.kit.schemas import Page, Request
from shared.operations import replay
from shared.operations.dead_letters import (
    DeadLetterDetailResponse,
    DeadLetterResponse,
    DeadLettersQuery,
    get_dead_letter,
    list_dead_letters,
    response_of,
)
from shared.operations.replay import CannotReplay, LetterSettled, ReplayRequest, ReplayResponse

api = Api("admin", prefix="/api/v1/admin/dead-letters")


class DismissalRequest(Request):
    """Why nothing more shall come of a letter."""

    reason: Annotated[str, Field(min_length=1, max_length=500)]

    example = {"reason": "The order was canceled by hand."}


@api.get(allow=admin())
def search(_: AdminCaller, query: DeadLettersQuery) -> Page[DeadLetterResponse]:
    """Dead letters, the newest first; open ones unless others are asked for."""
    with read_only() as session:
        return list_dead_letters(session, query)


@api.get("/<uuid:letter_id>", allow=admin(), raises=(NotFound,))
def show(_: AdminCaller, letter_id: UUID) -> DeadLetterDetailResponse:
    """One dead letter with its message."""
    with read_only() as session:
        return get_dead_letter(session, letter_id)


@api.post("/<uuid:letter_id>/replay", allow=admin(), idempotent=DAY_1, raises=(NotFound, LetterSettled, CannotReplay))
def replay_one(_: AdminCaller, letter_id: UUID) -> DeadLetterResponse:
    """Send a letter's event again, under the id that it has."""
    with transaction() as session:
        return response_of(replay.replay(session, letter_id))


@api.post("/replay", allow=admin(), idempotent=DAY_1)
def replay_many(_: AdminCaller, body: ReplayRequest) -> ReplayResponse:
    """Send the events of open letters again, the oldest first."""
    with transaction() as session:
        return replay.replay_all(session, body)


@api.post("/<uuid:letter_id>/dismiss", allow=admin(), idempotent=DAY_1, raises=(NotFound, LetterSettled))
def dismiss(_: AdminCaller, letter_id: UUID, body: DismissalRequest) -> DeadLetterResponse:
    """Let a letter rest for good."""
    with transaction() as session:
        return response_of(replay.dismiss(session, letter_id, body.reason))
