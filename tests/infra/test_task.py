import os
import re
import signal
import subprocess
import sys

import pytest

from infra import task

MAKEFILE = """\
##@ Start here
run: ready ## Start everything; F=orders for one
.PHONY: run
##@ Upkeep
dry-run: ## Print what would be done
hidden:
"""
PYTHON = sys.executable


def _said(text: str) -> list[str]:
    return [re.sub(r"\d+\.\d s", "0.0 s", line) for line in text.splitlines()]


def test_help_lists_the_verbs_by_group() -> None:
    assert task.help_text(MAKEFILE).splitlines() == [
        "Start here",
        "  make run      Start everything; F=orders for one",
        "",
        "Upkeep",
        "  make dry-run  Print what would be done",
    ]


def test_every_verb_of_the_makefile_says_what_it_does() -> None:
    makefile = task.MAKEFILE.read_text()
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)

    assert phony is not None
    described = {verb for verbs in task.descriptions(makefile).values() for verb in verbs}
    assert described == set(phony[1].split()) - {"help"}


def test_every_command_runs_even_after_one_that_failed(capfd: pytest.CaptureFixture[str]) -> None:
    failing = [PYTHON, "-c", "raise SystemExit(3)"]
    passing = [PYTHON, "-c", "print('still here')"]

    status = task.main(["check", "--", *failing, "--", *passing])

    assert status == 3
    out = _said(capfd.readouterr().out)
    assert out[0] == "make check: Lint, format, types and import directions, without tests"
    assert "still here" in out
    assert out[-3:] == [
        f"  ✗    0.0 s  {PYTHON} -c 'raise SystemExit(3)'",
        f"  ✓    0.0 s  {PYTHON} -c 'print('\"'\"'still here'\"'\"')'",
        "✗ make check: 1 of 2 failed in 0.0 s",
    ]


def test_one_command_that_went_well_is_told_in_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    assert task.main(["clean", "--", PYTHON, "-c", ""]) == 0

    assert _said(capfd.readouterr().out)[-1] == "✓ make clean: done in 0.0 s"


def test_a_missing_program_is_one_sentence_with_its_remedy(capfd: pytest.CaptureFixture[str]) -> None:
    assert task.main(["check", "--", "no-such-program"]) == 127

    assert capfd.readouterr().err == "no-such-program is not installed; run `make setup`.\n"


_OBEYING = """
import time
try:
    print("ready", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    time.sleep(0.2)
    print("stopped in order", flush=True)
"""


def test_an_interrupt_is_the_commands_to_obey_and_is_waited_for() -> None:
    """The terminal sends Ctrl-C to both; what the command does then decides how it went."""
    words = [PYTHON, "-m", "infra.task", "run", "--", PYTHON, "-c", _OBEYING]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, process_group=0) as process:
        assert process.stdout is not None
        while process.stdout.readline() != "ready\n":
            assert process.poll() is None

        os.killpg(process.pid, signal.SIGINT)

        told = process.stdout.read()
    assert process.returncode == 0
    assert told.startswith("stopped in order\n")


def test_a_command_ended_by_a_signal_counts_as_failed() -> None:
    outcome = task.run([PYTHON, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"])

    assert outcome.status == 128 + signal.SIGKILL
