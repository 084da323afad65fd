"""What is kept of a store for the sake of the money it paid us when it is erased."""

from uuid import UUID

from sqlalchemy import delete, exists, or_, select
from sqlalchemy.orm import Session

from shared.billing.models import Charge, PaymentMethod, SubscriptionIntent, UsageCharge
from shared.identity.erasure import Traces


def _was_charged(session: Session, store_id: UUID) -> bool:
    charged = exists().where(Charge.store_id == store_id)
    used = exists().where(UsageCharge.store_id == store_id)
    return bool(session.scalar(select(or_(charged, used))))


def _forget_cards(session: Session, store_id: UUID) -> None:
    """Cards, and what was about to be bought with them; the subscription stays beside its charges."""
    session.execute(delete(SubscriptionIntent).where(SubscriptionIntent.store_id == store_id))
    session.execute(delete(PaymentMethod).where(PaymentMethod.store_id == store_id))


TRACES = Traces(must_stay=_was_charged, forget=_forget_cards)
