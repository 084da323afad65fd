"""Videos and animations, by the FFmpeg that imageio-ffmpeg brings: it reads and writes files as streams."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from shared.media.rendering.outcome import Rendition, Role, Unfit

# The demuxer is ours to choose: a file that says it is a playlist must not make FFmpeg open other things.
_DEMUXERS: Mapping[str, str] = {"video/mp4": "mov", "video/webm": "matroska", "image/gif": "gif"}

# Of a frame: 4K. Dozens of frames are held on the way from decoder to encoder, so this decides on the memory.
MAX_FRAME_PIXELS = 4_096 * 2_304

# Fit within 1920x1080, or 1080x1920 when upright; never larger than it was. H.264 wants even sides.
_FIT = (
    "scale=w='if(gte(iw,ih),min(1920,iw),min(1080,iw))':h='if(gte(iw,ih),min(1080,ih),min(1920,ih))'"
    ":force_original_aspect_ratio=decrease:force_divisible_by=2"
)
# Looking few frames ahead costs a little quality at a cut and saves 50 MB.
_H264 = [
    *("-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-maxrate", "8M", "-bufsize", "16M"),
    *("-x264-params", "rc-lookahead=4:sync-lookahead=0"),
    *("-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "128k", "-ac", "2", "-movflags", "+faststart"),
]
_WEBP = ["-c:v", "libwebp_anim", "-quality", "80", "-loop", "0", "-f", "webp"]


def render_video(source: Path, folder: Path, mime_type: str) -> list[Rendition]:
    """`video.mp4`, and from one of its first frames `poster.webp` with its thumbnail. Raises Unfit."""
    from PIL import Image

    from shared.media.rendering.images import save_still

    video, frame = folder / "video.mp4", folder / "frame.png"
    _convert(
        source, _DEMUXERS[mime_type], ["-map", "0:v:0", "-map", "0:a:0?", "-vf", f"{_FIT},setsar=1", *_H264], video
    )
    _convert(video, "mov", ["-vf", "thumbnail=24", "-frames:v", "1"], frame)
    with Image.open(frame, formats=["PNG"]) as picture:
        poster = save_still(picture, folder, "poster.webp", Role.POSTER)
    frame.unlink()
    return [Rendition(video.name, "video/mp4", Role.MAIN), *poster]


def write_animation(source: Path, target: Path) -> None:
    """A moving GIF as moving WebP. Raises Unfit."""
    _convert(source, _DEMUXERS["image/gif"], ["-vf", _FIT, *_WEBP], target)


def _convert(source: Path, demuxer: str, how: list[str], target: Path) -> None:
    import imageio_ffmpeg

    command = [
        # Each thread of a decoder has frames of its own, and an instance has one processor.
        *(imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-y", "-v", "error", "-threads", "1"),
        *("-protocol_whitelist", "file", "-max_pixels", str(MAX_FRAME_PIXELS), "-f", demuxer, "-i", f"file:{source}"),
        *("-map_metadata", "-1", "-map_chapters", "-1", "-sn", "-dn", "-filter_threads", "1"),
        *(*how, "-threads", "1", f"file:{target}"),
    ]
    done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, capture_output=True)  # noqa: S603 - ours
    if done.returncode != 0 or not target.exists() or target.stat().st_size == 0:
        raise Unfit("The video is damaged, encrypted, larger than 4K, or of a kind that cannot be read.")
