"""Figures and how they are shown."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured thing, beside its floor and the goal of the quality bars."""

    what: str
    value: str
    floor: str = ""
    ratio: str = ""
    goal: str = ""


def show(title: str, figures: Sequence[Figure]) -> None:
    """Print a table."""
    header = Figure("what", "measured", "floor", "ratio", "goal")
    rows = [header, *figures]
    widths = [max(len(getattr(row, name)) for row in rows) for name in header.__dataclass_fields__]
    print(f"\n{title}")
    for n, row in enumerate(rows):
        cells = [
            getattr(row, name).ljust(width) for name, width in zip(header.__dataclass_fields__, widths, strict=True)
        ]
        print("  " + "  ".join(cells).rstrip())
        if n == 0:
            print("  " + "  ".join("-" * width for width in widths))


def milliseconds(samples: Sequence[float]) -> str:
    """The median and the 95th percentile of samples in seconds."""
    ordered = sorted(samples)
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return f"p50 {statistics.median(ordered) * 1000:.1f} ms, p95 {p95 * 1000:.1f} ms"


def timed(act: Callable[[], object]) -> float:
    """How long `act` takes, in seconds."""
    started = time.perf_counter()
    act()
    return time.perf_counter() - started
