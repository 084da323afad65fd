"""What an access token must be to let anyone in, tried on a route of this function and on a member's route."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from shared.identity.permissions import Role
from shared.kit import auth
from shared.kit.tokens import Signer
from tests.api import Client
from tests.builders.people import a_person
from tests.builders.stores import a_buyer, a_member
from tests.functions.auth.entering import claims, log_in

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
KEY = "an-access-token-secret-for-tests-only-0001"


@pytest.fixture
def told(api, freeze) -> dict[str, Any]:
    """The claims of a good token."""
    freeze(NOW)
    rosa = a_person()
    a_member(a_buyer(), Role.OWNER, rosa)
    return claims(log_in(api, rosa))


def sign(told: dict[str, Any], *, key: str = KEY, algorithm: str = "HS256", kid: str | None = "test-1") -> str:
    return jwt.encode(told, key, algorithm=algorithm, headers={"kid": kid} if kid else None)


def refused(api: Client, token: str | None) -> bool:
    reply = (api if token is None else api.with_token(token)).get("/me")
    return (reply.status, reply.error.code if reply.status == 401 else None) == (401, "UNAUTHORIZED")


def test_the_token_as_it_was_minted_lets_in(api, told):
    assert api.with_token(sign(told)).get("/me").status == 200


@pytest.mark.parametrize("token", [None, "", "nonsense", "a.b.c", "é.ü.ß".encode().decode("latin-1")])
def test_a_missing_or_malformed_token_is_refused(api, told, token):
    assert refused(api, token)


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "someone-else"},
        {"aud": None},
        {"iss": "someone-else"},
        {"exp": int(NOW.timestamp())},
        {"exp": "tomorrow"},
        {"iat": int(NOW.timestamp()) + 60},
        {"sub": "00000000-0000-4000-8000-000000000000"},
        {"sub": "rosa"},
        {"sid": "0" * 32},
        {"gen": 1},
        {"gen": "one"},
    ],
)
def test_a_well_signed_token_with_a_wrong_claim_is_refused(api, told, change):
    assert refused(api, sign({**told, **change}))


@pytest.mark.parametrize("claim", ["aud", "iss", "exp", "iat", "sub", "sid"])
def test_a_token_without_a_claim_is_refused(api, told, claim):
    assert refused(api, sign({name: value for name, value in told.items() if name != claim}))


def test_a_token_lives_fifteen_minutes(api, told, freeze):
    token = sign(told)

    freeze(NOW + timedelta(minutes=14, seconds=59))
    assert api.with_token(token).get("/me").status == 200
    freeze(NOW + timedelta(minutes=15))
    assert refused(api, token)


def test_another_key_is_refused(api, told):
    assert refused(api, sign(told, key="k" * 43))
    assert refused(api, sign(told, kid="unknown"))
    assert refused(api, sign(told, kid=None))


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_another_algorithm_is_refused(api, told, algorithm):
    assert refused(api, sign(told, key=KEY * 2, algorithm=algorithm))
    assert refused(api, jwt.encode(told, KEY * 2, algorithm=algorithm, headers={"kid": "test-1"}))


def test_an_unsigned_token_is_refused(api, told):
    unsigned = jwt.encode(told, None, algorithm="none", headers={"kid": "test-1"})

    assert refused(api, unsigned)
    assert refused(api, unsigned + sign(told).rpartition(".")[2])


def test_a_token_of_another_audience_of_ours_is_refused(api, told):
    other = Signer({"test-1": KEY}, "packfinderz", "packfinderz-ads")

    assert refused(api, other.sign({"sub": told["sub"], "sid": told["sid"], "gen": 0}, ttl_s=60))


def test_after_the_keys_were_rotated_the_old_one_is_accepted_and_the_new_one_signs(api, told, monkeypatch):
    monkeypatch.setenv("PF_JWT_KEYS", f"test-2:{'n' * 40},test-1:{KEY}")
    auth.TokenSettings.forget()
    try:
        rosa = a_person()
        fresh = log_in(api, rosa).headers["X-PF-Token"]
        with_old_key = api.with_token(sign(told)).get("/me")
    finally:
        monkeypatch.undo()
        auth.TokenSettings.forget()

    assert jwt.get_unverified_header(fresh)["kid"] == "test-2"
    assert with_old_key.status == 200
    assert refused(api, fresh)


def test_claims_do_not_make_rights(api, told):
    """Who could sign, but not write sessions, gains nothing: the guard believes the session alone."""
    forged = sign({**told, "role": "owner", "system_role": "admin", "active_store_id": str(a_buyer().id)})

    reply = api.with_token(forged).get("/me")

    assert reply.data["user"]["system_role"] is None
    assert reply.data["active_store"]["id"] == told["active_store_id"]


def test_a_session_that_ended_lets_nobody_in(api, told):
    token = sign(told)

    auth.end_session(told["sid"])

    assert refused(api, token)


def test_without_an_active_store_a_members_route_is_refused():
    from functions.stores.main import main

    stores = Client.of(main, "/api/v1/stores").as_user(a_person())

    reply = stores.get("/me")

    assert (reply.status, reply.error.code, reply.error.reason) == (403, "FORBIDDEN", "no_active_store")
