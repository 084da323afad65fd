"""What a flag says: its default, what somebody set, and for whom; and for how long an instance believes it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from shared.kit import clock
from shared.kit.context import Work, working
from shared.kit.db import transaction
from shared.kit.ids import new_id
from shared.operations.flags import MEANINGS, FeatureFlag, Flag, Rule, flag
from tests.builders.flags import a_flag

MONDAY = datetime(2026, 7, 6, 15, 0, tzinfo=UTC)
HERE, ELSEWHERE = "test", "production"


def test_a_flag_that_nobody_set_is_its_default():
    assert {name: flag(name) for name in Flag} == {
        "allow_ach": False,
        "require_email_verification": False,
        "require_vendor_mfa": False,
        "ads_enabled": True,
        "ads_line_fallback": True,
        "document_ai_enabled": True,
        "email_enabled": True,
    }
    assert set(MEANINGS) == set(Flag)


@pytest.mark.parametrize("enabled", [True, False])
def test_a_flag_without_rules_says_what_was_set(enabled):
    a_flag(Flag.ALLOW_ACH, enabled=enabled)

    assert flag(Flag.ALLOW_ACH) is flag(Flag.ALLOW_ACH, new_id()) is enabled


def test_a_rule_decides_for_its_environments_only():
    a_flag(Flag.ALLOW_ACH, Rule(environments=[HERE], enabled=True))
    a_flag(Flag.ADS_ENABLED, Rule(environments=[ELSEWHERE], enabled=True))

    assert (flag(Flag.ALLOW_ACH), flag(Flag.ADS_ENABLED)) == (True, False)


def test_a_rule_decides_for_its_stores_only():
    store_id = new_id()
    a_flag(Flag.ALLOW_ACH, Rule(store_ids=[store_id], enabled=True))

    assert (flag(Flag.ALLOW_ACH, store_id), flag(Flag.ALLOW_ACH, new_id()), flag(Flag.ALLOW_ACH)) == (
        True,
        False,
        False,
    )


def test_the_first_rule_that_fits_decides():
    store_id = new_id()
    a_flag(
        Flag.ALLOW_ACH,
        Rule(store_ids=[store_id], enabled=False),
        Rule(environments=[HERE], enabled=True),
        enabled=False,
    )

    assert (flag(Flag.ALLOW_ACH, store_id), flag(Flag.ALLOW_ACH, new_id())) == (False, True)


def test_a_percentage_takes_about_so_many_stores_always_the_same_and_grows():
    stores = [UUID(int=n) for n in range(2_000)]
    taken = {}
    for percent in (0, 10, 50, 100):
        a_flag(Flag.ALLOW_ACH, Rule(percent=percent, enabled=True))
        taken[percent] = {store for store in stores if flag(Flag.ALLOW_ACH, store)}

    assert {percent: len(found) for percent, found in taken.items()} == {0: 0, 10: 205, 50: 992, 100: 2_000}
    assert taken[10] < taken[50] < taken[100]


def test_each_flag_takes_other_stores():
    stores = [UUID(int=n) for n in range(2_000)]
    for name in (Flag.ALLOW_ACH, Flag.REQUIRE_VENDOR_MFA):
        a_flag(name, Rule(percent=50, enabled=True))

    both = sum(flag(Flag.ALLOW_ACH, store) and flag(Flag.REQUIRE_VENDOR_MFA, store) for store in stores)

    assert 400 < both < 600


def test_without_a_store_only_a_whole_percentage_fits():
    a_flag(Flag.ALLOW_ACH, Rule(percent=99, enabled=True))

    assert flag(Flag.ALLOW_ACH) is False


@pytest.mark.parametrize("passed_s", [-31, -30, -29, 0, 29, 30, 31])
def test_what_was_read_is_believed_for_thirty_seconds(freeze, passed_s):
    freeze(MONDAY)
    with working(Work(function="test", request_id="request-1")) as this:
        assert flag(Flag.ALLOW_ACH) is False
        with transaction() as session:
            session.add(FeatureFlag(key=Flag.ALLOW_ACH, enabled=True, rules=[], updated_at=clock.now()))
        before = this.sql_statements

        freeze(MONDAY + timedelta(seconds=passed_s))
        answers = [flag(Flag.ALLOW_ACH), flag(Flag.ALLOW_ACH), flag(Flag.ADS_ENABLED)]

        is_old = abs(passed_s) >= 30
        assert answers == [is_old, is_old, True]
        assert this.sql_statements - before == int(is_old)
