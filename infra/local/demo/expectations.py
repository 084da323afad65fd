"""What should be so: the first thing that is not ends the demo, with what it is and what it should be."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from infra.local import console

Value = TypeVar("Value")

_PATIENCE_S = 30.0
_LOOK_EVERY_S = 0.1


class Unexpected(Exception):
    """Something is not as it should be."""

    def __init__(self, what: str, actual: Any, wanted: Any) -> None:
        super().__init__(f"{what}\n      is        {actual!r}\n      should be {wanted!r}")


def expect(actual: Value, wanted: Value, what: str) -> None:
    """Raises Unexpected, saying both, unless they are equal."""
    if actual != wanted:
        raise Unexpected(what, actual, wanted)


def eventually(read: Callable[[], Value], wanted: Value, what: str) -> None:
    """Read until it is as it should be, which an event brings about; say how long that took. Raises Unexpected."""
    began = time.monotonic()
    while (actual := read()) != wanted:
        if time.monotonic() - began > _PATIENCE_S:
            raise Unexpected(f"{what} (after waiting {_PATIENCE_S:.0f} s)", actual, wanted)
        time.sleep(_LOOK_EVERY_S)
    console.done(what, time.monotonic() - began)
