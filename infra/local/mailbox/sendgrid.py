"""SendGrid's POST /v3/mail/send as a stand-in: what it insists on, and its refusals in SendGrid's shape.

Rules: www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send
"""

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTPUTF8
from email.utils import format_datetime
from typing import Any

from email_validator import EmailNotValidError, validate_email

from shared.kit import clock

Json = dict[str, Any]

_MOST_RECIPIENTS = 1000
_ORDER = {"text/plain": 0, "text/html": 1}
# The headers that SendGrid keeps for itself.
_RESERVED = frozenset({"x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type", "content-transfer-encoding",
                       "to", "from", "subject", "reply-to", "cc", "bcc"})  # fmt: skip


class SendGridError(Exception):
    """A refusal: HTTP status, what is wrong in words, and the field that is."""

    def __init__(self, status: int, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.field = field

    @property
    def body(self) -> Json:
        """What is sent."""
        return {"errors": [{"message": self.message, "field": self.field, "help": None}]}


def ordered(fail: Json) -> SendGridError:
    """The error that somebody wants to see: `{"status": 503}`."""
    return SendGridError(int(fail.get("status", 500)), "Told to fail.")


def messages_of(body: Json, refused: frozenset[str] = frozenset()) -> list[EmailMessage]:
    """The mails that a request asks for, one for each personalization. Raises SendGridError.

    Addresses among `refused` are refused as if they were malformed.
    """
    sender = _address(body.get("from"), "from", frozenset())
    contents = _contents(body)
    asked = body.get("personalizations")
    if not isinstance(asked, list) or not 1 <= len(asked) <= _MOST_RECIPIENTS:
        raise _missing("personalizations")
    return [_message(body, sender, contents, told, f"personalizations.{n}", refused) for n, told in enumerate(asked)]


def _message(
    body: Json, sender: Address, contents: dict[str, str], told: Json, path: str, refused: frozenset[str]
) -> EmailMessage:
    to = told.get("to")
    if not isinstance(to, list) or not to:
        raise _missing(f"{path}.to")
    subject = told.get("subject") or body.get("subject")
    if not isinstance(subject, str) or not subject:
        raise _missing("subject")
    message = EmailMessage(policy=SMTPUTF8)
    message["Date"] = format_datetime(clock.now())
    message["From"] = sender
    message["To"] = [_address(one, f"{path}.to.{n}", refused) for n, one in enumerate(to)]
    message["Subject"] = subject
    for name, value in {**(body.get("headers") or {}), **(told.get("headers") or {})}.items():
        if name.lower() in _RESERVED:
            raise SendGridError(400, f"The header {name} is reserved.", f"headers.{name}")
        message[name] = value
    message.set_content(contents.get("text/plain", ""))
    if "text/html" in contents:
        message.add_alternative(contents["text/html"], subtype="html")
    return message


def _contents(body: Json) -> dict[str, str]:
    """The forms of the mail by type; text comes first and HTML after it."""
    told = body.get("content")
    if not isinstance(told, list) or not told:
        raise _missing("content")
    for n, content in enumerate(told):
        for field in ("type", "value"):
            if not isinstance(content.get(field), str) or not content[field]:
                raise _missing(f"content.{n}.{field}")
    types = [content["type"] for content in told]
    if types != sorted(types, key=lambda kind: _ORDER.get(kind, len(_ORDER))):
        raise SendGridError(400, "If present, text/plain must be first, followed by text/html.", "content")
    return {content["type"]: content["value"] for content in told}


def _address(told: Any, path: str, refused: frozenset[str]) -> Address:
    email = told.get("email") if isinstance(told, dict) else None
    if not isinstance(email, str) or not email:
        raise _missing(f"{path}.email")
    try:
        validate_email(email, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise _bad_address(email, path) from None
    if email in refused:
        raise _bad_address(email, path)
    return Address(told.get("name") or "", addr_spec=email)


def _bad_address(email: str, path: str) -> SendGridError:
    # Like SendGrid's, this sentence names the person.
    return SendGridError(400, f"{email} does not contain a valid address.", f"{path}.email")


def _missing(field: str) -> SendGridError:
    return SendGridError(400, "This field is required and may not be empty.", field)
