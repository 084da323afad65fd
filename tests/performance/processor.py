"""How much processor time requests take, here and in their database session: tells more than a clock on a busy machine.

Linux counts it to the nanosecond in /proc/PID/schedstat (its kernel's documentation, "Scheduler Statistics").
"""

import time
from pathlib import Path

from sqlalchemy import text

from shared.kit.db import read_only


class Processor:
    """Counts from when it is made. One thread asks, so all its requests share the one session of the pool."""

    def __init__(self) -> None:
        with read_only() as session:
            self._backend = int(session.execute(text("SELECT pg_backend_pid()")).scalar_one())
        self._spent_s = 0.0
        self._began_s = 0.0

    def __enter__(self) -> "Processor":
        self._began_s = self._now_s()
        return self

    def __exit__(self, *_: object) -> None:
        self._spent_s += self._now_s() - self._began_s

    def ms_of_each(self, count: int) -> float:
        """Milliseconds for each of so many requests that were made within the blocks."""
        return self._spent_s * 1_000 / count

    def _now_s(self) -> float:
        nanoseconds = int(Path(f"/proc/{self._backend}/schedstat").read_text().split()[0])
        return time.process_time() + nanoseconds / 1e9
