"""Which way our mail goes: settings, and the warm sender of this instance."""

import threading
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from shared.integrations.email.mailbox import Mailbox
from shared.integrations.email.sender import EmailSender
from shared.kit.config import Settings


class EmailSettings(Settings):
    """Who carries our mail, and from whom it is.

    `sendgrid` needs a key, and sends to `sendgrid_base_url`; `mailbox`, for development, needs a folder.
    One try takes `sendgrid_timeout_s` at most.
    """

    email_sender: Literal["sendgrid", "mailbox"] = "sendgrid"
    email_from: str
    email_from_name: str = "PackFinderz"
    sendgrid_base_url: str = "https://api.sendgrid.com"
    sendgrid_api_key: str = Field(default="", validate_default=True)
    sendgrid_timeout_s: float = Field(default=8.0, gt=0)
    mailbox_folder: str = Field(default="", validate_default=True)

    @field_validator("sendgrid_api_key", "mailbox_folder")
    @classmethod
    def _is_there_when_needed(cls, value: str, info: ValidationInfo) -> str:
        needed = {"sendgrid": "sendgrid_api_key", "mailbox": "mailbox_folder"}
        chosen = info.data.get("email_sender", "")
        if not value and needed.get(chosen) == info.field_name:
            raise ValueError(f"the sender {chosen} needs it")
        return value


_warm: EmailSender | None = None
_making = threading.Lock()


def email_sender() -> EmailSender:
    """The sender that the settings name, made at first use."""
    global _warm
    with _making:
        if _warm is None:
            _warm = _make(EmailSettings.current())
        return _warm


def forget() -> None:
    """Let go of the warm sender. For tests."""
    global _warm
    _warm = None


def _make(settings: EmailSettings) -> EmailSender:
    sender = (settings.email_from, settings.email_from_name)
    if settings.email_sender == "mailbox":
        return Mailbox(settings.mailbox_folder, sender)
    from shared.integrations.email.sendgrid import SendGrid

    return SendGrid(
        settings.sendgrid_base_url, settings.sendgrid_api_key, sender, timeout_s=settings.sendgrid_timeout_s
    )
