"""Secrets and people in log lines: by their form, and by the very values that tests use."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.settings import TEST_SETTINGS

FORMS = {
    "access token": r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+",
    "refresh token": r"\b[0-9a-f]{32}\.[A-Za-z0-9_-]{43}",
    "mailed token": r"[?&#/]token=[A-Za-z0-9_-]{20,}",
    "password hash": r"\$argon2",
    "second factor": r"otpauth://",
    "backup code": r"\b(?:[a-hjkmnp-z2-9]{4}-){3}[a-hjkmnp-z2-9]{4}\b",
    "email": r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[a-z]{2,}",
    "phone": r"(?<![0-9A-Za-z.:+-])\+[1-9][0-9]{7,14}\b",
    "card": r"\bcnon:",
    "street address": r"\b[0-9]{1,5} (?:[NSEW] )?[A-Z][a-z]+ (?:Ave|Avenue|St|Street|Blvd|Rd|Road|Dr|Drive|Way)\b",
}
"""What each looks like wherever it comes from."""

VALUES = {
    "password": ("purple cacti", "dozen of cacti", "purple crabs"),
    "name": ("Rosa", "Diaz", "Okafor", "Whitehorse", "Green Mesa", "Red River Farms"),
    "signing key": tuple(
        part for name in ("PF_JWT_KEYS", "PF_MFA_KEYS", "PF_CURSOR_KEY") for part in TEST_SETTINGS[name].split(":")[-1:]
    ),
    "provider token": (TEST_SETTINGS["PF_SQUARE_ACCESS_TOKEN"],),
}
"""What tests and builders use for each."""

_PATTERNS = {kind: re.compile(form) for kind, form in FORMS.items()} | {
    f"known {kind}": re.compile("|".join(map(re.escape, values))) for kind, values in VALUES.items()
}


@dataclass(frozen=True)
class Leak:
    """A kind of thing that may not be logged, where it was, and what the line was about."""

    kind: str
    line: int
    about: str


def find_leaks(lines: Iterable[str]) -> Iterator[Leak]:
    """Every leak in the log lines among these; what else was written there is not ours to judge."""
    for number, line in enumerate(lines, start=1):
        event = _event(line)
        if event is not None:
            about = f"{event.get('function')} {event.get('action') or event.get('message')}"
            yield from (Leak(kind, number, about) for kind, pattern in _PATTERNS.items() if pattern.search(line))


def _event(line: str) -> dict[str, object] | None:
    """The line as one of the code's own log lines."""
    if not line.startswith("{"):
        return None
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and "severity" in event else None
