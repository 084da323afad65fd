import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests import logs
from tests.logs import LogKeeper


def _a_report(when: str, *sections: tuple[str, str]) -> pytest.TestReport:
    return pytest.TestReport("a", ("a", 1, "a"), {}, "passed", None, when, sections)  # type: ignore[arg-type]


def test_the_output_of_every_test_is_kept_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "FOLDER", tmp_path)
    keeper = LogKeeper()

    keeper.pytest_runtest_logreport(_a_report("call", ("Captured stdout call", "{1}\n")))
    keeper.pytest_runtest_logreport(
        _a_report("teardown", ("Captured stdout call", "{1}\n{2}\n"), ("Captured stderr call", " "))
    )

    assert keeper.path == tmp_path / f"{os.getpid()}.log"
    assert keeper.path.read_text() == "{1}\n{2}\n"


def test_logs_of_runs_that_ended_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "FOLDER", tmp_path)
    (tmp_path / f"{2**22 + 1}.log").touch()  # above the largest process number that Linux gives
    (tmp_path / "1.log").touch()

    keeper = LogKeeper()

    assert sorted(tmp_path.iterdir()) == sorted([tmp_path / "1.log", keeper.path])


def test_a_run_that_logged_a_secret_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "FOLDER", tmp_path)
    keeper = LogKeeper()
    keeper.path.write_text('{"severity": "INFO", "message": "request", "sent_to": "rosa@example.com"}\n')
    session = SimpleNamespace(exitstatus=pytest.ExitCode.OK)

    keeper.pytest_sessionfinish(session)  # type: ignore[arg-type]

    assert session.exitstatus == pytest.ExitCode.TESTS_FAILED
    assert [(leak.kind, leak.line) for leak in keeper.leaks] == [("email", 1)]


def test_a_clean_run_stays_green(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "FOLDER", tmp_path)
    keeper = LogKeeper()
    keeper.path.write_text('{"severity": "INFO", "message": "request", "status": 200}\nrosa@example.com was printed\n')
    session = SimpleNamespace(exitstatus=pytest.ExitCode.OK)

    keeper.pytest_sessionfinish(session)  # type: ignore[arg-type]

    assert session.exitstatus == pytest.ExitCode.OK
    assert keeper.leaks == []
