"""Putting an event in words: the table's templates filled in for each recipient."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from shared.kit.money import dollars
from shared.kit.outbox import Event
from shared.notifications.messages import MESSAGES
from shared.notifications.models import NotificationType
from shared.notifications.notices import Mailed, Notice
from shared.notifications.recipients import Recipient

_ENUM_VALUE = re.compile(r"[a-z]+(_[a-z]+)*")


@dataclass(frozen=True)
class Draft:
    """What one recipient is told; `words` are what a mail about it may say besides."""

    recipient: Recipient
    type: NotificationType
    title: str
    message: str
    link: str
    mail: Mailed | None
    words: dict[str, Any]


def drafts_of(event: Event) -> list[Draft]:
    """What is told of an event, for each recipient. Raises KeyError for an event that is not in the table."""
    words = _words(event)
    return [
        _draft(notice, recipient, {**words, **own})
        for notice in MESSAGES[type(event)]
        for recipient, own in notice.to(event)
    ]


def _draft(notice: Notice, recipient: Recipient, words: dict[str, Any]) -> Draft:
    title, message, link = (template.format_map(words) for template in (notice.title, notice.message, notice.link))
    # Lists may name others, such as the other vendors of a checkout.
    own = {name: value for name, value in words.items() if not isinstance(value, list)}
    return Draft(recipient, notice.type, title, message, link, notice.mail, own)


def _words(event: Event) -> dict[str, Any]:
    """The event's fields as people read them: `amount_cents` is also `amount`, in dollars, and so on."""
    fields = {name: getattr(event, name) for name in type(event).model_fields}
    words = {name: _readable(value) for name, value in fields.items()}
    money = {name.removesuffix("_cents"): dollars(value) for name, value in fields.items() if name.endswith("_cents")}
    reason = fields.get("reason")
    is_shown = fields.get("subscription_active")
    return {
        **words,
        **money,
        "because": f" Reason: {words['reason']}" if reason else "",
        "visibility": "Buyers see your products." if is_shown else "Buyers do not see your products.",
    }


def _readable(value: Any) -> Any:
    if isinstance(value, date):
        return f"{value:%B} {value.day}, {value.year}"
    return value.replace("_", " ") if isinstance(value, str) and _ENUM_VALUE.fullmatch(value) else value
