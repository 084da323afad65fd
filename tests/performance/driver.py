"""The floor of anything that talks to PostgreSQL: the same statements, sent by the bare driver in a loop."""

import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pg8000.dbapi
from sqlalchemy import Engine, event, make_url

from tests.performance.table import Figure, milliseconds, timed

Statement = tuple[str, Any]


@contextmanager
def recorded() -> Iterator[list[Statement]]:
    """The statements that are sent within the block, as the driver gets them, savepoints left out."""
    sent: list[Statement] = []

    def note(_: Any, __: Any, statement: str, parameters: Any, ___: Any, ____: bool) -> None:
        if not statement.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            sent.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", note)


class BareDriver:
    """One connection of the driver, with the socket option that our engine sets too."""

    def __init__(self, url: str) -> None:
        place = make_url(url)
        self.connection = pg8000.dbapi.connect(
            user=place.username, host=place.host, port=place.port, database=place.database
        )
        import socket

        self.connection._usock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def run(self, statements: list[Statement]) -> None:
        """Send statements in one transaction, fetching what they return."""
        cursor = self.connection.cursor()
        for statement, parameters in statements:
            cursor.execute(statement, parameters or ())
            if cursor.description:
                cursor.fetchall()
        self.connection.commit()

    def plan(self, statement: Statement) -> dict[str, Any]:
        """What PostgreSQL would do for a statement, as the root of its plan."""
        sent, parameters = statement
        cursor = self.connection.cursor()
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sent}", parameters or ())
        found = cursor.fetchone()
        assert found is not None
        (told,) = found
        self.connection.rollback()
        plan: dict[str, Any] = told[0]["Plan"]
        return plan

    def close(self) -> None:
        self.connection.close()


def in_turns(
    url: str, what: str, acts: Sequence[Callable[[], object]], scripts: Sequence[list[Statement]], goal: str = ""
) -> Figure:
    """Each act beside a script of the like, in turns, so that a change of the machine's speed meets both."""
    driver = BareDriver(url)
    ours, bare = [], []
    for act, script in zip(acts, scripts, strict=True):
        ours.append(timed(act))
        bare.append(timed(lambda: driver.run(script)))  # noqa: B023 - called at once
    driver.close()
    ratio = statistics.median(ours) / statistics.median(bare)
    told = f"{what} ({len(scripts[-1])} statements)"
    return Figure(told, milliseconds(ours), milliseconds(bare), f"{ratio:.2f}", goal)
