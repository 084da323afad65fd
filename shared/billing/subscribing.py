"""Subscribing to a plan and ending it, with Square asked between two transactions.

What is to be bought is pinned first, as an intent; then Square is asked under a key made of the
intent's id; then the outcome is written down and the intent goes. Whatever fails in between, the next
call goes on from where it stopped, and Square never sells twice.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, joinedload

from shared.billing import cards, plans, recording
from shared.billing.customers import lock_account
from shared.billing.models import (
    PaymentMethod,
    Subscription,
    SubscriptionIntent,
    SubscriptionStatus,
)
from shared.integrations.square import (
    CardDeclined,
    ProviderInvoice,
    ProviderSubscription,
    SquareRefused,
    key_of,
    payment_provider,
)
from shared.kit import clock
from shared.kit.config import CommonSettings
from shared.kit.db import read_only, transaction
from shared.kit.errors import Conflict, NotFound, StateConflict
from shared.kit.ids import new_id
from shared.operations.audit import audit

INVOICES_READ = 12
"""How many of a subscription's newest invoices are looked at; a year of the shorter interval."""

IN_PROGRESS = timedelta(minutes=2)
"""For so long a request may still be working on an intent: twice the function's time limit."""

_WAITING = frozenset({SubscriptionStatus.PENDING, SubscriptionStatus.PAST_DUE, SubscriptionStatus.UNKNOWN})


class CardMissing(StateConflict):
    default_message = "Add a card first."


class SubscriptionInProgress(Conflict):
    default_message = "Another subscription is being taken out; try again in two minutes."


@dataclass(frozen=True)
class Subscribed:
    """A store's subscription; not new when it had one already."""

    subscription: Subscription
    is_new: bool


@dataclass(frozen=True)
class Choice:
    """What a store asks for; the default plan and the default card where it names none."""

    plan_id: UUID | None
    payment_method_id: UUID | None

    def fits(self, intent: SubscriptionIntent) -> bool:
        """Whether an earlier intent is what is asked for now."""
        return self.plan_id in (None, intent.plan_id) and self.payment_method_id in (None, intent.payment_method_id)


def subscribe(store_id: UUID, choice: Choice) -> Subscribed:
    """Subscribe the store; when it has a subscription that is not over, that one.

    Raises NotFound for a plan or card that is not there, CardMissing, PlanMissing, CardDeclined,
    SubscriptionInProgress, SquareRefused, SquareDown.
    """
    with transaction() as session:
        lock_account(session, store_id)
        held = find_subscription(session, store_id)
        if held is None or held.status is SubscriptionStatus.CANCELED:
            held, intent = None, _find_intent(session, store_id) or _pin(session, store_id, choice)
    if held is not None:
        # One that waits for a payment may have got it.
        return Subscribed(refresh(store_id) if held.status in _WAITING else held, is_new=False)
    told = None
    if not choice.fits(intent) or _is_settled(intent):
        # If an earlier try came to something, that is what the store has, even when Square forgot its key.
        told = payment_provider().find_subscription(intent.square_customer_id)
    if told is None and not choice.fits(intent):
        intent = _pin_anew(store_id, intent, choice)
    return _conclude(intent, told or _buy(intent))


def cancel(store_id: UUID) -> Subscription:
    """Let the subscription end with the period that is paid; harmless when repeated.

    Raises NotFound, SubscriptionInProgress, SquareRefused, SquareDown.
    """
    with read_only() as session:
        held = get_subscription(session, store_id)
    told = payment_provider().get_subscription(held.square_subscription_id)
    if told.canceled_on is None and told.status in {"ACTIVE", "PENDING", "PAUSED"}:
        told = payment_provider().cancel_subscription(told.id)
    with transaction() as session:
        subscription = _lock_same(session, held)
        was_ending = subscription.cancel_at_period_end
        recording.take(session, subscription, told)
        if not was_ending:
            audit(session, "billing.subscription_canceled", "subscription", subscription.id)
        return subscription


def refresh(store_id: UUID) -> Subscription:
    """The store's subscription after taking over what Square says of it now.

    Raises NotFound, SubscriptionInProgress, SquareRefused, SquareDown.
    """
    with read_only() as session:
        held = get_subscription(session, store_id)
    told = payment_provider().get_subscription(held.square_subscription_id)
    invoices = _invoices_of(store_id, told)
    with transaction() as session:
        subscription = _lock_same(session, held)
        recording.take(session, subscription, told, invoices)
        return subscription


def find_subscription(session: Session, store_id: UUID) -> Subscription | None:
    """The store's subscription with its plan, whatever its state."""
    return session.scalar(
        select(Subscription).where(Subscription.store_id == store_id).options(joinedload(Subscription.plan))
    )


def get_subscription(session: Session, store_id: UUID) -> Subscription:
    """The store's subscription with its plan. Raises NotFound."""
    subscription = find_subscription(session, store_id)
    if subscription is None:
        raise NotFound
    return subscription


def _lock_same(session: Session, held: Subscription) -> Subscription:
    """The subscription that was read before, locked. Raises SubscriptionInProgress when there is another by now."""
    lock_account(session, held.store_id)
    subscription = get_subscription(session, held.store_id)
    if subscription.square_subscription_id != held.square_subscription_id:
        raise SubscriptionInProgress(details={"reason": "subscription_in_progress"})
    return subscription


def _is_settled(intent: SubscriptionIntent) -> bool:
    """Whether no request can still be working on it."""
    return clock.now() >= intent.created_at + IN_PROGRESS


def _find_intent(session: Session, store_id: UUID) -> SubscriptionIntent | None:
    return session.scalar(select(SubscriptionIntent).where(SubscriptionIntent.store_id == store_id))


def _pin(session: Session, store_id: UUID, choice: Choice) -> SubscriptionIntent:
    plan = plans.lock_chosen(session, choice.plan_id)
    card = _card_for(session, store_id, choice)
    store = lock_account(session, store_id)
    had_one = find_subscription(session, store_id) is not None
    today = clock.today(CommonSettings.current().time_zone)
    intent = SubscriptionIntent(
        id=new_id(),
        store_id=store_id,
        plan_id=plan.id,
        payment_method_id=card.id,
        square_variation_id=plan.square_variation_id,
        square_customer_id=store.square_customer_id,
        square_card_id=card.square_card_id,
        # A trial is for those who come for the first time.
        trial_ends_on=today + timedelta(days=plan.trial_days) if plan.trial_days and not had_one else None,
    )
    session.add(intent)
    return intent


def _pin_anew(store_id: UUID, former: SubscriptionIntent, choice: Choice) -> SubscriptionIntent:
    """Another intent instead of one that came to nothing. Raises SubscriptionInProgress while it may yet."""
    if not _is_settled(former):
        raise SubscriptionInProgress(details={"reason": "subscription_in_progress"})
    with transaction() as session:
        lock_account(session, store_id)
        session.execute(delete(SubscriptionIntent).where(SubscriptionIntent.id == former.id))
        return _find_intent(session, store_id) or _pin(session, store_id, choice)


def _card_for(session: Session, store_id: UUID, choice: Choice) -> PaymentMethod:
    if choice.payment_method_id is not None:
        return cards.get_card(session, store_id, choice.payment_method_id)
    card = cards.find_default(session, store_id)
    if card is None:
        raise CardMissing(details={"reason": "no_payment_method"})
    return card


def _buy(intent: SubscriptionIntent) -> ProviderSubscription:
    try:
        return payment_provider().create_subscription(
            key=key_of("subscribe", intent.id),
            customer_id=intent.square_customer_id,
            card_id=intent.square_card_id,
            plan_variation_id=intent.square_variation_id,
            start_on=intent.trial_ends_on,
        )
    except (CardDeclined, SquareRefused):
        # Refused for good: the next try may choose another card or plan.
        with transaction() as session:
            session.execute(delete(SubscriptionIntent).where(SubscriptionIntent.id == intent.id))
        raise


def _conclude(intent: SubscriptionIntent, told: ProviderSubscription) -> Subscribed:
    """Write down what was bought."""
    invoices = _invoices_of(intent.store_id, told)
    with transaction() as session:
        lock_account(session, intent.store_id)
        subscription = find_subscription(session, intent.store_id)
        if subscription is None:
            subscription = Subscription(
                id=new_id(), store_id=intent.store_id, plan_id=intent.plan_id, status=SubscriptionStatus.PENDING
            )
        is_new = subscription.square_subscription_id != told.id
        if is_new:
            subscription.plan_id, subscription.trial_ends_on = intent.plan_id, intent.trial_ends_on
        recording.take(session, subscription, told, invoices)
        if is_new:
            bought = {"plan_id": str(intent.plan_id), "payment_method_id": str(intent.payment_method_id)}
            audit(session, "billing.subscribed", "subscription", subscription.id, after=bought)
        session.execute(delete(SubscriptionIntent).where(SubscriptionIntent.id == intent.id))
    with read_only() as session:
        return Subscribed(get_subscription(session, intent.store_id), is_new)


def _invoices_of(store_id: UUID, told: ProviderSubscription) -> list[ProviderInvoice]:
    """The newest invoices that are not known to be paid."""
    with read_only() as session:
        paid = recording.paid_invoice_ids(session, store_id)
    return [
        payment_provider().get_invoice(invoice_id)
        for invoice_id in told.invoice_ids[:INVOICES_READ]
        if invoice_id not in paid
    ]
