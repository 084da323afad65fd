"""Pictures: turned upright, in sRGB, fit for a screen, as WebP without metadata; with a thumbnail."""

import struct
import zlib
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from shared.media.rendering.ffmpeg import MAX_FRAME_PIXELS, convert
from shared.media.rendering.outcome import MALFORMED, Rendition, Role, Unfit

if TYPE_CHECKING:
    from PIL.Image import Image

BOX = (1920, 1080)
THUMBNAIL_BOX = (480, 480)
QUALITY = 80
_FIT = f"scale=w='min({BOX[0]},iw)':h='min({BOX[1]},ih)':force_original_aspect_ratio=decrease"
_MOVING_WEBP = ["-c:v", "libwebp_anim", "-quality", str(QUALITY), "-loop", "0", "-f", "webp"]

_FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP", "image/gif": "GIF"}

# What decodes within 512 MB: a JPEG is decoded at a fraction of its size (a progressive one keeps its
# coefficients, 6 bytes for each pixel), the others whole (up to 9 bytes), WebP in five buffers.
MAX_PIXELS: Mapping[str, int] = {
    "image/jpeg": 64_000_000,
    "image/png": 40_000_000,
    "image/gif": 40_000_000,
    "image/webp": 20_000_000,
}

# EXIF orientations whose sides are exchanged.
_LYING = frozenset({5, 6, 7, 8})
_ORIENTATION = 0x0112

# Everything that Pillow's decoders raise for bytes that are not right.
_DAMAGED = (*MALFORMED, OSError, SyntaxError, EOFError, struct.error, zlib.error)


def render_image(source: Path, folder: Path, mime_type: str) -> list[Rendition]:
    """`image.webp` within 1920x1080 and `thumbnail.webp` within 480 px. Raises Unfit."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None  # MAX_PIXELS knows what each format costs
    try:
        with Image.open(source, formats=[_FORMATS[mime_type]]) as picture:
            _refuse_bomb(picture, MAX_PIXELS[mime_type])
            if mime_type == "image/gif" and getattr(picture, "is_animated", False):
                return _animated(picture, source, folder)
            return save_still(picture, folder, "image.webp", Role.MAIN)
    except _DAMAGED as error:
        raise Unfit("The picture is damaged.") from error


def save_still(picture: "Image", folder: Path, name: str, role: Role) -> list[Rendition]:
    """One picture in its two sizes; `picture` itself may be made smaller."""
    upright = _fitted(picture)
    return [_saved(upright, folder / name, role), _thumbnail(upright, folder)]


def _animated(picture: "Image", source: Path, folder: Path) -> list[Rendition]:
    """The movement is kept by the main rendition; the thumbnail is the first frame."""
    _refuse_bomb(picture, MAX_FRAME_PIXELS)
    convert(source, "image/gif", ["-vf", _FIT, *_MOVING_WEBP], folder / "image.webp")
    return [Rendition("image.webp", "image/webp", Role.MAIN), _thumbnail(_fitted(picture), folder)]


def _refuse_bomb(picture: "Image", max_pixels: int) -> None:
    pixels = picture.width * picture.height
    if pixels > max_pixels:
        raise Unfit(f"The picture has {pixels:,} pixels; at most {max_pixels:,} are allowed.")


def _fitted(picture: "Image") -> "Image":
    """Within the box, upright, in RGB with or without transparency, and with no metadata at all."""
    from PIL import Image, ImageOps

    turns = picture.getexif().get(_ORIENTATION, 1) in _LYING
    box = (BOX[1], BOX[0]) if turns else BOX
    if picture.mode not in ("RGB", "RGBA", "L", "CMYK"):
        picture = _with_orientation(picture, picture.convert("RGBA" if picture.has_transparency_data else "RGB"))
    picture.thumbnail(box, Image.Resampling.LANCZOS, reducing_gap=2.0)
    picture.load()  # a small one is not yet; damage is told at the first time only
    upright = ImageOps.exif_transpose(_in_srgb(picture))
    clean = Image.new("RGBA" if upright.has_transparency_data else "RGB", upright.size)
    clean.paste(upright.convert(clean.mode))
    return clean


def _with_orientation(before: "Image", after: "Image") -> "Image":
    after.getexif()[_ORIENTATION] = before.getexif().get(_ORIENTATION, 1)
    return after


def _in_srgb(picture: "Image") -> "Image":
    """The colours that the picture's profile means; one that cannot be understood is passed over."""
    from PIL import ImageCms

    profile = picture.info.get("icc_profile")
    if not profile or picture.mode == "L":
        return picture
    mode = "RGBA" if picture.mode == "RGBA" else "RGB"
    try:
        seen = ImageCms.profileToProfile(
            picture, ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB"), outputMode=mode
        )
    except (ImageCms.PyCMSError, *_DAMAGED):
        return picture
    return _with_orientation(picture, seen) if seen is not None else picture


def _thumbnail(upright: "Image", folder: Path) -> Rendition:
    from PIL import Image

    small = upright.copy()
    small.thumbnail(THUMBNAIL_BOX, Image.Resampling.LANCZOS)
    return _saved(small, folder / "thumbnail.webp", Role.THUMBNAIL)


def _saved(picture: "Image", target: Path, role: Role) -> Rendition:
    picture.save(target, "WEBP", quality=QUALITY)
    return Rendition(target.name, "image/webp", role)
