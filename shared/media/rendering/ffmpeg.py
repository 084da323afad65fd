"""The FFmpeg that imageio-ffmpeg brings: it reads and writes files as streams."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from shared.media.rendering.outcome import Unfit

# The demuxer is ours to choose: a file that says it is a playlist must not make FFmpeg open other things.
_DEMUXERS: Mapping[str, str] = {"video/mp4": "mov", "video/webm": "matroska", "image/gif": "gif"}

# Of a frame: 4K. Dozens of frames are held on the way from decoder to encoder, so this decides on the memory.
MAX_FRAME_PIXELS = 4_096 * 2_304

# Fit within 1920x1080, or 1080x1920 when upright; never larger than it was. H.264 wants even sides.
FIT = (
    "scale=w='if(gte(iw,ih),min(1920,iw),min(1080,iw))':h='if(gte(iw,ih),min(1080,ih),min(1920,ih))'"
    ":force_original_aspect_ratio=decrease:force_divisible_by=2"
)


def convert(source: Path, mime_type: str, how: list[str], target: Path) -> None:
    """Write `target` from a video or animation of this type, by FFmpeg's options `how`. Raises Unfit."""
    import imageio_ffmpeg

    command = [
        # Each thread of a decoder has frames of its own, and an instance has one processor.
        *(imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-y", "-v", "error", "-threads", "1"),
        *("-protocol_whitelist", "file", "-max_pixels", str(MAX_FRAME_PIXELS)),
        *("-f", _DEMUXERS[mime_type], "-i", f"file:{source}"),
        *("-map_metadata", "-1", "-map_chapters", "-1", "-sn", "-dn", "-filter_threads", "1"),
        *(*how, "-threads", "1", f"file:{target}"),
    ]
    done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, capture_output=True)  # noqa: S603 - ours
    if done.returncode != 0 or not target.exists() or target.stat().st_size == 0:
        raise Unfit("The video is damaged, encrypted, larger than 4K, or of a kind that cannot be read.")
