"""What PostgreSQL does for the statements of a request: kept as files when asked, and searched for whole tables."""

import re
from collections.abc import Iterator, Sequence, Set
from pathlib import Path
from typing import Any

from shared.kit.db import read_only
from tests.performance.driver import Statement


class Plans:
    """The plans of several requests; `scanning` are those that read one of `tables` from end to end."""

    def __init__(self, tables: Set[str], folder: str | None, prefix: str) -> None:
        self.scanning: list[str] = []
        self._tables, self._prefix = tables, prefix
        self._folder = Path(folder) if folder else None

    def look(self, what: str, script: Sequence[Statement]) -> int:
        """Ask for the plans of a request's statements, in a session with the settings of requests.

        Returns how many pages of 8 KiB they read, which tells of growth however busy the machine is.
        """
        pages = 0
        for number, statement in enumerate(script, start=1):
            ((told,),) = _explained(statement, "ANALYZE, BUFFERS, FORMAT JSON")
            pages += told[0]["Plan"]["Shared Hit Blocks"] + told[0]["Plan"]["Shared Read Blocks"]
            found = self._tables & set(_sequential(told[0]["Plan"]))
            if found:
                self.scanning.append(f"{what}, statement {number}: {', '.join(sorted(found))}")
            if self._folder is not None:
                self._keep(f"{self._prefix} {what} {number}", statement)
        return pages

    def tell(self) -> None:
        """Print which requests read a table whole."""
        for one in self.scanning:
            print(f"  reads a table whole: {one}")

    def _keep(self, name: str, statement: Statement) -> None:
        assert self._folder is not None
        self._folder.mkdir(parents=True, exist_ok=True)
        lines = [line for (line,) in _explained(statement, "ANALYZE, BUFFERS")]
        file = self._folder / (re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") + ".txt")
        file.write_text("\n".join([statement[0].strip(), "", *lines, ""]))


def _explained(statement: Statement, how: str) -> list[Any]:
    sent, parameters = statement
    with read_only() as session:
        connection = session.connection()
        connection.exec_driver_sql("SET statement_timeout = 0")
        rows = connection.exec_driver_sql(f"EXPLAIN ({how}) {sent}", parameters or ())
        told = [tuple(row) for row in rows]
        connection.exec_driver_sql("RESET statement_timeout")
        return told


def _sequential(plan: dict[str, Any]) -> Iterator[str]:
    if plan["Node Type"] == "Seq Scan":
        yield plan["Relation Name"]
    for inner in plan.get("Plans", ()):
        yield from _sequential(inner)
