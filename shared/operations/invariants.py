"""The invariant checker: asks the database for what must never be, tells it, and repairs nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.kit import clock
from shared.kit.config import CommonSettings
from shared.kit.db import sqlstate, transaction
from shared.kit.logging import log, metric
from shared.operations.checks import CHECKS

NAMED = 20
"""How many violations of a check are named; all are counted."""

PATIENCE_MS = 600_000

_FIRST = "SELECT subject::text, detail, count(*) OVER () FROM ({check}) AS found ORDER BY subject LIMIT {named}"


@dataclass(frozen=True)
class Violation:
    """A row that is not as it must be; `subject` is its id, or its owner's."""

    subject: str
    detail: str


@dataclass(frozen=True)
class Finding:
    """What a check found: how many violations in all, and the first of them; `failure` when it could not look."""

    check: str
    count: int
    first: tuple[Violation, ...]
    failure: str | None = None

    @property
    def holds(self) -> bool:
        """Whether there is nothing wrong, for all that we know."""
        return self.count == 0 and self.failure is None


def check_all(names: Iterable[str] = CHECKS) -> list[Finding]:
    """Run these checks, each by one statement on a view of its own, and tell each outcome as it is known."""
    return [_check(name) for name in names]


def _check(name: str) -> Finding:
    finding = _found(name)
    if finding.failure is not None:
        log.error("invariant_unchecked", check=name, failure=finding.failure)
        metric("invariant_unchecked", check=name)
        return finding
    for violation in finding.first:
        log.error("invariant_broken", check=name, subject=violation.subject, detail=violation.detail)
    metric("invariant_violations", finding.count, check=name)
    return finding


def _found(name: str) -> Finding:
    statement = text(_FIRST.format(check=CHECKS[name], named=NAMED))
    try:
        with transaction() as session:
            session.execute(text("SELECT set_config('statement_timeout', :ms, true)"), {"ms": str(PATIENCE_MS)})
            rows = session.execute(statement, _parameters(CHECKS[name])).all()
    except DBAPIError as error:
        return Finding(name, 0, (), failure=sqlstate(error) or type(error).__name__)
    return Finding(name, rows[0][2] if rows else 0, tuple(Violation(subject, detail) for subject, detail, _ in rows))


def _parameters(check: str) -> dict[str, Any]:
    offered = {"now": clock.now(), "today": clock.today(CommonSettings.current().time_zone)}
    return {name: value for name, value in offered.items() if f":{name}" in check}
