"""Taking over what Square tells of a subscription and its invoices, in whatever order it arrives."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.billing import standing
from shared.billing.models import Charge, ChargeStatus, ChargeType, PaymentMethod, Subscription
from shared.events.stores import ChargeFailed, ChargeSucceeded
from shared.integrations.square import ProviderInvoice, ProviderSubscription
from shared.kit import clock
from shared.kit.config import CommonSettings
from shared.kit.ids import new_id
from shared.kit.outbox import Event, emit

# Square's InvoiceStatus; every other word means that the money is still to come.
_CHARGE_STATUS = {
    "PAID": ChargeStatus.SUCCEEDED,
    "PARTIALLY_REFUNDED": ChargeStatus.SUCCEEDED,
    "REFUNDED": ChargeStatus.REFUNDED,
    "FAILED": ChargeStatus.FAILED,
    "CANCELED": ChargeStatus.FAILED,
}


def take(
    session: Session,
    subscription: Subscription,
    told: ProviderSubscription,
    invoices: Sequence[ProviderInvoice] = (),
) -> None:
    """Write what is told and what follows from it; an older version than the stored one changes nothing.

    A subscription of ours that is new needs its id, store and plan. The caller holds the store's lock.
    """
    is_another = subscription.square_subscription_id != told.id
    if is_another or told.version >= subscription.provider_version:
        _take_state(session, subscription, told, is_another=is_another)
        session.add(subscription)
    emit(session, *_take_invoices(session, subscription, told, invoices))
    standing.settle(session, subscription)


def paid_invoice_ids(session: Session, store_id: UUID) -> set[str]:
    """The invoices of which nothing new is to be expected."""
    paid = select(Charge.square_invoice_id).where(
        Charge.store_id == store_id,
        Charge.square_invoice_id.is_not(None),
        Charge.status == ChargeStatus.SUCCEEDED,
    )
    return {invoice_id for invoice_id in session.scalars(paid) if invoice_id}


def _take_state(session: Session, subscription: Subscription, told: ProviderSubscription, *, is_another: bool) -> None:
    before = None if is_another else subscription.period_end_on
    if is_another or told.charged_through_on != before:
        subscription.period_start_on = before + timedelta(days=1) if before else told.start_on
        subscription.period_end_on = told.charged_through_on
    if is_another or told.card_id != subscription.square_card_id:
        subscription.square_card_id = told.card_id
        subscription.payment_method_id = session.scalar(
            select(PaymentMethod.id).where(
                PaymentMethod.store_id == subscription.store_id, PaymentMethod.square_card_id == told.card_id
            )
        )
    ended = told.status in {"CANCELED", "COMPLETED"}
    paused = told.status == "PAUSED"
    subscription.canceled_at = (subscription.canceled_at or clock.now()) if ended else None
    subscription.paused_at = (subscription.paused_at or clock.now()) if paused else None
    subscription.cancel_at_period_end = told.canceled_on is not None
    subscription.square_subscription_id = told.id
    subscription.square_customer_id = told.customer_id
    subscription.provider_status = told.status
    subscription.provider_version = told.version


def _take_invoices(
    session: Session, subscription: Subscription, told: ProviderSubscription, invoices: Sequence[ProviderInvoice]
) -> list[Event]:
    """Keep invoices as charges; the charges that succeeded or failed by this."""
    if not invoices:
        return []
    wanted = select(Charge).where(Charge.square_invoice_id.in_([invoice.id for invoice in invoices]))
    known = {charge.square_invoice_id: charge for charge in session.scalars(wanted.with_for_update())}
    news = []
    for invoice in invoices:
        charge = known.get(invoice.id) or _new_charge(session, subscription, invoice)
        if told.invoice_ids[:1] == (invoice.id,):
            charge.period_start_on, charge.period_end_on = subscription.period_start_on, subscription.period_end_on
        news += _update_charge(charge, invoice)
    return news


def _new_charge(session: Session, subscription: Subscription, invoice: ProviderInvoice) -> Charge:
    charge = Charge(
        id=new_id(),
        store_id=subscription.store_id,
        type=ChargeType.SUBSCRIPTION,
        amount_cents=invoice.amount_cents,
        currency=invoice.currency,
        status=ChargeStatus.PENDING,
        square_invoice_id=invoice.id,
        square_subscription_id=subscription.square_subscription_id,
        provider_version=-1,
        billed_at=_owed_from(invoice),
    )
    session.add(charge)
    return charge


def _update_charge(charge: Charge, invoice: ProviderInvoice) -> list[Event]:
    if invoice.version < charge.provider_version:
        return []
    before, charge.status = charge.status, _CHARGE_STATUS.get(invoice.status, ChargeStatus.PENDING)
    charge.provider_version = invoice.version
    charge.amount_cents = invoice.amount_cents
    failed = charge.status is ChargeStatus.FAILED
    charge.failure_code = None if not failed else _failure_code(invoice)
    if charge.status is before:
        return []
    about = {"store_id": charge.store_id, "charge_id": charge.id, "kind": charge.type}
    if charge.status is ChargeStatus.SUCCEEDED:
        return [ChargeSucceeded(**about, amount_cents=charge.amount_cents)]
    if failed and charge.failure_code != standing.INVOICE_CANCELED:
        return [ChargeFailed(**about, amount_cents=charge.amount_cents, failure_code=str(charge.failure_code))]
    return []


def _failure_code(invoice: ProviderInvoice) -> str:
    return standing.INVOICE_CANCELED if invoice.status == "CANCELED" else "invoice_failed"


def _owed_from(invoice: ProviderInvoice) -> datetime:
    """When the money is due: the beginning of the due day at our location, never before the invoice was made."""
    if invoice.due_on is None:
        return invoice.created_at
    zone = ZoneInfo(CommonSettings.current().time_zone)
    return max(invoice.created_at, datetime.combine(invoice.due_on, time(), zone).astimezone(UTC))
