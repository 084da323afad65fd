"""The mails of a folder: files as the local mailbox writes them (RFC 5322), the newest first."""

import re
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTPUTF8
from email.utils import parsedate_to_datetime
from pathlib import Path

_NAME = re.compile(r"[\w.-]+")


@dataclass(frozen=True)
class Mail:
    """One mail; `name` is its file's."""

    name: str
    message_id: str
    sender: str
    to: str
    subject: str
    sent_at: datetime
    html: str
    text: str


class Folder:
    """A folder of mails, which need not exist yet."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def all(self) -> list[Mail]:
        """Every mail, the newest first."""
        mails = [_read(file) for file in self._path.glob("*.eml")]
        return sorted(mails, key=lambda mail: (mail.sent_at, mail.name), reverse=True)

    def find(self, name: str) -> Mail | None:
        """The mail of this name."""
        file = self._path / f"{name}.eml"
        return _read(file) if _NAME.fullmatch(name) and file.exists() else None

    def keep(self, name: str, message: EmailMessage) -> None:
        """Put a mail into the folder, in one step."""
        self._path.mkdir(parents=True, exist_ok=True)
        draft = self._path / f".{name}"
        draft.write_bytes(message.as_bytes())
        draft.replace(self._path / f"{name}.eml")

    def clear(self) -> None:
        """Throw all mails away."""
        for file in self._path.glob("*.eml"):
            file.unlink()


def _read(file: Path) -> Mail:
    message = message_from_bytes(file.read_bytes(), policy=SMTPUTF8)
    return Mail(
        name=file.stem,
        message_id=str(message["Message-ID"] or ""),
        sender=str(message["From"] or ""),
        to=str(message["To"] or ""),
        subject=str(message["Subject"] or ""),
        sent_at=parsedate_to_datetime(str(message["Date"])),
        html=_body(message, "html"),
        text=_body(message, "plain"),
    )


def _body(message: EmailMessage, form: str) -> str:
    body = message.get_body((form,))
    return str(body.get_content()).replace("\r\n", "\n") if body is not None else ""
