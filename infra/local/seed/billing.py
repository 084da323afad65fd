"""The vendors pay to be seen: customers, cards, a plan and subscriptions, bought from Square's stand-in."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from infra.local.seed.acting import acting
from infra.local.seed.stores import SeededStore
from shared.billing import cards, subscribing
from shared.billing.models import PlanInterval
from shared.billing.plans import PlanTerms, create_plan
from shared.billing.subscribing import Choice
from shared.identity.permissions import Role, SystemRole

_AT_ONCE = 4


def offer_plans() -> None:
    """A monthly plan, which is the default, and a cheaper annual one."""
    with acting(role=SystemRole.ADMIN):
        create_plan(
            "Marketplace monthly",
            PlanTerms(PlanInterval.EVERY_30_DAYS, 9_900),
            is_default=True,
            ui={"badge": "Most chosen", "description": "Seen by every dispensary", "bullets": ["Orders", "Promos"]},
        )
        create_plan(
            "Marketplace annual",
            PlanTerms(PlanInterval.ANNUAL, 99_000),
            ui={"badge": None, "description": "Two months free", "bullets": ["Orders", "Promos"]},
        )


def subscribe_all(vendors: Sequence[SeededStore]) -> None:
    """Every one of these vendors adds a card and takes the default plan."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(_subscribe, vendors))


def _subscribe(vendor: SeededStore) -> None:
    with acting(vendor.owner_id, vendor.id, Role.OWNER):
        cards.add_card(vendor.id, source_id=f"cnon:card-nonce-ok-{vendor.row['slug']}", as_default=True)
        subscribing.subscribe(vendor.id, Choice(None, None))
