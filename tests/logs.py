"""Keeps what the code logged during the whole run in one file, and fails the run that logged a secret or a person."""

import os
from pathlib import Path

import pytest

from infra.local.paths import LOCAL
from tests.security.leaks import Leak, find_leaks

FOLDER = LOCAL / "test-logs"
_SHOWN = 20


class LogKeeper:
    """Appends the output of every test to `path`; in a parallel run, in the process that collects reports."""

    def __init__(self) -> None:
        self.path: Path = FOLDER / f"{os.getpid()}.log"
        self.leaks: list[Leak] = []
        FOLDER.mkdir(parents=True, exist_ok=True)
        for old in FOLDER.glob("*.log"):
            if not Path(f"/proc/{old.stem}").exists():
                old.unlink()
        self.path.write_text("")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "teardown":  # its sections hold those of setup and call too
            with self.path.open("a") as file:
                file.writelines(f"{text.rstrip()}\n" for _, text in report.sections if text.strip())

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        with self.path.open() as lines:
            self.leaks = list(find_leaks(lines))
        if self.leaks and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self.leaks:
            return
        terminalreporter.section(f"{len(self.leaks)} log lines tell what may not be logged")
        for leak in self.leaks[:_SHOWN]:
            terminalreporter.line(f"{self.path}:{leak.line}: {leak.kind} ({leak.about})", red=True)
