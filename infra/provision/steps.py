"""A plan is a list of steps; each says what it is about to do before it does it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

Verb = Literal["create", "change", "keep", "remove"]


@dataclass(frozen=True)
class Step:
    """One thing to create, to change, to keep as it is or to remove; `detail` says how it shall be."""

    verb: Verb
    kind: str
    name: str
    detail: str
    act: Callable[[], object] = lambda: None

    def __str__(self) -> str:
        return f"{self.verb:<7} {self.kind:<13} {self.name:<24} {self.detail}".rstrip()


def carry_out(steps: Iterable[Step], *, say: Callable[[str], None]) -> None:
    """Do every step, in order, saying those that change something."""
    for step in steps:
        if step.verb != "keep":
            say(str(step))
        step.act()
