"""A store's cards: kept at Square, one of them the default, to which the subscription is charged.

Square is called first and told again after a failure: creating under a key, disabling, and moving a
subscription to a card all repeat harmlessly. Then one transaction, under the store's lock, writes it down.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from shared.billing import recording
from shared.billing.customers import ensure_customer, lock_account
from shared.billing.models import PaymentMethod, Subscription, SubscriptionStatus
from shared.integrations.square import CardOnFile, ProviderSubscription, key_of, payment_provider
from shared.kit import clock
from shared.kit.db import read_only, transaction
from shared.kit.errors import Conflict, NotFound
from shared.kit.ids import new_id
from shared.operations.audit import audit


class DefaultCardInUse(Conflict):
    default_message = "A subscription is charged to this card; add another card first."


@dataclass(frozen=True)
class KeptCard:
    """A card on file; not new when the same card was there already."""

    method: PaymentMethod
    is_new: bool


def add_card(
    store_id: UUID,
    *,
    source_id: str,
    verification_token: str | None = None,
    cardholder_name: str | None = None,
    as_default: bool = False,
) -> KeptCard:
    """Keep the card behind a one-time token; the store's first one becomes its default.

    A card that is there already, as its fingerprint tells, is answered as it is. Raises NotFound,
    CardDeclined, SquareRefused, SquareDown.
    """
    customer = ensure_customer(store_id)
    with read_only() as session:
        removed = _count_removed(session, store_id)
    card = payment_provider().create_card(
        # Removing a card begins anew: the same token must not bring back a disabled one.
        key=key_of("card", store_id, removed, source_id, verification_token, cardholder_name),
        customer_id=customer.id,
        source_id=source_id,
        verification_token=verification_token,
        cardholder_name=cardholder_name,
    )
    with transaction() as session:
        kept = _keep(session, store_id, card)
    if kept.method.square_card_id != card.id:
        payment_provider().disable_card(card.id)
    if as_default or kept.method.is_default:
        return KeptCard(make_default(store_id, kept.method.id), kept.is_new)
    return kept


def make_default(store_id: UUID, method_id: UUID) -> PaymentMethod:
    """Charge the store to this card from now on, its subscription too. Raises NotFound, SquareRefused, SquareDown."""
    with read_only() as session:
        method = get_card(session, store_id, method_id)
        subscription = find_charged(session, store_id)
    told = _charge_to(subscription, method)
    if method.is_default and told is None:
        return method
    with transaction() as session:
        lock_account(session, store_id)
        method = get_card(session, store_id, method_id)
        before = _clear_default(session, store_id)
        method.is_default = True
        _record(session, store_id, told)
        if before != method.id:
            was = {"payment_method_id": str(before) if before else None}
            audit(session, "billing.card_made_default", "payment_method", method.id, before=was)
    return method


def remove_card(store_id: UUID, method_id: UUID) -> None:
    """Disable a card; the newest other card takes its place as default and for the subscription.

    Raises NotFound, and DefaultCardInUse when a subscription is charged to it and there is no other.
    """
    with read_only() as session:
        method = get_card(session, store_id, method_id)
        successor = _find_successor(session, store_id, method_id)
        subscription = find_charged(session, store_id)
    told = None
    if subscription is not None and (method.is_default or subscription.square_card_id == method.square_card_id):
        if successor is None:
            raise DefaultCardInUse(details={"reason": "default_card_in_use"})
        told = _charge_to(subscription, successor)
    payment_provider().disable_card(method.square_card_id)
    with transaction() as session:
        lock_account(session, store_id)
        method = get_card(session, store_id, method_id)
        was_default, method.is_default, method.disabled_at = method.is_default, False, clock.now()
        session.flush()
        if was_default and (heir := _find_successor(session, store_id, method_id)) is not None:
            heir.is_default = True
        _record(session, store_id, told)
        audit(session, "billing.card_removed", "payment_method", method.id)


def live(store_id: UUID) -> Select[PaymentMethod]:
    """The store's cards that were not removed."""
    return select(PaymentMethod).where(PaymentMethod.store_id == store_id, PaymentMethod.disabled_at.is_(None))


def get_card(session: Session, store_id: UUID, method_id: UUID) -> PaymentMethod:
    """A card of the store that was not removed. Raises NotFound."""
    method = session.scalar(live(store_id).where(PaymentMethod.id == method_id))
    if method is None:
        raise NotFound
    return method


def find_default(session: Session, store_id: UUID) -> PaymentMethod | None:
    """The card to which the store is charged."""
    return session.scalar(live(store_id).where(PaymentMethod.is_default))


def find_charged(session: Session, store_id: UUID) -> Subscription | None:
    """The store's subscription when it shall be charged again: neither over nor about to end."""
    return session.scalar(
        select(Subscription).where(
            Subscription.store_id == store_id,
            Subscription.status != SubscriptionStatus.CANCELED,
            ~Subscription.cancel_at_period_end,
        )
    )


def _keep(session: Session, store_id: UUID, card: CardOnFile) -> KeptCard:
    lock_account(session, store_id)
    known = session.scalar(live(store_id).where(PaymentMethod.fingerprint == card.fingerprint))
    if known is not None:
        return KeptCard(known, is_new=False)
    method = PaymentMethod(
        id=new_id(),
        store_id=store_id,
        square_card_id=card.id,
        brand=card.brand,
        last4=card.last4,
        exp_month=card.exp_month,
        exp_year=card.exp_year,
        fingerprint=card.fingerprint,
        is_default=find_default(session, store_id) is None,
    )
    session.add(method)
    audit(session, "billing.card_added", "payment_method", method.id, after={"is_default": method.is_default})
    return KeptCard(method, is_new=True)


def _charge_to(subscription: Subscription | None, method: PaymentMethod) -> ProviderSubscription | None:
    """Move the subscription to a card at Square; nothing to do when it is charged there already."""
    if subscription is None or subscription.square_card_id == method.square_card_id:
        return None
    return payment_provider().charge_to(subscription.square_subscription_id, method.square_card_id)


def _record(session: Session, store_id: UUID, told: ProviderSubscription | None) -> None:
    if told is None:
        return
    held = session.scalar(
        select(Subscription).where(Subscription.store_id == store_id, Subscription.square_subscription_id == told.id)
    )
    if held is not None:
        recording.take(session, held, told)


def _clear_default(session: Session, store_id: UUID) -> UUID | None:
    """Leave the store without a default card; which one it was. The index allows one at a time."""
    return session.scalar(
        update(PaymentMethod)
        .where(PaymentMethod.store_id == store_id, PaymentMethod.is_default, PaymentMethod.disabled_at.is_(None))
        .values(is_default=False)
        .returning(PaymentMethod.id)
    )


def _find_successor(session: Session, store_id: UUID, method_id: UUID) -> PaymentMethod | None:
    """The newest other card."""
    others = live(store_id).where(PaymentMethod.id != method_id)
    return session.scalar(others.order_by(PaymentMethod.created_at.desc(), PaymentMethod.id.desc()).limit(1))


def _count_removed(session: Session, store_id: UUID) -> int:
    removed = select(func.count()).where(PaymentMethod.store_id == store_id, PaymentMethod.disabled_at.is_not(None))
    return session.scalar(removed) or 0
