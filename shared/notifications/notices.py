"""A line of the table of messages: who is told what, where it leads, and by which ways."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.identity.permissions import Permission
from shared.notifications.models import NotificationType
from shared.notifications.recipients import Recipient

# A recipient, and what only this one is told: words that win over the event's.
Addressed = tuple[Recipient, Mapping[str, Any]]


@dataclass(frozen=True)
class Mailed:
    """That a notice goes out by mail: in a store, to those who hold `permission`. `alone` shows it nowhere else."""

    permission: Permission | None = None
    alone: bool = False


IN_APP_ONLY = None
MAILED = Mailed()
MAILED_ALONE = Mailed(alone=True)


@dataclass(frozen=True)
class Notice:
    """One line of the table: who is told what, where it leads (a path of the front end), and whether it is mailed."""

    to: Callable[[Any], Iterable[Addressed]]
    type: NotificationType
    title: str
    message: str
    link: str
    mail: Mailed | None
