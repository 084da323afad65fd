"""The plans on offer, kept in step with Square's catalogue.

Square is called first, under keys made of what a plan says, so that trying again after a failure finds
the same catalogue objects.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from sqlalchemy import Select, exists, or_, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from shared.billing.models import (
    BillingPlan,
    PlanInterval,
    PlanStatus,
    Subscription,
    SubscriptionIntent,
    SubscriptionStatus,
)
from shared.integrations.square import Cadence, key_of, payment_provider
from shared.kit.config import CommonSettings
from shared.kit.db import read_only, transaction, violated_constraint
from shared.kit.errors import Conflict, NotFound, StateConflict
from shared.kit.ids import new_id
from shared.operations.audit import audit

_CADENCES: dict[PlanInterval, Cadence] = {
    PlanInterval.EVERY_30_DAYS: "THIRTY_DAYS",
    PlanInterval.ANNUAL: "ANNUAL",
}


class PlanNameTaken(Conflict):
    default_message = "There is a plan of this name."


class PlanInUse(Conflict):
    default_message = "Somebody is subscribed to this plan at this price; make another plan."


class DefaultPlanNotActive(StateConflict):
    default_message = "Only an active plan can be the default."


class PlanMissing(StateConflict):
    default_message = "There is no plan to choose by default; name one."


@dataclass(frozen=True)
class PlanTerms:
    """What a plan costs, and how often."""

    interval: PlanInterval
    price_cents: int
    currency: str = "USD"

    @classmethod
    def of(cls, plan: BillingPlan, **changes: Any) -> "PlanTerms":
        """The terms of a plan after these changes."""
        return cls(**{field.name: changes.get(field.name, getattr(plan, field.name)) for field in fields(cls)})


def create_plan(name: str, terms: PlanTerms, **details: Any) -> BillingPlan:
    """Offer a plan; `details` are the remaining columns. Raises PlanNameTaken, SquareRefused, SquareDown."""
    with read_only() as session:
        _refuse_taken_name(session, name)
    ids = payment_provider().create_plan(
        key=key_of("create", name, terms.interval, terms.price_cents, terms.currency),
        name=name,
        cadence=_CADENCES[terms.interval],
        price_cents=terms.price_cents,
        currency=terms.currency,
    )
    plan = BillingPlan(
        id=new_id(),
        name=name,
        square_plan_id=ids.plan_id,
        square_variation_id=ids.variation_id,
        interval=terms.interval,
        price_cents=terms.price_cents,
        currency=terms.currency,
        **details,
    )
    with _names_kept_apart(), transaction() as session:
        if plan.is_default:
            _clear_default(session)
        session.add(plan)
        audit(session, "billing.plan_created", "billing_plan", plan.id, after=_told(plan))
    return plan


def change_plan(plan_id: UUID, changes: dict[str, Any]) -> BillingPlan:
    """Change columns of a plan. Another price is another variation at Square, and only for a plan not in use.

    Raises NotFound, PlanNameTaken, PlanInUse, DefaultPlanNotActive, SquareRefused, SquareDown.
    """
    with read_only() as session:
        held = get_plan(session, plan_id)
        if changes.get("name", held.name) != held.name:
            _refuse_taken_name(session, changes["name"])
        if is_repriced := PlanTerms.of(held, **changes) != PlanTerms.of(held):
            _refuse_in_use(session, plan_id)
    _check_default(held, changes)
    variation_id = _tell_square(held, changes, is_repriced=is_repriced)
    with _names_kept_apart(), transaction() as session:
        plan = _lock_plan(session, plan_id)
        before = _told(plan)
        if is_repriced:
            _refuse_in_use(session, plan_id)
        if changes.get("is_default"):
            _clear_default(session)
        for column, value in changes.items():
            setattr(plan, column, value)
        plan.square_variation_id = variation_id
        plan.is_default = plan.is_default and plan.status is PlanStatus.ACTIVE
        audit(session, "billing.plan_changed", "billing_plan", plan.id, before=before, after=_told(plan))
        return plan


def get_plan(session: Session, plan_id: UUID) -> BillingPlan:
    """A plan in any state. Raises NotFound."""
    plan = session.get(BillingPlan, plan_id)
    if plan is None:
        raise NotFound
    return plan


def offered() -> Select[BillingPlan]:
    """The plans that vendors see; test plans only outside production."""
    active = select(BillingPlan).where(BillingPlan.status == PlanStatus.ACTIVE)
    return active.where(~BillingPlan.is_test) if CommonSettings.current().is_production else active


def in_states(states: Sequence[PlanStatus]) -> Select[BillingPlan]:
    """The plans in these states; in any, without one."""
    every = select(BillingPlan)
    return every.where(BillingPlan.status.in_(states)) if states else every


def get_offered(session: Session, plan_id: UUID) -> BillingPlan:
    """A plan that vendors can choose. Raises NotFound."""
    plan = session.scalar(offered().where(BillingPlan.id == plan_id))
    if plan is None:
        raise NotFound
    return plan


def lock_chosen(session: Session, plan_id: UUID | None) -> BillingPlan:
    """The plan that is chosen, the default one for None, held at its price. Raises NotFound, PlanMissing."""
    wanted = BillingPlan.is_default if plan_id is None else BillingPlan.id == plan_id
    plan = session.scalar(offered().where(wanted).with_for_update(read=True))
    if plan is not None:
        return plan
    raise PlanMissing(details={"reason": "no_default_plan"}) if plan_id is None else NotFound


def _tell_square(held: BillingPlan, changes: dict[str, Any], *, is_repriced: bool) -> str:
    """Bring Square's catalogue up to the changes; the id of the variation that carries the price."""
    name = changes.get("name", held.name)
    if name != held.name:
        payment_provider().rename_plan(held.square_plan_id, name)
    if not is_repriced:
        return held.square_variation_id
    terms = PlanTerms.of(held, **changes)
    return payment_provider().create_price(
        key=key_of("reprice", held.square_variation_id, terms.interval, terms.price_cents, terms.currency),
        plan_id=held.square_plan_id,
        name=name,
        cadence=_CADENCES[terms.interval],
        price_cents=terms.price_cents,
        currency=terms.currency,
    )


def _lock_plan(session: Session, plan_id: UUID) -> BillingPlan:
    plan = session.scalar(select(BillingPlan).where(BillingPlan.id == plan_id).with_for_update())
    if plan is None:
        raise NotFound
    return plan


def _refuse_taken_name(session: Session, name: str) -> None:
    if session.scalar(select(exists().where(BillingPlan.name == name))):
        raise PlanNameTaken(details={"reason": "name_taken"})


@contextmanager
def _names_kept_apart() -> Iterator[None]:
    """The same refusal when another plan took the name in the meantime."""
    try:
        yield
    except DBAPIError as error:
        if violated_constraint(error) != "uq_billing_plans_name":
            raise
        raise PlanNameTaken(details={"reason": "name_taken"}) from error


def _refuse_in_use(session: Session, plan_id: UUID) -> None:
    """Raise when somebody pays the price of this plan, or is about to."""
    subscribed = exists().where(Subscription.plan_id == plan_id, Subscription.status != SubscriptionStatus.CANCELED)
    about_to = exists().where(SubscriptionIntent.plan_id == plan_id)
    if session.scalar(select(or_(subscribed, about_to))):
        raise PlanInUse(details={"reason": "plan_in_use"})


def _check_default(held: BillingPlan, changes: dict[str, Any]) -> None:
    if changes.get("is_default") and changes.get("status", held.status) != PlanStatus.ACTIVE:
        raise DefaultPlanNotActive(details={"reason": "default_not_active"})


def _clear_default(session: Session) -> None:
    session.execute(update(BillingPlan).where(BillingPlan.is_default).values(is_default=False))


def _told(plan: BillingPlan) -> dict[str, Any]:
    """What the audit log keeps of a plan."""
    columns = ("interval", "price_cents", "trial_days", "status", "is_default", "is_test")
    return {"plan": plan.name, **{column: getattr(plan, column) for column in columns}}
