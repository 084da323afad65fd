"""Whether a store's subscription counts: the one place that decides `stores.subscription_active`.

Square's own status is not enough. It keeps a subscription ACTIVE while an invoice is unpaid and has no
event for a payment that failed, so invoices decide, as charges that carry the subscription's id:
  - nothing was paid yet and there was no trial: pending, not active;
  - an invoice is owed for less than three days: still active, so that a card can be mended;
  - an invoice is owed for longer: past_due, not active, until it is paid or canceled;
  - canceled or paused: active up to the last day of the last period that was paid.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from shared.billing.models import Charge, ChargeStatus, Subscription, SubscriptionStatus
from shared.events.stores import SubscriptionChanged
from shared.identity.models import Store
from shared.kit import clock
from shared.kit.config import CommonSettings
from shared.kit.logging import log
from shared.kit.outbox import emit

GRACE = timedelta(days=3)

INVOICE_CANCELED = "invoice_canceled"
"""The failure code of an invoice that nobody has to pay any more."""

_OF_SQUARE = {
    "PAUSED": SubscriptionStatus.PAUSED,
    "CANCELED": SubscriptionStatus.CANCELED,
    "COMPLETED": SubscriptionStatus.CANCELED,
    "DEACTIVATED": SubscriptionStatus.PAST_DUE,
}


@dataclass(frozen=True)
class Bills:
    """What the invoices of one subscription say: owed since when, and paid up to which day."""

    owed_since: datetime | None
    is_any_paid: bool
    paid_through_on: date | None


def settle(session: Session, subscription: Subscription) -> None:
    """Write the subscription's status and the store's flag; SubscriptionChanged when either is news."""
    session.flush()
    bills = _bills_of(session, subscription)
    before, status = subscription.status, status_of(subscription, bills, clock.now())
    active = serves(status, bills, clock.today(CommonSettings.current().time_zone))
    subscription.status = status
    turned = session.scalar(
        update(Store)
        .where(Store.id == subscription.store_id, Store.subscription_active != active)
        .values(subscription_active=active)
        .returning(Store.id)
    )
    if turned is not None or before != status:
        emit(
            session,
            SubscriptionChanged(
                store_id=subscription.store_id,
                subscription_id=subscription.id,
                status=status,
                subscription_active=active,
            ),
        )


def status_of(subscription: Subscription, bills: Bills, at: datetime) -> SubscriptionStatus:
    """What Square's status and the invoices together mean to us at a moment."""
    on_trial = subscription.trial_ends_on is not None
    match subscription.provider_status:
        case "PENDING":
            return SubscriptionStatus.TRIALING if on_trial else SubscriptionStatus.PENDING
        case "ACTIVE" if bills.owed_since is not None and at >= bills.owed_since + GRACE:
            return SubscriptionStatus.PAST_DUE
        case "ACTIVE":
            return SubscriptionStatus.ACTIVE if bills.is_any_paid or on_trial else SubscriptionStatus.PENDING
        case known if known in _OF_SQUARE:
            return _OF_SQUARE[known]
    log.warning("subscription_status_unknown", provider_status=subscription.provider_status)
    return SubscriptionStatus.UNKNOWN


def serves(status: SubscriptionStatus, bills: Bills, today: date) -> bool:
    """Whether a store with such a subscription is shown and may advertise."""
    if status in {SubscriptionStatus.CANCELED, SubscriptionStatus.PAUSED}:
        return bills.paid_through_on is not None and today <= bills.paid_through_on
    return status in {SubscriptionStatus.TRIALING, SubscriptionStatus.ACTIVE}


def _bills_of(session: Session, subscription: Subscription) -> Bills:
    paid = Charge.status == ChargeStatus.SUCCEEDED
    owed = Charge.status.in_([ChargeStatus.PENDING, ChargeStatus.FAILED]) & Charge.failure_code.is_distinct_from(
        INVOICE_CANCELED
    )
    owed_since, count, paid_through_on = session.execute(
        select(
            func.min(Charge.billed_at).filter(owed),
            func.count().filter(paid),
            func.max(Charge.period_end_on).filter(paid),
        ).where(
            Charge.store_id == subscription.store_id,
            Charge.square_subscription_id == subscription.square_subscription_id,
        )
    ).one()
    return Bills(owed_since, count > 0, paid_through_on)
