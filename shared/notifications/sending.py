"""Sending the mail that waits, outside of any transaction: each is handed over and then marked.

At least once: who dies between the two sends that one mail again, and no other. A provider that does not
answer leaves the rest for the next delivery of the event, or for a later event.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from sqlalchemy.orm import Session

from shared.integrations.email import Email, EmailDown, EmailRefused, email_sender
from shared.kit.db import transaction
from shared.kit.logging import log, metric
from shared.notifications import deliveries
from shared.notifications.composing import compose
from shared.notifications.models import DeliveryStatus, EmailDelivery
from shared.operations.flags import Flag, flag

# With one last call to the provider it ends before the claims do, and before the function's time is up.
SENDS_FOR_S = 35.0
_BATCH = 25


class EmailWaits(Exception):
    """Mail of this event is not sent yet; its message has to come again."""


@dataclass(frozen=True)
class _Claimed:
    """A delivery that is ours for a while, and its mail unless there is nobody to write to."""

    delivery: EmailDelivery
    email: Email | None


def send_waiting(event_id: UUID) -> None:
    """Send the mail of an event. Raises EmailWaits while there is some left, with us or with someone else."""
    ends_at = time.monotonic() + SENDS_FOR_S
    has_sent = _send_batches(partial(deliveries.claim, event_id=event_id, limit=_BATCH), ends_at)
    with transaction() as session:
        if deliveries.is_waiting(session, event_id):
            raise EmailWaits
    if has_sent:
        _send_forgotten(ends_at)


def _send_forgotten(ends_at: float) -> None:
    """Send what earlier events left. It is no matter of the event in hand, so its failure is only logged."""
    try:
        _send_batches(partial(deliveries.claim_forgotten, limit=_BATCH), ends_at)
    except Exception:
        log.exception("forgotten_mail_failed")


def _send_batches(claim: Callable[[Session], Sequence[EmailDelivery]], ends_at: float) -> bool:
    """Send what can be claimed, give back what is left; whether anything was handed over."""
    has_sent = False
    while batch := _claimed(claim):
        left = _send_all(batch, ends_at)
        has_sent = has_sent or len(left) < len(batch)
        if left:
            with transaction() as session:
                deliveries.give_back(session, left)
        if left or len(batch) < _BATCH:
            break
    return has_sent


def _claimed(claim: Callable[[Session], Sequence[EmailDelivery]]) -> list[_Claimed]:
    with transaction() as session:
        claimed = claim(session)
        emails = compose(session, claimed) if claimed else {}
    return [_Claimed(delivery, emails.get(delivery.id)) for delivery in claimed]


def _send_all(batch: Sequence[_Claimed], ends_at: float) -> list[UUID]:
    """Send one after the other; the ids of those that are left when the provider is down or the time is over."""
    for position, claimed in enumerate(batch):
        if time.monotonic() > ends_at or not _is_sent(claimed):
            return [left.delivery.id for left in batch[position:]]
    return []


def _is_sent(claimed: _Claimed) -> bool:
    """Hand one mail over, and record what became of it; false when it shall be tried again."""
    try:
        status, reason = _hand_over(claimed)
    except EmailDown:
        return False
    delivery = claimed.delivery
    with transaction() as session:
        deliveries.finish(session, delivery.id, status, reason)
    log.info(
        "mail",
        outcome=status,
        reason=reason,
        delivery_id=str(delivery.id),
        user_id=str(delivery.user_id),
        template=delivery.template,
    )
    return True


def _hand_over(claimed: _Claimed) -> tuple[DeliveryStatus, str | None]:
    """What became of the mail, with the reason when it was refused or mail is switched off. Raises EmailDown."""
    if claimed.email is None:
        return DeliveryStatus.DROPPED, None
    if not flag(Flag.EMAIL_ENABLED, claimed.delivery.store_id):
        return DeliveryStatus.DROPPED, f"{Flag.EMAIL_ENABLED} is off"
    try:
        email_sender().send(claimed.email)
    except EmailRefused as refusal:
        metric("email_refused", template=claimed.delivery.template)
        return DeliveryStatus.REFUSED, refusal.reason
    return DeliveryStatus.SENT, None
