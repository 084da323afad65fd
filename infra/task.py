"""Runs the commands behind a verb of the Makefile and says how each went and how long it took.

    python -m infra.task                      the verbs, as the Makefile's comments describe them
    python -m infra.task NAME -- A … -- B …   every command in turn, also after one that failed

Needs nothing but Python, since it also runs before the virtual environment exists.
"""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MAKEFILE = Path(__file__).resolve().parents[1] / "Makefile"
_GROUP = re.compile(r"^##@ (?P<title>.+)$")
_VERB = re.compile(r"^(?P<verb>[a-z][\w-]*):[^#]*## (?P<text>.+)$")


@dataclass(frozen=True)
class Outcome:
    """How one command went; `status` is its exit code, as a shell would give it."""

    command: str
    status: int
    took_s: float


def descriptions(makefile: str) -> dict[str, dict[str, str]]:
    """Group title to verb to what it does, from `##@ Title` lines and `verb: … ## text` lines."""
    groups: dict[str, dict[str, str]] = {}
    title = ""
    for line in makefile.splitlines():
        if group := _GROUP.match(line):
            title = group["title"]
        elif verb := _VERB.match(line):
            groups.setdefault(title, {})[verb["verb"]] = verb["text"]
    return groups


def help_text(makefile: str) -> str:
    """The verbs by group, ready to print."""
    groups = descriptions(makefile)
    width = max(len(verb) for verbs in groups.values() for verb in verbs)
    lines = []
    for title, verbs in groups.items():
        lines += ["", _styled(title, "1")]
        lines += [f"  {_styled(f'make {verb}'.ljust(width + 5), '36')}  {text}" for verb, text in verbs.items()]
    return "\n".join(lines[1:])


def run(command: list[str]) -> Outcome:
    """Run one command to its end; Ctrl-C and SIGTERM are for it to obey, and waited for."""
    shown = shlex.join(command)
    print(_styled(f"▸ {shown}", "2"), flush=True)
    began = time.monotonic()
    signal.signal(signal.SIGINT, lambda *_: None)  # the terminal sends it to the command as well
    try:
        process = subprocess.Popen(command)
    except FileNotFoundError:
        print(f"{command[0]} is not installed; run `make setup`.", file=sys.stderr)
        return Outcome(shown, 127, time.monotonic() - began)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    status = process.wait()
    return Outcome(shown, 128 - status if status < 0 else status, time.monotonic() - began)


def _summary(name: str, outcomes: list[Outcome]) -> Iterator[str]:
    yield ""
    if len(outcomes) > 1:
        yield from (f"  {_verdict(outcome.status)} {outcome.took_s:6.1f} s  {outcome.command}" for outcome in outcomes)
    failed = [outcome for outcome in outcomes if outcome.status]
    said = f"{len(failed)} of {len(outcomes)} failed" if failed else "done"
    yield f"{_verdict(len(failed))} make {name}: {said} in {sum(outcome.took_s for outcome in outcomes):.1f} s"


def _verdict(status: int) -> str:
    return _styled("✗", "31") if status else _styled("✓", "32")


def _styled(text: str, code: str) -> str:
    plain = not sys.stdout.isatty() or "NO_COLOR" in os.environ
    return text if plain else f"\033[{code}m{text}\033[0m"


def _commands(words: list[str]) -> list[list[str]]:
    commands: list[list[str]] = []
    for word in words:
        if word == "--":
            commands.append([])
        else:
            commands[-1].append(word)
    return commands


def main(words: list[str]) -> int:
    if sys.version_info < (3, 11):  # noqa: UP036 - this runs on whatever Python the machine has
        print(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}.", file=sys.stderr)
        return 2
    makefile = MAKEFILE.read_text()
    if not words:
        print(help_text(makefile))
        return 0
    name, *rest = words
    does = {verb: text for verbs in descriptions(makefile).values() for verb, text in verbs.items()}
    print(_styled(f"make {name}: {does.get(name, '')}", "1"), flush=True)
    outcomes = [run(command) for command in _commands(rest)]
    print("\n".join(_summary(name, outcomes)), flush=True)
    return next((outcome.status for outcome in outcomes if outcome.status), 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
