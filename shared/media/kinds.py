"""Kinds of media: which types each may have, how large, and whether everybody may see it once it is ready."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

MB = 1_000_000


class MediaKind(StrEnum):
    PRODUCT = "product"
    ADS = "ads"
    STORE = "store"
    USER = "user"
    LICENSE_DOC = "license_doc"
    COA = "coa"
    MANIFEST = "manifest"
    PDF = "pdf"
    OTHER = "other"


EXTENSIONS: Mapping[str, str] = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "image/gif": "gif",
    "video/mp4": "mp4",
    "video/webm": "webm",
    "application/pdf": "pdf",
}
"""Every type that is taken, with the ending of its object's key."""

_PHOTOS = ("image/png", "image/jpeg", "image/webp")
_IMAGES = (*_PHOTOS, "image/gif")
_VIDEOS = ("video/mp4", "video/webm")
_PDF = ("application/pdf",)


@dataclass(frozen=True)
class KindRule:
    """The largest size in bytes for each type that a kind may have."""

    max_bytes: Mapping[str, int]
    is_public: bool = False


def _each(types: tuple[str, ...], max_bytes: int) -> dict[str, int]:
    return dict.fromkeys(types, max_bytes)


_SHOWN = KindRule(_each(_IMAGES, 20 * MB) | _each(_VIDEOS, 200 * MB), is_public=True)
_PORTRAIT = KindRule(_each(_PHOTOS, 10 * MB), is_public=True)
_PAPER = KindRule(_each(_PDF, 20 * MB))

RULES: Mapping[MediaKind, KindRule] = {
    MediaKind.PRODUCT: _SHOWN,
    MediaKind.ADS: _SHOWN,
    MediaKind.STORE: _PORTRAIT,
    MediaKind.USER: _PORTRAIT,
    MediaKind.LICENSE_DOC: KindRule(_each((*_PDF, "image/png", "image/jpeg"), 20 * MB)),
    MediaKind.COA: _PAPER,
    MediaKind.MANIFEST: _PAPER,
    MediaKind.PDF: _PAPER,
    MediaKind.OTHER: KindRule(_each(tuple(EXTENSIONS), 20 * MB)),
}

PUBLIC_KINDS = frozenset(kind for kind, rule in RULES.items() if rule.is_public)
