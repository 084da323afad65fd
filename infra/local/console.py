"""What a person at the terminal sees: one line for each step, with how long it took."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

BOLD, DIM, RED, GREEN, YELLOW, CYAN = "1", "2", "31", "32", "33", "36"


def styled(text: str, code: str) -> str:
    """The text in a colour or weight, where the terminal has them."""
    plain = not sys.stdout.isatty() or "NO_COLOR" in os.environ
    return text if plain else f"\033[{code}m{text}\033[0m"


def heading(text: str) -> None:
    print(f"\n{styled(text, BOLD)}", flush=True)


def done(text: str, took_s: float | None = None) -> None:
    """A step that went well."""
    took = styled(f"  {_duration(took_s)}", DIM) if took_s is not None else ""
    print(f"  {styled('✓', GREEN)} {text}{took}", flush=True)


def failed(text: str) -> None:
    print(f"  {styled('✗', RED)} {text}", flush=True)


def note(text: str) -> None:
    print(f"    {styled(text, DIM)}", flush=True)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Say what was done and how long it took; an error passes through after being marked."""
    began = time.monotonic()
    try:
        yield
    except BaseException:
        failed(text)
        raise
    done(text, time.monotonic() - began)


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"
