"""How checks are made and told, and one that needs a store of its own for each of its cases."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from shared.billing.models import SubscriptionStatus
from shared.identity.models import Store
from shared.identity.permissions import StoreType
from shared.kit import clock
from shared.kit.config import CommonSettings
from shared.kit.db import transaction
from shared.operations import invariants
from shared.operations.invariants import NAMED, Violation, check_all
from tests.builders.stores import a_buyer
from tests.invariants import broken
from tests.world import a_licensed, a_paid_period, a_paid_subscription


@pytest.mark.parametrize("status", SubscriptionStatus)
@pytest.mark.parametrize("paid_days", [None, -1, 0])
def test_the_flag_of_a_store_says_whether_its_subscription_serves(status, paid_days):
    vendor = a_licensed(StoreType.VENDOR)
    subscription = a_paid_subscription(vendor, status=status)
    if paid_days is not None:
        today = clock.today(CommonSettings.current().time_zone)
        a_paid_period(subscription, end_on=today + timedelta(days=paid_days))
    serves = status in ("trialing", "active") or (status in ("canceled", "paused") and paid_days == 0)

    assert broken() == ({} if serves else {"subscription_flag": [str(vendor.id)]})

    with transaction() as session:
        session.execute(update(Store).values(subscription_active=False))
    assert broken() == ({"subscription_flag": [str(vendor.id)]} if serves else {})


def test_many_violations_are_counted_and_the_first_are_named():
    stores = sorted(str(a_buyer().id) for _ in range(NAMED + 5))

    (finding,) = check_all(["kyc_mirrors_licenses"])

    assert (finding.count, [violation.subject for violation in finding.first]) == (NAMED + 5, stores[:NAMED])
    assert finding.first[0].detail == "is verified, its licenses say pending_verification"


def test_a_check_that_cannot_be_made_is_told_and_the_others_go_on(monkeypatch):
    monkeypatch.setattr(
        invariants, "CHECKS", {"odd": "SELECT nothing AS subject", "even": "SELECT 1 AS subject, 'one' AS detail"}
    )

    odd, even = check_all(["odd", "even"])

    assert (odd.holds, odd.failure) == (False, "42703")
    assert (even.holds, even.first) == (False, (Violation("1", "one"),))
