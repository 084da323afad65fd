"""The operators' commands, on this worker's database."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

import pytest

from shared.kit import logging


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it said."""

    status: int
    stdout: str
    stderr: str


Command = Callable[..., Done]


@pytest.fixture
def command(committed_database: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """`command("dead_letters", "list")` is `python -m infra.operations.dead_letters list`."""
    monkeypatch.setattr(logging, "_muted", False)  # a command mutes its process: this one speaks again afterwards

    def run(module: str, *arguments: str) -> Done:
        capsys.readouterr()
        status = import_module(f"infra.operations.{module}").main(list(arguments))
        return Done(status, *capsys.readouterr())

    return run
