"""The FFmpeg that imageio-ffmpeg brings: it reads and writes files as streams."""

import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from shared.media.rendering.outcome import TooLong, Unfit

# The demuxer is ours to choose: a file that says it is a playlist must not make FFmpeg open other things.
_DEMUXERS: Mapping[str, str] = {"video/mp4": "mov", "video/webm": "matroska", "image/gif": "gif"}

# Of a frame: 4K. Dozens of frames are held on the way from decoder to encoder, so this decides on the memory.
MAX_FRAME_PIXELS = 4_096 * 2_304

# It ends by itself when a signal says that its time is up, and says so by 255.
_OUT_OF_TIME = frozenset({255, -signal.SIGXCPU, -signal.SIGKILL})


def convert(source: Path, mime_type: str, how: list[str], target: Path) -> None:
    """Write `target` from a video or animation of this type, by FFmpeg's options `how`. Raises Unfit, TooLong."""
    import imageio_ffmpeg

    command = [
        # Each thread of a decoder has frames of its own, and an instance has one processor.
        *(imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-y", "-v", "error", "-threads", "1"),
        *("-protocol_whitelist", "file", "-max_pixels", str(MAX_FRAME_PIXELS)),
        *("-f", _DEMUXERS[mime_type], "-i", f"file:{source}"),
        *("-map_metadata", "-1", "-map_chapters", "-1", "-sn", "-dn", "-filter_threads", "1"),
        *(*how, "-threads", "1", f"file:{target}"),
    ]
    # What it says is not kept: it may complain of every frame.
    nowhere = subprocess.DEVNULL
    done = subprocess.run(command, check=False, stdin=nowhere, stdout=nowhere, stderr=nowhere)  # noqa: S603 - ours
    if done.returncode in _OUT_OF_TIME:
        raise TooLong
    if done.returncode == -signal.SIGXFSZ:
        raise Unfit("The file is too long: more would be made of it than can be kept.")
    if done.returncode != 0 or not target.exists() or target.stat().st_size == 0:
        what = "animation" if mime_type == "image/gif" else "video"
        raise Unfit(f"The {what} is damaged, encrypted, larger than 4K, or of a kind that cannot be read.")
