"""The local mailbox: each mail becomes a file (RFC 5322) in a folder, for people to read while they develop."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTPUTF8
from email.utils import format_datetime
from pathlib import Path

from shared.integrations.email.sender import Email
from shared.kit import clock


class Mailbox:
    """Implements EmailSender. `sender` is an address and a name; a mail that is sent again replaces its file."""

    def __init__(self, folder: str, sender: tuple[str, str]) -> None:
        self._folder = Path(folder)
        self._sender = sender

    def send(self, email: Email) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        # In one step, because whoever looks into the folder may look at any moment.
        draft = self._folder / f".{email.id}"
        draft.write_bytes(message_of(email, self._sender).as_bytes())
        draft.replace(self._folder / f"{email.id}.eml")


def message_of(email: Email, sender: tuple[str, str]) -> EmailMessage:
    """The mail as it travels: text first, HTML as its better alternative."""
    address, name = sender
    message = EmailMessage(policy=SMTPUTF8)
    message["Message-ID"] = message_id(email, address)
    message["Date"] = format_datetime(clock.now())
    message["From"] = Address(name, addr_spec=address)
    message["To"] = Address(email.to_name, addr_spec=email.to)
    message["Subject"] = email.subject
    message.set_content(email.text)
    message.add_alternative(email.html, subtype="html")
    return message


def message_id(email: Email, sender_address: str) -> str:
    """The mail's identity within our domain, the same whenever it is sent."""
    return f"<{email.id}@{sender_address.rpartition('@')[2]}>"
