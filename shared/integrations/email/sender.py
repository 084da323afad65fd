"""What we want of whoever carries our mail, in our own words and without its client."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from shared.kit.errors import DependencyDown


@dataclass(frozen=True)
class Email:
    """One mail to one person. A mail that is sent again keeps its `id`, by which mailboxes may know it (RFC 5322)."""

    id: UUID
    to: str
    to_name: str
    subject: str
    html: str
    text: str


class EmailRefused(Exception):
    """The mail will never be taken, so there is no point in trying again; `reason` names no person."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class EmailDown(DependencyDown):
    """The provider does not answer, has too much to do, or does not know us; it may have taken the mail."""

    default_message = "The mail provider does not answer; try again shortly."


class EmailSender(Protocol):
    """Takes mail on its way."""

    def send(self, email: Email) -> None:
        """Hand the mail over. Raises EmailRefused when that is for good, EmailDown when it is not."""
        ...
