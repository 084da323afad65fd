"""The function with everything that it starts: how much memory it takes, and that its instance has as much."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from infra.manifest import load
from shared.integrations.gcs import object_store
from shared.media.kinds import RULES
from shared.media.models import MediaStatus
from shared.media.rendering import child
from tests.functions.on_media_uploaded import files
from tests.functions.on_media_uploaded.conftest import announced, uploaded
from tests.media import media_now
from tests.storage import MEDIA_BUCKET

MB = 1_000_000
LIMIT_KB = 512_000
THE_FUNCTION_ITSELF = 200 * MB
LARGEST_FILE = max(max(rule.max_bytes.values()) for rule in RULES.values())

# The instance: it is told of one upload, as the platform tells it.
INSTANCE = (
    "import json, sys\n"
    "from functions.on_media_uploaded.main import main\n"
    "sys.exit(0 if main.consumer.deliver(json.load(sys.stdin)) else 1)\n"
)


def process_on_an_instance_of_its_own(delivery) -> int:
    """Deliver to a fresh process; the most memory (KB) that it and all that it started had together."""
    with subprocess.Popen(
        [sys.executable, "-c", INSTANCE],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        text=True,
    ) as instance:
        instance.stdin.write(json.dumps(delivery))
        instance.stdin.close()
        most = 0
        while instance.poll() is None:
            most = max(most, sum(map(peak_of, family_of(instance.pid))))
            time.sleep(0.01)
    assert instance.returncode == 0
    return most


def family_of(pid: int) -> list[int]:
    """A process and all that come of it."""
    try:
        children = [int(each) for task in Path(f"/proc/{pid}/task").iterdir() for each in _children_of(task)]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [pid, *(each for one in children for each in family_of(one))]


def _children_of(task: Path) -> list[str]:
    return (task / "children").read_text().split()


def peak_of(pid: int) -> int:
    """The most memory (KB) that a process ever had in its own pages, so far."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    _, _, peak = status.partition("VmHWM:")
    return int(peak.split()[0]) if peak else 0  # one that just ended has none


@pytest.mark.parametrize(
    ("make", "mime_type", "least_bytes"),
    [
        pytest.param(lambda: files.busy_film("3840x2160", LARGEST_FILE), "video/mp4", 190 * MB, id="video of 200 MB"),
        pytest.param(lambda: files.noise(2_570), "image/png", 19 * MB, id="picture of 20 MB"),
        pytest.param(lambda: files.moving_gif(12, 4_096, 2_304), "image/gif", MB // 20, id="moving picture of 4K"),
    ],
)
def test_the_largest_uploads_take_less_than_512_mb(committed_database, consumer, make, mime_type, least_bytes):
    content = make()
    assert least_bytes < len(content) <= RULES["product"].max_bytes[mime_type]
    media = uploaded(content, mime_type)

    most_kb = process_on_an_instance_of_its_own(announced(media))

    now = media_now(media)
    assert now.status is MediaStatus.READY, now.failure_reason
    assert most_kb < LIMIT_KB
    # The storage of this test process keeps everything in memory.
    object_store().delete(MEDIA_BUCKET, media.object_key)


def test_an_instance_has_room_for_its_disk_and_for_whoever_uses_all_that_he_may():
    """Its disk is its memory: the largest file and what is made of it lie there while the child takes its most."""
    room = load("on_media_uploaded").run.memory_mb << 20

    assert LARGEST_FILE + child.MAX_FILE + max(child.MAX_MEMORY.values()) + THE_FUNCTION_ITSELF < room
