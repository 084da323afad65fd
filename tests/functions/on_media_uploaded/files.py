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
from PIL import Image, ImageDraw

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


def noise(pixels_wide) -> bytes:
    """A PNG that cannot be compressed: about three bytes for each pixel."""
    content = random.Random(1).randbytes(3 * pixels_wide * pixels_wide)
    return encoded(Image.frombytes("RGB", (pixels_wide, pixels_wide), content), "PNG", compress_level=1)


def png_claiming(width, height) -> bytes:
    """A PNG of a few bytes that says it is this large."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(100))), (b"IEND", b""))
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
    return subprocess.run(command, capture_output=True, text=True, timeout=60).stderr


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


def locked_paper(user="open sesame") -> bytes:
    return paper(encryption=pikepdf.Encryption(owner="the owner", user=user))
