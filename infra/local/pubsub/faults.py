"""Trouble on demand: what the platform may do to messages, made certain so that tests can wait for it."""

import threading
from dataclasses import asdict, dataclass, fields
from typing import Any

from infra.local.pubsub.errors import InvalidArgument

# Long enough for the next message to overtake the one that is held, short enough to test with.
HELD_BACK_S = 0.1


@dataclass(frozen=True)
class FaultSettings:
    """`refuse_publish`: so many publish calls still answer UNAVAILABLE. `duplicate`: deliveries per message.
    `reorder`: every second message is held so that the next overtakes it, except within an ordering key of an
    ordered subscription. `delay_ms`: every message is held this long."""

    refuse_publish: int = 0
    duplicate: int = 1
    reorder: bool = False
    delay_ms: int = 0


_FLOORS = {"refuse_publish": 0, "duplicate": 1, "delay_ms": 0}


class Faults:
    """The faults in force; safe to change while messages flow. They apply from the moment of publishing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._settings = FaultSettings()
        self._held_last = False

    def change(self, wanted: dict[str, Any]) -> None:
        """Set the named faults, leave the others. Raises InvalidArgument for an unknown name or a senseless value."""
        types = {field.name: field.type for field in fields(FaultSettings)}
        for name, value in wanted.items():
            if type(value) is not types.get(name) or value < _FLOORS.get(name, 0):
                raise InvalidArgument(f"No such fault: {name} = {value!r}")
        with self._lock:
            self._settings = FaultSettings(**{**asdict(self._settings), **wanted})

    def clear(self) -> None:
        """Back to fair weather."""
        with self._lock:
            self._settings = FaultSettings()

    def as_dict(self) -> dict[str, Any]:
        """The settings in force; `refuse_publish` counts down."""
        return asdict(self._settings)

    def take_refusal(self) -> bool:
        """Whether this publish call is one of those to refuse."""
        with self._lock:
            left = self._settings.refuse_publish
            if left:
                self._settings = FaultSettings(**{**asdict(self._settings), "refuse_publish": left - 1})
            return left > 0

    def delays_s(self) -> list[float]:
        """For the next message: how long to hold each of its deliveries."""
        with self._lock:
            settings = self._settings
            self._held_last = settings.reorder and not self._held_last
            held_s = HELD_BACK_S if self._held_last else 0.0
        return [settings.delay_ms / 1000 + held_s] * settings.duplicate
