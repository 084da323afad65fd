"""Renders one file in a process of its own, which may use only so much: `python -m … TYPE SOURCE FOLDER SECONDS`.

Prints JSON: the renditions that lie in FOLDER, or why there are none.
"""

import json
import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from shared.media.rendering.documents import render_document
from shared.media.rendering.images import render_image
from shared.media.rendering.outcome import Rendition, Unfit
from shared.media.rendering.videos import render_video

_MB = 1 << 20
# Address space, of which less than half becomes resident: a video of 4K in 10 bits reserves 900 MB and uses 370.
MAX_MEMORY = {"image": 900 * _MB, "application": 900 * _MB, "video": 1_200 * _MB}
MAX_FILE = 300 * _MB
_TO_END_S = 5


def render(source: Path, folder: Path, mime_type: str) -> list[Rendition]:
    """What is made of a file of this type. Raises Unfit."""
    family = mime_type.partition("/")[0]
    if family == "image":
        return render_image(source, folder, mime_type)
    if family == "video":
        return render_video(source, folder, mime_type)
    return render_document(source, folder)


def main(mime_type: str, source: str, folder: str, cpu_limit_s: str) -> None:
    _restrain(mime_type.partition("/")[0], int(cpu_limit_s))
    try:
        with _quietly():
            made = render(Path(source), Path(folder), mime_type)
        told: dict[str, object] = {"renditions": [asdict(rendition) for rendition in made]}
    except Unfit as unfit:
        told = {"unfit": str(unfit)}
    except MemoryError:
        told = {"unfit": "The file needs more memory than it may have when it is opened."}
    sys.stdout.write(json.dumps(told))


def _restrain(family: str, cpu_limit_s: int) -> None:
    for what, limit in (
        (resource.RLIMIT_AS, MAX_MEMORY[family]),
        (resource.RLIMIT_FSIZE, MAX_FILE),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (limit, limit))
    # The first limit is told by SIGXCPU, from which one knows why it ended; the second kills.
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_limit_s, cpu_limit_s + _TO_END_S))


@contextmanager
def _quietly() -> Iterator[None]:
    """What libraries complain of is not kept: it may be many times as long as the file."""
    spoken = os.dup(sys.stderr.fileno())
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stderr.fileno())
    try:
        yield
    finally:
        os.dup2(spoken, sys.stderr.fileno())
        os.close(spoken)


if __name__ == "__main__":
    main(*sys.argv[1:])
