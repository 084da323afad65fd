"""Real files of every type that is taken, as their programs write them, and files that are not right."""

import io
import random
import struct
import subprocess
import zlib
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import imageio_ffmpeg
import pikepdf
from PIL import Image, ImageCms, ImageDraw

from tests.patience import PATIENCE_S

GPS = 0x8825
ORIENTATION = 0x0112


def picture(width=64, height=48, mode="RGB"):
    """Red above and blue below, so that one sees how it is turned."""
    image = Image.new(mode, (width, height), "red")
    ImageDraw.Draw(image).rectangle([0, height // 2, width, height], fill="blue")
    return image


def encoded(image, format_name, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, format_name, **options)
    return file.getvalue()


def photo(width=64, height=48, orientation=1) -> bytes:
    """A JPEG that tells where it was taken, with what, and how to turn it."""
    image = picture(width, height)
    exif = image.getexif()
    exif[ORIENTATION] = orientation
    exif[0x010F] = "Camera Maker"
    exif.get_ifd(GPS).update({1: "N", 2: (35.0, 28.0, 8.0), 3: "W", 4: (97.0, 30.0, 59.0)})
    return encoded(image, "JPEG", exif=exif, quality=95)


def moving_gif(frames=5, width=64, height=48) -> bytes:
    colours = ["red", "green", "blue", "white", "black"]
    images = [Image.new("RGB", (width, height), colours[n % 5]) for n in range(frames)]
    return encoded(images[0], "GIF", save_all=True, append_images=images[1:], duration=100, loop=0)


def endless_gif(frames=10_000, width=4_096, height=2_304) -> bytes:
    """Half a megabyte that moves one dot of a 4K screen for a quarter of an hour."""
    dots = moving_gif(2, 4, 4)
    palette_ends = 13 + 3 * (2 << (dots[10] & 7))
    screen = struct.pack("<HH", width, height)
    return dots[:6] + screen + dots[10:palette_ends] + dots[palette_ends:-1] * (frames // 2) + b";"


def jpeg_of_many_scans(scans=1_000_000) -> bytes:
    """A progressive JPEG of 11 MB that says nothing new a million times over all its pixels."""
    whole = encoded(picture(2_000, 2_000), "JPEG", progressive=True, quality=1)
    last = whole.rindex(b"\xff\xda")
    header_ends = last + 2 + int.from_bytes(whole[last + 2 : last + 4])
    return whole[:last] + (whole[last:header_ends] + b"\0") * scans + b"\xff\xd9"


def noise(pixels_wide) -> bytes:
    """A PNG that cannot be compressed: about three bytes for each pixel."""
    content = random.Random(1).randbytes(3 * pixels_wide * pixels_wide)
    return encoded(Image.frombytes("RGB", (pixels_wide, pixels_wide), content), "PNG", compress_level=1)


def png_claiming(width, height) -> bytes:
    """A PNG of a few bytes that says it is this large."""
    return _png(width, height, pixels=zlib.compress(bytes(100)))


def png_cut_short() -> bytes:
    """An interlaced PNG with EXIF and a profile whose pixels end early, which Pillow says the first time only."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    told = ((b"iCCP", b"sRGB\0\0" + zlib.compress(profile)), (b"eXIf", b"II*\0\x08\0\0\0\0\0"))
    return _png(64, 48, *told, pixels=zlib.compress(bytes(9_000))[:9], interlace=1)


def png_of_much_exif(entries) -> bytes:
    """A PNG that says of itself this much that cannot be read."""
    told = b"".join(struct.pack("<HHII", tag, 7, 1_000_000, 8) for tag in range(entries))
    exif = b"II*\0\x08\0\0\0" + struct.pack("<H", entries) + told
    return _png(64, 48, (b"eXIf", exif), pixels=zlib.compress(bytes(48 * (1 + 3 * 64))))


def _png(width, height, *told, pixels, interlace=0) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, interlace)
    chunks = ((b"IHDR", header), *told, (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )


@cache
def film(ending="mp4", size="320x240", seconds=2.0, *, sound=True) -> bytes:
    """Two seconds of FFmpeg's test picture, with a tone."""
    codecs = {
        "mp4": ["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"],
        "webm": ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus"],
    }[ending]
    tone = ["-f", "lavfi", "-i", f"sine=duration={seconds}"] if sound else []
    with TemporaryDirectory() as folder:
        target = Path(folder) / f"film.{ending}"
        ffmpeg(
            *("-f", "lavfi", "-i", f"testsrc=size={size}:rate=24:duration={seconds}", *tone, *codecs),
            *("-pix_fmt", "yuv420p", "-metadata", "title=Where I live", "-metadata", "location=+35.46-097.51/", target),
        )
        return target.read_bytes()


def busy_film(size, max_bytes) -> bytes:
    """A short film of noise, which no codec makes small, of nearly `max_bytes`."""
    with TemporaryDirectory() as folder:
        target = Path(folder) / "film.mp4"
        ffmpeg(
            *("-f", "lavfi", "-i", f"color=gray:size={size}:rate=30,noise=alls=100:allf=t+u", "-fs", max_bytes * 0.97),
            *("-c:v", "libx264", "-preset", "ultrafast", "-qp", "8", "-pix_fmt", "yuv420p", target),
        )
        return target.read_bytes()


def ffmpeg(*arguments) -> str:
    """Run FFmpeg; what it says on standard error."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-y", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S).stderr


def about(content: bytes, ending: str) -> str:
    """What FFmpeg says of a file."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / f"seen.{ending}"
        file.write_bytes(content)
        return ffmpeg("-i", file)


def paper(pages=3, **saving) -> bytes:
    """A PDF with text that compresses well and is not compressed."""
    with pikepdf.new() as pdf:
        for number in range(pages):
            page = pdf.add_blank_page(page_size=(612, 792))
            lines = "".join(f"({number}: THCA 24.1 % CBD 0.1 %) Tj T*\n" for _ in range(500))
            page.Contents = pdf.make_stream(f"BT /F1 12 Tf {lines} ET".encode())
        file = io.BytesIO()
        pdf.save(file, compress_streams=False, **saving)
        return file.getvalue()


def paper_of_odd_names() -> bytes:
    """A PDF that does something at an event whose name is no text."""
    with pikepdf.open(io.BytesIO(paper(pages=1))) as pdf:
        pdf.Root.AA = pikepdf.Dictionary(WC=pikepdf.Dictionary(S=pikepdf.Name.GoTo))
        file = io.BytesIO()
        pdf.save(file, object_stream_mode=pikepdf.ObjectStreamMode.disable)
        return file.getvalue().replace(b"/WC", b"/\xff\xfe")


def locked_paper(user="open sesame") -> bytes:
    return paper(encryption=pikepdf.Encryption(owner="the owner", user=user))
