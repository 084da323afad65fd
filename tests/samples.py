"""Small files of every type that is taken, as their programs write them."""

import io
import struct
from functools import cache

from PIL import Image


@cache
def sample(mime_type: str) -> bytes:
    """The bytes of a file of this type."""
    return {
        "image/png": lambda: _image("PNG"),
        "image/jpeg": _photo,
        "image/webp": lambda: _image("WEBP"),
        "image/gif": lambda: _image("GIF"),
        "video/mp4": _mp4,
        "video/webm": _webm,
        "application/pdf": _pdf,
    }[mime_type]()


def _image(format_name: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (32, 24), "seagreen").save(file, format_name)
    return file.getvalue()


def _photo() -> bytes:
    """A JPEG that tells where it was taken."""
    picture = Image.new("RGB", (32, 24), "seagreen")
    exif = picture.getexif()
    exif.get_ifd(0x8825).update({1: "N", 2: (35.0, 28.0, 8.0), 3: "W", 4: (97.0, 30.0, 59.0)})
    file = io.BytesIO()
    picture.save(file, "JPEG", exif=exif)
    return file.getvalue()


def _mp4() -> bytes:
    """ISO/IEC 14496-12: a file type box and an empty media data box."""
    brands = b"isom" + struct.pack(">I", 512) + b"isomiso2avc1mp41"
    return _box(b"ftyp", brands) + _box(b"free", b"") + _box(b"mdat", bytes(64))


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def _webm() -> bytes:
    """RFC 8794: an EBML header with the document type `webm`, and an empty segment of unknown size."""
    fields = (
        bytes.fromhex("42868101 42f78101 42f28104 42f38108") + b"\x42\x82\x84webm" + bytes.fromhex("42878104 42858102")
    )
    return b"\x1a\x45\xdf\xa3" + bytes([0x80 | len(fields)]) + fields + bytes.fromhex("18538067 01ffffffffffffff")


def _pdf() -> bytes:
    """ISO 32000-1: one empty page, with a cross-reference table that is right."""
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] >>",
    )
    file = b"%PDF-1.7\n"
    places = []
    for number, content in enumerate(objects, start=1):
        places.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"trailer\n<< /Size 4 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(file)
    return file + b"xref\n0 4\n0000000000 65535 f \n" + table + trailer
