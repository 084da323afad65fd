"""Has a file rendered by a process of its own: whatever is in the file, it harms and holds up nobody else."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from shared.media.rendering import child
from shared.media.rendering.outcome import Rendition, Role, TooLong, Unfit

TIME_LIMIT_S = 480
CPU_LIMIT_S: Mapping[str, int] = {"image": 60, "image/gif": 240, "video": 450, "application": 120}
"""Seconds of a processor, by type or family: many times what an honest picture or document takes.

Small files can ask for hours: a JPEG of a million scans, a film of ten thousand frames in a GIF.
"""


class RenderingBroke(RuntimeError):
    """The process ended in a way that says nothing about the file."""


def render(
    source: Path, folder: Path, mime_type: str, *, time_limit_s: float = TIME_LIMIT_S, cpu_limit_s: int | None = None
) -> list[Rendition]:
    """Renditions of a file, as files in `folder`. Raises Unfit, TooLong, RenderingBroke."""
    cpu_limit_s = cpu_limit_s or CPU_LIMIT_S.get(mime_type) or CPU_LIMIT_S[mime_type.partition("/")[0]]
    command = [sys.executable, "-m", child.__name__, mime_type, str(source), str(folder), str(cpu_limit_s)]
    pipe = subprocess.PIPE
    with subprocess.Popen(  # noqa: S603 - our own module and paths
        command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, env=_environment(), start_new_session=True
    ) as process:
        try:
            said, complained = process.communicate(timeout=time_limit_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise TooLong from None
    if process.returncode == -signal.SIGXCPU:
        raise TooLong
    if process.returncode < 0:
        raise Unfit("The file breaks the program that opens it.")
    if process.returncode != 0:
        raise RenderingBroke(complained.decode(errors="replace")[-2_000:])
    return _renditions(json.loads(said))


def _renditions(told: dict[str, object]) -> list[Rendition]:
    if "unfit" in told:
        raise Unfit(str(told["unfit"]))
    made = told["renditions"]
    assert isinstance(made, list)  # noqa: S101 - the child writes nothing else
    return [Rendition(each["name"], each["content_type"], Role(each["role"])) for each in made]


def _environment() -> dict[str, str]:
    """Only what Python needs to find our code: no secret is near a file that somebody uploaded."""
    return {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": os.pathsep.join(place or "." for place in sys.path)}
