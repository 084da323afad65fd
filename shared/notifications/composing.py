"""From a delivery to a mail: whom it greets, where it leads, and the single-use token that it may carry.

A token is made here, at sending, so that it stands in no event, no row and no log.
"""

from collections.abc import Sequence
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy.orm import Session

from shared.identity import one_time_tokens
from shared.identity.models import TokenPurpose
from shared.identity.reachable import Addressee, list_addressees, store_names
from shared.integrations.email import Email
from shared.kit.config import Settings
from shared.notifications.models import EmailDelivery
from shared.notifications.preferences import ALWAYS_MAILED
from shared.notifications.rendering import render

PREFERENCES_PATH = "/account/notifications"

# The mails that carry a token, and the page of the front end that spends it.
_TOKENS = {
    "password_reset_requested": (TokenPurpose.PASSWORD_RESET, "/reset-password"),
    "email_verification_requested": (TokenPurpose.EMAIL_VERIFICATION, "/verify-email"),
    "member_invited": (TokenPurpose.INVITATION, "/accept-invitation"),
}


class FrontEndSettings(Settings):
    """Where the front end is; links in mails lead there."""

    front_end_url: str


def compose(session: Session, deliveries: Sequence[EmailDelivery]) -> dict[UUID, Email]:
    """The mails of these deliveries, by delivery; none for a person whose account is closed. Issues tokens."""
    people = {person.user_id: person for person in list_addressees(session, {mail.user_id for mail in deliveries})}
    stores = store_names(session, {mail.store_id for mail in deliveries if mail.store_id})
    return {
        mail.id: _composed(session, mail, person, stores.get(mail.store_id) if mail.store_id else None)
        for mail in deliveries
        if (person := people.get(mail.user_id)) is not None and person.is_active
    }


def _composed(session: Session, delivery: EmailDelivery, person: Addressee, store_name: str | None) -> Email:
    words = {
        **delivery.words,
        "first_name": person.first_name,
        "store_name": store_name,
        "is_new": not person.has_password,
        "link": _link(session, delivery, person),
        "preferences_link": None if delivery.category in ALWAYS_MAILED else _address_of(PREFERENCES_PATH),
    }
    html, text = render(delivery.template, words)
    name = f"{person.first_name} {person.last_name}".strip()
    # A header is one line.
    subject = " ".join(delivery.words["title"].split())
    return Email(delivery.id, person.email, name, subject, html, text)


def _link(session: Session, delivery: EmailDelivery, person: Addressee) -> str:
    """Where the mail leads. Only who has no password yet needs a token to come in."""
    purpose, path = _TOKENS.get(delivery.template, (None, ""))
    if purpose is None or (purpose is TokenPurpose.INVITATION and person.has_password):
        return _address_of(delivery.words["path"])
    token = one_time_tokens.issue(session, person.user_id, purpose)
    return _address_of(f"{path}?{urlencode({'token': token})}")


def _address_of(path: str) -> str:
    return FrontEndSettings.current().front_end_url.rstrip("/") + path
