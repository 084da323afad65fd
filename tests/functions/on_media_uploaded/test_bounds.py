"""Whatever is uploaded, opening it takes no more than 512 MB, and no more time than it is given."""

import json
import os
import subprocess
import sys

import pytest

from shared.media.rendering import child, run
from shared.media.rendering.images import MAX_PIXELS
from shared.media.rendering.outcome import Unfit
from tests.functions.on_media_uploaded import files
from tests.patience import PATIENCE_S

LIMIT_KB = 512 * 1024


# What a process inherits counts in its ru_maxrss; its own peak is in its status.
MEASURED = (
    "import sys\n"
    "from pathlib import Path\n"
    "from shared.media.rendering import child\n"
    "child.main(*sys.argv[1:])\n"
    "status = Path('/proc/self/status').read_text()\n"
    "sys.stderr.write(status.partition('VmHWM:')[2].split()[0])\n"
)


WITH_LITTLE_ROOM = (
    "import sys\nfrom shared.media.rendering import child\nchild.MAX_FILE = 9_000\nchild.main(*sys.argv[1:])\n"
)


def peak_of(content, mime_type, folder) -> tuple[dict, int]:
    """What rendering said, and how much memory (KB) it had at most."""
    source, made = folder / "source", folder / "made"
    source.write_bytes(content)
    made.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, mime_type, str(source), str(made), "100"],
        env=run._environment(),
        check=True,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    return json.loads(done.stdout), int(done.stderr)


def as_large_as_allowed(mime_type, format_name, mode, **options) -> bytes:
    from PIL import Image

    side = int(MAX_PIXELS[mime_type] ** 0.5)
    return files.encoded(Image.new(mode, (side, side), "seagreen"), format_name, **options)


@pytest.mark.parametrize(
    ("mime_type", "make"),
    [
        pytest.param("image/png", lambda: files.noise(2_580), id="png of 20 MB"),
        pytest.param("image/png", lambda: as_large_as_allowed("image/png", "PNG", "RGBA"), id="png"),
        pytest.param("image/png", lambda: as_large_as_allowed("image/png", "PNG", "P"), id="png with a palette"),
        pytest.param("image/jpeg", lambda: as_large_as_allowed("image/jpeg", "JPEG", "RGB"), id="jpeg"),
        pytest.param(
            "image/jpeg",
            lambda: as_large_as_allowed("image/jpeg", "JPEG", "RGB", progressive=True, subsampling=0),
            id="progressive jpeg",
        ),
        pytest.param(
            "image/webp", lambda: as_large_as_allowed("image/webp", "WEBP", "RGBA", lossless=True, method=0), id="webp"
        ),
        pytest.param("image/gif", lambda: as_large_as_allowed("image/gif", "GIF", "P"), id="gif"),
        pytest.param("application/pdf", lambda: files.paper(pages=700), id="pdf"),
    ],
)
def test_memory_is_bounded(tmp_path, mime_type, make):
    content = make()
    assert len(content) < 21_000_000

    said, peak_kb = peak_of(content, mime_type, tmp_path)

    assert "renditions" in said, said
    assert peak_kb < LIMIT_KB


def test_a_download_goes_to_disk_piece_by_piece(object_storage, tmp_path):
    """The client's own memory while 20 MB pass through it, in a process of its own."""
    import io

    from shared.integrations.gcs import object_store
    from tests.storage import MEDIA_BUCKET

    stored = object_store().upload(
        MEDIA_BUCKET, "large.bin", io.BytesIO(os.urandom(20_000_000)), content_type="video/mp4"
    )
    script = (
        "import sys, tracemalloc\n"
        "from shared.integrations.gcs import object_store\n"
        "store = object_store()\n"
        "store.stat(sys.argv[1], sys.argv[2])\n"
        "tracemalloc.start()\n"
        "with open(sys.argv[4], 'wb') as target:\n"
        "    assert store.download(sys.argv[1], sys.argv[2], target, generation=int(sys.argv[3]))\n"
        "print(tracemalloc.get_traced_memory()[1])\n"
    )
    target = tmp_path / "target"

    said = subprocess.run(
        [sys.executable, "-c", script, MEDIA_BUCKET, "large.bin", str(stored.generation), str(target)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        check=True,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )

    assert target.stat().st_size == 20_000_000
    assert int(said.stdout) < 5_000_000


def test_what_takes_too_long_is_ended_with_all_its_processes(tmp_path):
    source, made = tmp_path / "source", tmp_path / "made"
    source.write_bytes(files.endless_gif())
    made.mkdir()

    with pytest.raises(Unfit, match=r"^The file takes too long to convert\.$"):
        run.render(source, made, "image/gif", time_limit_s=1.0)

    said = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(source) not in said


@pytest.mark.parametrize(
    ("make", "mime_type"), [(files.endless_gif, "image/gif"), (files.jpeg_of_many_scans, "image/jpeg")]
)
def test_a_small_file_does_not_keep_a_processor_for_long(tmp_path, make, mime_type):
    source, made = tmp_path / "source", tmp_path / "made"
    source.write_bytes(make())
    made.mkdir()

    with pytest.raises(Unfit, match=r"^The file takes too long to convert\.$"):
        run.render(source, made, mime_type, cpu_limit_s=1)


def test_what_becomes_larger_than_there_is_room_for_is_given_up(tmp_path):
    source, made = tmp_path / "source", tmp_path / "made"
    source.write_bytes(files.film())
    made.mkdir()

    said = subprocess.run(
        [sys.executable, "-c", WITH_LITTLE_ROOM, "video/mp4", str(source), str(made), "100"],
        env=run._environment(),
        check=True,
        capture_output=True,
        timeout=120,
    ).stdout

    assert json.loads(said) == {"unfit": "The file is too long: more would be made of it than can be kept."}


def test_nobody_keeps_what_is_complained_of_in_a_file(tmp_path):
    """One line for each entry of this picture's EXIF: ten times as much as there is of the picture."""
    source, made = tmp_path / "source", tmp_path / "made"
    source.write_bytes(files.png_of_much_exif(1_000))
    made.mkdir()

    done = subprocess.run(
        [sys.executable, "-m", child.__name__, "image/png", str(source), str(made), "60"],
        env=run._environment(),
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert [each["name"] for each in json.loads(done.stdout)["renditions"]] == ["image.webp", "thumbnail.webp"]
    assert done.stderr == ""


def test_a_process_that_ends_oddly_says_nothing_about_the_file(tmp_path):
    with pytest.raises(run.RenderingBroke, match="FileNotFoundError"):
        run.render(tmp_path / "nowhere", tmp_path, "application/pdf")
