"""Tries a runbook on the running local stack: `python -m infra.operations.drill outbox-backlog`.

`provoke` of infra/runbooks/drills/<name>.sh brings the incident about; then every block ```sh of the runbook is run in
one shell, in order, and the last of them says whether it is over. A block ```sh mend is what only a person can do, such
as deploying a fix: the drill runs its own `mend` there. Blocks ```sh cloud are for a project in the cloud alone.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.local import stack
from infra.local.paths import CHECKOUT
from infra.operations.surroundings import surroundings

RUNBOOKS = CHECKOUT / "infra" / "runbooks"
_BLOCK = re.compile(r"^```sh ?(?P<mark>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A shell block of a runbook, and the heading that it stands under."""

    heading: str
    mark: str
    text: str


def blocks_of(runbook: str) -> list[Block]:
    """The shell blocks of a runbook, in order."""
    headings = [(found.start(), found[1]) for found in _HEADING.finditer(runbook)]
    return [
        Block(next((h for at, h in reversed(headings) if at < found.start()), ""), found["mark"], found["text"])
        for found in _BLOCK.finditer(runbook)
    ]


def drills() -> list[str]:
    """The runbooks that can be tried here."""
    return sorted(file.stem for file in (RUNBOOKS / "drills").glob("*.sh"))


def script_of(name: str) -> str:
    """The whole drill as one shell script."""
    return "\n".join(_lines(name))


def _lines(name: str) -> Iterator[str]:
    yield "set -euo pipefail"
    yield (RUNBOOKS / "drills" / f"{name}.sh").read_text()
    yield _said("# The incident is provoked")
    yield "provoke"
    heading = ""
    for block in blocks_of((RUNBOOKS / f"{name}.md").read_text()):
        if block.mark == "cloud":
            continue
        if block.heading != heading:
            heading = block.heading
            yield _said(f"\n## {heading}")
        yield _said("$ " + block.text.rstrip().replace("\n", "\n  "))
        yield "mend" if block.mark == "mend" else block.text


def _said(text: str) -> str:
    return f"cat <<'SAID'\n{text}\nSAID"


def run(name: str, running: stack.Stack, *, cwd: Path = CHECKOUT) -> int:
    """Provoke, follow the runbook, look whether it is over; what the shell ended with."""
    done = subprocess.run(
        ["bash", "-c", script_of(name)],
        check=False,
        cwd=cwd,
        env=dict(_without_make()) | surroundings(running),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
    )
    return done.returncode


def _without_make() -> Iterator[tuple[str, str]]:
    """Our environment without what one `make` tells another that it starts."""
    return ((name, value) for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS")))


def main(arguments: list[str]) -> int:
    known = drills()
    if len(arguments) != 1 or arguments[0] not in known:
        print(f"Say which runbook: make drill R=<name>, of {', '.join(known)}.", file=sys.stderr)
        return 2
    [name] = arguments
    try:
        running = stack.get()
    except stack.NotUp as error:
        print(error, file=sys.stderr)
        return 1
    began = time.monotonic()
    status = run(name, running)
    verdict = "The runbook works" if status == 0 else f"The runbook FAILED (exit code {status})"
    print(f"\n{verdict}: {name}, after {time.monotonic() - began:.0f} s.")
    return 0 if status == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
