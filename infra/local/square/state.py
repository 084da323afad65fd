"""What the stand-in remembers: Square's objects, the answers under idempotency keys, and what it announced."""

import json
import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from infra.local.square.errors import missing, not_found
from shared.kit import clock

Json = dict[str, Any]

ZONE = ZoneInfo("America/Chicago")
_LETTERS = string.ascii_uppercase + string.digits
_KINDS = ("customers", "cards", "catalog", "subscriptions", "invoices", "payments", "answers")


@dataclass
class State:
    """Objects by kind and id. `announce` is told of every event; `ahead` moves the stand-in's clock."""

    customers: dict[str, Json] = field(default_factory=dict)
    cards: dict[str, Json] = field(default_factory=dict)
    catalog: dict[str, Json] = field(default_factory=dict)
    subscriptions: dict[str, Json] = field(default_factory=dict)
    invoices: dict[str, Json] = field(default_factory=dict)
    payments: dict[str, Json] = field(default_factory=dict)
    answers: dict[str, Json] = field(default_factory=dict)
    ahead: timedelta = timedelta()
    announce: Callable[[str, str, Json], None] = lambda *_: None

    @classmethod
    def load(cls, file: Path | None) -> "State":
        """What was saved in `file`; blank without one."""
        saved = json.loads(file.read_text()) if file and file.exists() else {}
        return cls(**{kind: saved.get(kind, {}) for kind in _KINDS})

    def save(self, file: Path) -> None:
        """Keep everything in `file`, replacing it at once."""
        draft = file.with_suffix(".draft")
        draft.write_text(json.dumps({kind: getattr(self, kind) for kind in _KINDS}))
        draft.replace(file)

    def reset(self) -> None:
        """Forget everything."""
        for kind in _KINDS:
            getattr(self, kind).clear()
        self.ahead = timedelta()

    def now(self) -> datetime:
        return clock.now() + self.ahead

    def today(self) -> date:
        """The day at the seller's location."""
        return self.now().astimezone(ZONE).date()

    def stamp(self) -> str:
        """The present moment in RFC 3339."""
        return self.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")


def identifier(prefix: str = "", length: int = 24) -> str:
    """An id such as Square gives."""
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(length))


def required(body: Json, *path: str) -> Any:
    """A field that has to be there. Raises SquareError."""
    value: Any = body
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
        if value is None or value == "":
            raise missing(".".join(path))
    return value


def held(collection: dict[str, Json], kind: str, wanted: str, field: str | None = None) -> Json:
    """The object with this id. Raises SquareError when there is none."""
    if wanted not in collection:
        raise not_found(kind, wanted, field)
    return collection[wanted]
