"""Plans, cards and subscriptions, made as the functions make them: the test needs the `square` fixture."""

import itertools
from typing import Any
from uuid import UUID

from shared.billing.cards import add_card
from shared.billing.models import BillingPlan, PaymentMethod, PlanInterval, Subscription
from shared.billing.plans import PlanTerms, create_plan
from shared.billing.subscribing import Choice, subscribe
from shared.identity.models import Store
from tests.builders.stores import a_vendor

_numbers = itertools.count(1)

GOOD_CARD = "cnon:card-nonce-ok"
OTHER_CARD = "cnon:card-nonce-ok-other"
UNCHARGEABLE_CARD = "cnon:card-nonce-charge-declined"


def an_unsubscribed_vendor(**fields: Any) -> Store:
    """A verified vendor who pays for nothing yet."""
    return a_vendor(**{"subscription_active": False, "email": f"farm.{next(_numbers)}@example.com", **fields})


def a_plan(
    name: str = "",
    *,
    interval: PlanInterval = PlanInterval.EVERY_30_DAYS,
    price_cents: int = 9_900,
    **fields: Any,
) -> BillingPlan:
    """An active plan at $99.00 every 30 days without a trial."""
    return create_plan(name or f"Plan {next(_numbers)}", PlanTerms(interval, price_cents), **fields)


def a_card(store: Store, source_id: str = GOOD_CARD, *, as_default: bool = False) -> PaymentMethod:
    """A card on file, the default when it is the store's first."""
    return add_card(store.id, source_id=source_id, as_default=as_default).method


def a_subscription(store: Store, *, plan_id: UUID | None = None, source_id: str = GOOD_CARD) -> Subscription:
    """A subscription to a plan of its own, charged to a new card."""
    a_card(store, source_id)
    return subscribe(store.id, Choice(plan_id or a_plan().id, None)).subscription
