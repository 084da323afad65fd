"""Videos: fit for a screen, as H.264 in MP4 without metadata; with a poster and its thumbnail."""

from pathlib import Path

from shared.media.rendering.ffmpeg import convert
from shared.media.rendering.images import save_still
from shared.media.rendering.outcome import Rendition, Role

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


def render_video(source: Path, folder: Path, mime_type: str) -> list[Rendition]:
    """`video.mp4`, and from one of its first frames `poster.webp` with its thumbnail. Raises Unfit."""
    from PIL import Image

    video, frame = folder / "video.mp4", folder / "frame.png"
    convert(source, mime_type, ["-map", "0:v:0", "-map", "0:a:0?", "-vf", f"{_FIT},setsar=1", *_H264], video)
    convert(video, "video/mp4", ["-vf", "thumbnail=24", "-frames:v", "1"], frame)
    with Image.open(frame, formats=["PNG"]) as picture:
        poster = save_still(picture, folder, "poster.webp", Role.POSTER)
    frame.unlink()
    return [Rendition(video.name, "video/mp4", Role.MAIN), *poster]
