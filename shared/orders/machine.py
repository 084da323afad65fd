"""A state machine as a table: who may do what in which status, and where it leads."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from shared.kit.errors import StateConflict

Status = TypeVar("Status", bound=StrEnum)
Action = TypeVar("Action", bound=StrEnum)


class Actor(StrEnum):
    """Who moves an order."""

    CHECKOUT = "checkout"
    BUYER = "buyer"
    VENDOR = "vendor"
    AGENT = "agent"
    ADMIN = "admin"
    SCHEDULER = "scheduler"


@dataclass(frozen=True)
class Move(Generic[Status, Action]):
    """One row of a table. Without a source it is how things come to be."""

    source: Status | None
    actor: Actor
    action: Action
    outcomes: tuple[Status, ...]


class Machine(Generic[Status, Action]):
    """The moves of one kind of thing. `noun` is what a refusal calls it."""

    def __init__(self, noun: str, moves: Iterable[Move[Status, Action]]) -> None:
        self.noun = noun
        self.moves = tuple(moves)
        self._outcomes = {(move.source, move.actor, move.action): move.outcomes for move in self.moves}

    def outcomes(self, source: Status | None, actor: Actor, action: Action) -> tuple[Status, ...]:
        """Where the action may lead from here; nowhere when it is not allowed."""
        return self._outcomes.get((source, actor, action), ())

    def allowed(self, source: Status | None, actor: Actor) -> list[Action]:
        """What the actor may do from here, in the order of the table."""
        return [move.action for move in self.moves if (move.source, move.actor) == (source, actor)]

    def is_done(self, status: Status, actor: Actor, action: Action) -> bool:
        """Whether the status is what the action leads to, and none that it starts from: asked again, it is done."""
        rows = [move for move in self.moves if (move.actor, move.action) == (actor, action)]
        return all(row.source != status for row in rows) and any(status in row.outcomes for row in rows)

    def require(self, source: Status | None, actor: Actor, action: Action) -> None:
        """Raises StateConflict, saying what would be allowed, unless the action is."""
        if not self.outcomes(source, actor, action):
            raise self.conflict(source, actor, action)

    def next(
        self, source: Status | None, actor: Actor, action: Action, to: Status | None = None, **details: object
    ) -> Status:
        """The status after the action; `to` chooses where several are possible.

        Raises StateConflict, which tells `details` as well.
        """
        outcomes = self.outcomes(source, actor, action)
        chosen = outcomes[0] if to is None and len(outcomes) == 1 else to
        if chosen is None or chosen not in outcomes:
            raise self.conflict(source, actor, action, **details)
        return chosen

    def conflict(self, source: Status | None, actor: Actor, action: Action, **details: object) -> StateConflict:
        """The refusal of an action."""
        return StateConflict(
            f"{self.noun} that is {_words(source or 'new')} does not take: {_words(action)}.",
            details={"from": source, "action": action, "allowed": self.allowed(source, actor), **details},
        )

    def diagram(self) -> str:
        """The table as a Mermaid state diagram."""
        return "\n".join(["stateDiagram-v2", *(f"    {arrow}" for arrow in self._arrows())])

    def _arrows(self) -> list[str]:
        labels: dict[tuple[str, str], list[str]] = {}
        for move in self.moves:
            for outcome in move.outcomes:
                label = f"{move.actor} {_words(move.action)}"
                labels.setdefault((move.source or "[*]", outcome), []).append(label)
        arrows = [f"{source} --> {outcome}: {', '.join(said)}" for (source, outcome), said in labels.items()]
        return arrows + [f"{final} --> [*]" for final in self._finals()]

    def _finals(self) -> list[Status]:
        sources = {move.source for move in self.moves}
        reached = dict.fromkeys(outcome for move in self.moves for outcome in move.outcomes)
        return [status for status in reached if status not in sources]


def _words(name: str) -> str:
    return name.replace("_", " ")
