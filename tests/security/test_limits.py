"""How often each route may be asked, as the conventions say: a route that is not named there is asked 600 times."""

import pytest

from shared.kit import limits
from shared.kit.http.asked import ProxySettings
from tests.api import Client
from tests.builders.people import a_person
from tests.security.catalogue import client_of, served
from tests.security.specification import RULES

LOGIN = {("20/minute", "address"), ("5/minute", "email")}
REGISTER = {("20/5 minute", "address"), ("3/5 minute", "email")}
FORGOT = {("20/10 minute", "address"), ("5/10 minute", "email")}
SECRETS = {("5/10 minute", "user")}

NAMED = {
    "POST /api/v1/auth/login": LOGIN,
    "POST /api/v1/admin/auth/login": LOGIN,
    "POST /api/v1/auth/register": REGISTER,
    "POST /api/v1/admin/auth/register": REGISTER,
    "POST /api/v1/auth/forgot-password": FORGOT,
    "POST /api/v1/auth/reset-password": SECRETS,
    "POST /api/v1/auth/update-password": SECRETS,
    "POST /api/v1/auth/verify-email/resend": SECRETS,
    "POST /api/v1/auth/mfa/enroll": SECRETS,
    "POST /api/v1/auth/mfa/confirm": SECRETS,
    "POST /api/v1/auth/mfa/disable": SECRETS,
    "POST /api/v1/auth/mfa/backup-codes": SECRETS,
    "POST /api/v1/cart": {("60/minute", "store")},
    "POST /api/v1/checkout": {("10/minute", "store")},
    "POST /api/v1/vendor/orders/{order_id}/decision": {("120/minute", "store")},
    "POST /api/v1/vendor/orders/{order_id}/line-items/decision": {("120/minute", "store")},
    "POST /api/v1/agent/orders/{order_id}/cash-collected": {("30/minute", "user")},
}
LOOKUPS = [route for route in RULES if "/api/v1/address" in route]


class Somebody:
    """Whose request is counted; each thing about them is told by its name."""

    user = named_user = "U"
    store, address = "S", "A"

    def field(self, name: str) -> str:
        return name


def told(route: str) -> set[tuple[str, str]]:
    """The rates of a route, each with what it is counted by."""
    kinds = {"user:U": "user", "store:S": "store", "address:A": "address", "email:email": "email"}
    return {(limit.rate, kinds[limit.subject(Somebody())]) for limit in served()[route].route.limits}


@pytest.mark.parametrize("route", NAMED)
def test_a_route_that_the_conventions_name_has_its_limit(route):
    assert told(route) == NAMED[route]


@pytest.mark.parametrize("route", LOOKUPS)
def test_addresses_are_looked_up_thirty_times_a_minute(route):
    assert {rate for rate, _ in told(route)} == {"30/minute"}


def test_no_other_route_may_be_asked_more_often_than_six_hundred_times_a_minute():
    for route in RULES.keys() - NAMED.keys() - set(LOOKUPS):
        for limit in served()[route].route.limits:
            rate = limits._rate(limit)
            assert rate.amount * 60 <= 600 * rate.get_expiry(), route


def test_a_limit_is_a_setting(monkeypatch):
    monkeypatch.setenv("PF_LIMIT_DEFAULT", "2/minute")
    limits._rate.cache_clear()
    api = client_of("auth").as_user(a_person())

    statuses = [api.get("/api/v1/auth/me").status for _ in range(3)]
    monkeypatch.undo()
    limits._rate.cache_clear()

    assert statuses == [200, 200, 429]


@pytest.mark.parametrize(
    ("proxies", "hops", "address"),
    [
        ("1", "6.6.6.6, 203.0.113.7", "203.0.113.7"),
        ("2", "6.6.6.6, 203.0.113.7, 10.0.0.1", "203.0.113.7"),
        ("2", "203.0.113.7", "127.0.0.1"),
        ("0", "6.6.6.6", "127.0.0.1"),
        ("1", "", "127.0.0.1"),
    ],
)
def test_an_address_is_what_our_own_proxies_saw(monkeypatch, proxies, hops, address):
    monkeypatch.setenv("PF_TRUSTED_PROXIES", proxies)
    ProxySettings.forget()
    api: Client = client_of("auth")

    def guess(n: int) -> int:
        body = {"email": f"nobody.{n}@example.com", "password": "not the password"}
        return api.send("POST", "/api/v1/auth/login", body=body, headers={"X-Forwarded-For": hops}).status

    statuses = [guess(n) for n in range(21)]
    counted = [key for key in limits.redis.client().scan_iter("*login_address*") if f"address:{address}" in str(key)]
    monkeypatch.undo()
    ProxySettings.forget()

    assert statuses == [401] * 20 + [429]
    assert counted
