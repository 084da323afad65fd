"""Keeps what the code logged during the whole run in one file, for the scan for secrets and people."""

import os
from pathlib import Path

import pytest

from infra.local.paths import LOCAL

FOLDER = LOCAL / "test-logs"


class LogKeeper:
    """Appends the output of every test to `path`; in a parallel run, in the process that collects reports."""

    def __init__(self) -> None:
        self.path: Path = FOLDER / f"{os.getpid()}.log"
        FOLDER.mkdir(parents=True, exist_ok=True)
        for old in FOLDER.glob("*.log"):
            if not Path(f"/proc/{old.stem}").exists():
                old.unlink()
        self.path.write_text("")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "teardown":  # its sections hold those of setup and call too
            with self.path.open("a") as file:
                file.writelines(f"{text.rstrip()}\n" for _, text in report.sections if text.strip())
