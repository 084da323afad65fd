"""What comes out of rendering: files with their roles, or a reason why there are none."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a rendition is for: the thing itself, or its small picture."""

    MAIN = "main"
    POSTER = "poster"
    THUMBNAIL = "thumbnail"


DOCUMENT_NAME = "document.pdf"
"""The one rendition of a PDF."""

MALFORMED = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RuntimeError)
"""What decoders in Python stumble with when a value in a file is not of the type that its format says."""


@dataclass(frozen=True)
class Rendition:
    """A file in the folder that was given; `name` is also the last part of its object's key."""

    name: str
    content_type: str
    role: Role


class Unfit(Exception):
    """Nothing can be made of this file; the message is a sentence for its owner."""


class TooLong(Unfit):
    """Making something of it takes more time than a file may cost."""

    def __init__(self) -> None:
        super().__init__("The file takes too long to convert.")
