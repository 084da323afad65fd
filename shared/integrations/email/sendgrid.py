"""Mail over SendGrid's official client; PF_SENDGRID_BASE_URL may point it to a stand-in."""

import json
import logging
import time
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from shared.integrations.email.mailbox import message_id
from shared.integrations.email.sender import Email, EmailDown, EmailRefused
from shared.kit.logging import log, metric

if TYPE_CHECKING:
    from python_http_client.exceptions import HTTPError

# Statuses of POST /v3/mail/send that say that this mail will never be taken
# (www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send).
_FOR_GOOD = frozenset({400, 413})
_DOES_NOT_KNOW_US = frozenset({401, 403})


class SendGrid:
    """Implements EmailSender. `sender` is an address and a name that SendGrid has verified."""

    def __init__(self, base_url: str, api_key: str, sender: tuple[str, str], *, timeout_s: float) -> None:
        from sendgrid import SendGridAPIClient

        # At the level DEBUG the client writes whole mails and our key to the log.
        logging.getLogger("python_http_client").setLevel(logging.WARNING)
        self._client = SendGridAPIClient(api_key, host=base_url).client
        self._sender = sender
        self._timeout_s = timeout_s

    def send(self, email: Email) -> None:
        from python_http_client.exceptions import HTTPError

        started = time.perf_counter()
        try:
            answer = self._client.mail.send.post(request_body=self._body(email), timeout=self._timeout_s)
        except HTTPError as error:
            _log(email, started, status=error.status_code)
            # The client's error holds the whole answer, which may name a person, so nothing is chained to ours.
            raise _meaning(error) from None
        except (OSError, HTTPException) as error:
            _log(email, started, error_type=type(error).__name__)
            metric("email_down")
            raise EmailDown from error
        _log(email, started, status=answer.status_code)

    def _body(self, email: Email) -> dict[str, Any]:
        from sendgrid.helpers.mail import From, Header, HtmlContent, Mail, PlainTextContent, Subject, To

        address, name = self._sender
        mail = Mail(
            From(address, name),
            To(email.to, email.to_name),
            Subject(email.subject),
            PlainTextContent(email.text),
            HtmlContent(email.html),
        )
        mail.add_header(Header("Message-ID", message_id(email, address)))
        body: dict[str, Any] = mail.get()
        # Rewritten links would show our single-use tokens to others, and would not look like ours.
        body["tracking_settings"] = {"click_tracking": {"enable": False}, "open_tracking": {"enable": False}}
        return body


def _meaning(error: "HTTPError") -> Exception:
    if error.status_code in _FOR_GOOD:
        return EmailRefused(f"{error.status_code} {_field(error.body)}".strip())
    if error.status_code in _DOES_NOT_KNOW_US:
        log.error("sendgrid_refuses_us", status=error.status_code)
        metric("email_auth_failed")
    metric("email_down")
    return EmailDown()


def _field(body: bytes) -> str:
    """Which field of the request was wrong; SendGrid's own sentence may hold the address and is left out."""
    try:
        return str(json.loads(body)["errors"][0]["field"] or "")
    except (ValueError, LookupError, TypeError):
        return ""


def _log(email: Email, started: float, **outcome: Any) -> None:
    duration_ms = round((time.perf_counter() - started) * 1000, 1)
    log.info("sendgrid_call", delivery_id=str(email.id), duration_ms=duration_ms, **outcome)
