"""Every route, called by everybody: who is let in is what the specification's table says.

A route that is new fails here until somebody writes down, in `specification`, who may call it.
"""

import itertools
import json
from uuid import uuid4

import pytest

from shared.operations.flags import Flag
from tests.api import Answer
from tests.builders.flags import a_flag
from tests.security.callers import Caller, everybody, no_tokens
from tests.security.catalogue import Served, served
from tests.security.specification import PERMISSIONS, RULES, Rule
from tests.security.untouched import untouched

EVERYBODY = everybody()
_OWNERS = {"buyer": "buyer owner", "vendor": "vendor owner", "admin": "admin", "agent": "agent"}
_GUARDS_REASONS = {
    *("no_active_store", "store_type", "system_role", "store_suspended"),
    *("must_change_password", "mfa_required", "email_unverified"),
}
_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def _everything_is_asked_for():
    a_flag(Flag.REQUIRE_VENDOR_MFA)
    a_flag(Flag.REQUIRE_EMAIL_VERIFICATION)


def call(one: Served, token: str | None) -> Answer:
    """A request that no handler can do anything with: a body that fits nothing, ids of nothing."""
    path = one.path
    for variable in one.variables:
        path = path.replace(f"{{{variable}}}", str(uuid4()))
    n = next(_numbers)
    # An address and an email of its own, so that no limit is counted together with other calls.
    body = json.dumps({"email": f"nobody.{n}@example.com", "surprise": True}).encode() if one.route.body else None
    headers = {"Idempotency-Key": f"call-{n}", "X-Forwarded-For": f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    return one.client.with_token(token or "").send(one.route.method, path, body=body, headers=headers)


def was_refused(answer: Answer) -> bool:
    """Whether a guard said no, as opposed to what lies behind it."""
    assert answer.status < 500, answer.raw
    assert answer.status != 429, answer.raw
    if answer.status == 401:
        return True
    if answer.status != 403:
        return False
    details = answer.error.details or {}
    return details.get("reason") in _GUARDS_REASONS or "permission" in details


def somebody_for(rule: Rule) -> Caller:
    """Someone whom the route lets in."""
    return next(caller for caller in EVERYBODY if caller.may(rule))


def test_every_route_is_written_down_and_nothing_else():
    assert sorted(served()) == sorted(RULES)


def test_every_permission_of_the_code_is_the_specifications():
    from shared.identity.permissions import GRANTS, Permission, StoreType

    granted = {
        permission: tuple(frozenset(GRANTS[store_type].get(permission, ())) for store_type in StoreType)
        for permission in Permission
    }

    assert granted == PERMISSIONS


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_route_lets_in_whom_the_table_says_and_nobody_else(rule):
    one = served()[rule.route]

    with untouched():
        let_in = {caller.name for caller in EVERYBODY if not was_refused(call(one, caller.signed_in()))}

    if rule.kind == "anyone":
        assert let_in in ({caller.name for caller in EVERYBODY}, set())
    else:
        assert let_in == {caller.name for caller in EVERYBODY if caller.may(rule)}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_token_that_proves_nothing_opens_nothing(rule):
    one = served()[rule.route]
    caller = somebody_for(rule)

    with untouched():
        statuses = {name: call(one, token).status for name, token in no_tokens(caller).items()}
        proved = call(one, caller.signed_in())

    if rule.kind == "anyone":
        assert set(statuses.values()) == {proved.status}
    else:
        assert set(statuses.values()) == {401}, statuses
        assert not was_refused(proved)
