"""Which subscriptions count: invoices decide, three days of grace, and what is paid is served to its end."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from shared.billing import standing
from shared.billing.models import (
    BillingPlan,
    Charge,
    ChargeStatus,
    ChargeType,
    PlanInterval,
    Subscription,
    SubscriptionStatus,
)
from shared.events.stores import SubscriptionChanged
from shared.identity.models import Store
from shared.kit.db import read_only, transaction
from shared.kit.ids import new_id
from tests.builders.stores import a_vendor

NOW = datetime(2026, 3, 10, 18, tzinfo=UTC)
TODAY = date(2026, 3, 10)
LONG_AGO = NOW - timedelta(days=30)


def a_held_subscription(provider_status, *, trial=False, charges=()):
    """A subscription row with charges of (status, days since billed, last day of its period)."""
    plan = BillingPlan(
        id=new_id(),
        name=f"Plan {new_id()}",
        interval=PlanInterval.EVERY_30_DAYS,
        price_cents=9_900,
        square_plan_id="P",
        square_variation_id="V",
    )
    held = Subscription(
        id=new_id(),
        store_id=a_vendor(subscription_active=False).id,
        plan_id=plan.id,
        square_subscription_id=f"sq-{new_id()}",
        square_customer_id="C",
        status=SubscriptionStatus.UNKNOWN,
        provider_status=provider_status,
        provider_version=1,
        trial_ends_on=TODAY if trial else None,
    )
    with transaction() as session:
        session.add(plan)
        session.flush()
        session.add(held)
        session.add_all(a_charge(held, *charge) for charge in charges)
    return held


def a_charge(held, status, age, period_end_on=None, **fields):
    return Charge(
        **{
            "id": new_id(),
            "store_id": held.store_id,
            "type": ChargeType.SUBSCRIPTION,
            "amount_cents": 9_900,
            "status": status,
            "square_subscription_id": held.square_subscription_id,
            "billed_at": NOW - age,
            "period_end_on": period_end_on,
            **fields,
        }
    )


def settled(held):
    with transaction() as session:
        standing.settle(session, session.get(Subscription, held.id))
    with read_only() as session:
        status = session.scalar(select(Subscription.status).where(Subscription.id == held.id))
        return status.value, session.scalar(select(Store.subscription_active).where(Store.id == held.store_id))


PAID = (ChargeStatus.SUCCEEDED, timedelta(days=5), date(2026, 4, 4))
PAID_UNTIL_TODAY = (ChargeStatus.SUCCEEDED, timedelta(days=29), TODAY)
PAID_UNTIL_YESTERDAY = (ChargeStatus.SUCCEEDED, timedelta(days=30), TODAY - timedelta(days=1))
OWED = (ChargeStatus.PENDING, timedelta(days=3) - timedelta(seconds=1))
OWED_TOO_LONG = (ChargeStatus.PENDING, timedelta(days=3))
FAILED_TOO_LONG = (ChargeStatus.FAILED, timedelta(days=4))
REFUNDED = (ChargeStatus.REFUNDED, timedelta(days=5), date(2026, 4, 4))


@pytest.mark.parametrize(
    ("provider_status", "trial", "charges", "expected"),
    [
        ("PENDING", True, (), ("trialing", True)),
        ("PENDING", False, (), ("pending", False)),
        ("ACTIVE", False, (), ("pending", False)),
        ("ACTIVE", False, (OWED,), ("pending", False)),
        ("ACTIVE", False, (OWED_TOO_LONG,), ("past_due", False)),
        ("ACTIVE", False, (PAID,), ("active", True)),
        ("ACTIVE", False, (PAID, OWED), ("active", True)),
        ("ACTIVE", False, (PAID, OWED_TOO_LONG), ("past_due", False)),
        ("ACTIVE", False, (PAID, FAILED_TOO_LONG), ("past_due", False)),
        ("ACTIVE", False, (REFUNDED,), ("pending", False)),
        ("ACTIVE", True, (), ("active", True)),
        ("ACTIVE", True, (OWED,), ("active", True)),
        ("ACTIVE", True, (OWED_TOO_LONG,), ("past_due", False)),
        ("CANCELED", False, (PAID,), ("canceled", True)),
        ("CANCELED", False, (PAID_UNTIL_TODAY,), ("canceled", True)),
        ("CANCELED", False, (PAID_UNTIL_YESTERDAY,), ("canceled", False)),
        ("CANCELED", True, (), ("canceled", False)),
        ("COMPLETED", False, (PAID,), ("canceled", True)),
        ("PAUSED", False, (PAID_UNTIL_TODAY,), ("paused", True)),
        ("PAUSED", False, (PAID_UNTIL_YESTERDAY,), ("paused", False)),
        ("DEACTIVATED", False, (PAID,), ("past_due", False)),
        ("SOMETHING_NEW", False, (PAID,), ("unknown", False)),
    ],
)
def test_what_squares_status_and_the_invoices_mean_together(freeze, provider_status, trial, charges, expected):
    freeze(NOW)

    assert settled(a_held_subscription(provider_status, trial=trial, charges=charges)) == expected


def test_a_canceled_invoice_is_owed_by_nobody(freeze):
    freeze(NOW)
    held = a_held_subscription("ACTIVE", charges=(PAID, FAILED_TOO_LONG))
    with transaction() as session:
        failed = update(Charge).where(Charge.status == ChargeStatus.FAILED)
        session.execute(failed.values(failure_code=standing.INVOICE_CANCELED))

    assert settled(held) == ("active", True)


def test_invoices_of_an_earlier_subscription_do_not_count(freeze):
    freeze(NOW)
    held = a_held_subscription("ACTIVE")
    with transaction() as session:
        session.add(a_charge(held, *PAID, square_subscription_id="an earlier one"))
        session.add(a_charge(held, *OWED_TOO_LONG, square_subscription_id="an earlier one"))

    assert settled(held) == ("pending", False)


def test_the_day_ends_at_midnight_of_the_launch_states_zone(freeze):
    held = a_held_subscription("CANCELED", charges=(PAID_UNTIL_TODAY,))

    freeze(datetime(2026, 3, 11, 4, 59, 59, tzinfo=UTC))
    before = settled(held)
    freeze(datetime(2026, 3, 11, 5, 0, 0, tzinfo=UTC))
    after = settled(held)

    assert (before, after) == (("canceled", True), ("canceled", False))


def test_news_is_told_once(freeze, events):
    freeze(NOW)
    held = a_held_subscription("ACTIVE", charges=(PAID,))

    settled(held)
    settled(held)

    assert events.emitted() == [
        SubscriptionChanged(store_id=held.store_id, subscription_id=held.id, status="active", subscription_active=True)
    ]
