"""What people may write in a review: words, and nothing that a page could take for anything else."""

import re
from html import unescape
from typing import Annotated

from pydantic import StringConstraints

# A line holds no control characters; a text only line breaks and tabs.
Headline = Annotated[str, StringConstraints(max_length=150, pattern=r"^[^\x00-\x1f\x7f]*$")]
Prose = Annotated[str, StringConstraints(max_length=5_000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]

_TIMES_ESCAPED = 5
# "Less<more": what begins like a tag and never ends would take the rest of the text with it.
_UNENDED_TAG = re.compile(r"<(?=[A-Za-z/!?])(?![^<>]*>)")


def plain(written: str | None) -> str | None:
    """The same words without markup, even when that is escaped; None when nothing is left."""
    words = written or ""
    for _ in range(_TIMES_ESCAPED):
        before, words = words, unescape(_cleaned(words))
        if words == before:
            return words.strip() or None
    return _cleaned(words).strip() or None


def _cleaned(words: str) -> str:
    import nh3

    return nh3.clean(_UNENDED_TAG.sub("< ", words), tags=set())
