from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest

from shared.events.users import SecurityAlert
from shared.identity.models import KycStatus, MembershipStatus, Store, StoreMembership, User
from shared.identity.permissions import Role
from shared.kit import auth, redis
from shared.kit.auth import TokenSettings
from shared.kit.db import transaction
from tests.builders.people import a_person
from tests.builders.stores import a_buyer, a_member
from tests.events import audited
from tests.functions.auth.entering import claims, holding, log_in, refresh, refresh_token

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


@pytest.fixture
def rosa() -> User:
    return a_person()


@pytest.fixture
def store(rosa) -> Store:
    store = a_buyer()
    a_member(store, Role.OWNER, rosa)
    return store


def test_a_refresh_token_is_traded_for_a_new_pair(api, rosa, store, freeze):
    freeze(NOW)
    first = log_in(api, rosa)

    freeze(NOW + timedelta(minutes=16))
    second = refresh(api, refresh_token(first))
    third = refresh(api, refresh_token(second))

    assert (second.status, second.data["active_store"]["id"]) == (200, str(store.id))
    assert second.data["user"]["id"] == str(rosa.id)
    assert third.status == 200
    tokens = [refresh_token(reply) for reply in (first, second, third)]
    assert len(set(tokens)) == 3
    assert {token.partition(".")[0] for token in tokens} == {claims(second)["sid"]}
    assert holding(api, first).get("/me").status == 401
    assert holding(api, second).get("/me").status == 200
    assert second.headers["Cache-Control"] == "no-store"
    assert refresh_token(second).encode() not in second.raw


def test_nothing_that_is_kept_opens_a_session(api, rosa):
    first = log_in(api, rosa)
    second = refresh(api, refresh_token(first))

    [kept] = [redis.client().get(key) for key in redis.client().scan_iter(f"{auth.SESSION_KEY}*")]

    for reply in (first, second):
        assert refresh_token(reply).partition(".")[2] not in kept
        assert reply.headers["X-PF-Token"] not in kept


def test_for_ten_seconds_a_spent_token_gets_the_same_successor(api, events, rosa, freeze):
    freeze(NOW)
    first = log_in(api, rosa)
    second = refresh(api, refresh_token(first))

    freeze(NOW + timedelta(seconds=10))
    repeated = refresh(api, refresh_token(first))
    onward = refresh(api, refresh_token(repeated))

    assert refresh_token(repeated) == refresh_token(second)
    assert holding(api, repeated).get("/me").status == 200
    assert onward.status == 200
    assert events.emitted() == []


def test_the_same_successor_comes_after_the_keys_were_rotated(api, rosa, monkeypatch):
    first = log_in(api, rosa)
    second = refresh(api, refresh_token(first))
    old = TokenSettings.current().jwt_keys
    monkeypatch.setenv("PF_JWT_KEYS", f"test-2:{'n' * 40},{old}")
    TokenSettings.forget()

    repeated = refresh(api, refresh_token(first))
    under_the_old_key = holding(api, second).get("/me")
    monkeypatch.undo()
    TokenSettings.forget()

    assert (repeated.status, refresh_token(repeated)) == (200, refresh_token(second))
    assert under_the_old_key.status == 200


def test_a_spent_token_that_comes_later_ends_the_session_and_warns_its_owner(api, events, rosa, freeze):
    freeze(NOW)
    first = log_in(api, rosa)
    second = refresh(api, refresh_token(first))
    elsewhere = log_in(api, rosa)

    freeze(NOW + timedelta(seconds=10, microseconds=1))
    reused = refresh(api, refresh_token(first))

    assert (reused.status, reused.error.code) == (401, "UNAUTHORIZED")
    assert "X-PF-Token" not in reused.headers
    assert holding(api, second).get("/me").status == 401
    assert refresh(api, refresh_token(second)).status == 401
    assert holding(api, elsewhere).get("/me").status == 200
    assert audited("auth.refresh_reused") == [("auth.refresh_reused", rosa.id, None)]
    assert events.emitted() == [SecurityAlert(user_id=rosa.id, kind="refresh_reuse")]


def test_a_token_spent_twice_before_is_reuse_even_within_seconds(api, events, rosa, freeze):
    freeze(NOW)
    first = log_in(api, rosa)
    third = refresh(api, refresh_token(refresh(api, refresh_token(first))))

    reused = refresh(api, refresh_token(first))

    assert reused.status == 401
    assert holding(api, third).get("/me").status == 401
    assert events.emitted() == [SecurityAlert(user_id=rosa.id, kind="refresh_reuse")]


def test_a_session_that_is_over_cannot_be_carried_on(api, events, rosa, freeze):
    freeze(NOW)
    reply = log_in(api, rosa)
    holding(api, reply).post("/logout", key=None)

    refused = refresh(api, refresh_token(reply))

    assert (refused.status, refused.error.code) == (401, "UNAUTHORIZED")
    assert events.emitted() == []
    assert audited("auth.refresh_reused") == []


@pytest.mark.parametrize("token", [None, "", "nonsense", f"{'0' * 32}.{'A' * 43}", f"{'0' * 32}.{'A' * 42}"])
def test_what_never_was_a_token_is_refused(api, events, rosa, token):
    log_in(api, rosa)

    reply = refresh(api, token)

    assert (reply.status, reply.error.code) == (401, "UNAUTHORIZED")
    assert events.emitted() == []


def test_a_session_lasts_thirty_days_after_its_last_refresh(api, rosa):
    reply = log_in(api, rosa)
    sid = claims(reply)["sid"]
    redis.client().expire(auth.SESSION_KEY + sid, 60)

    refresh(api, refresh_token(reply))

    assert 29 * 86_400 < redis.client().ttl(auth.SESSION_KEY + sid) <= 30 * 86_400


def test_a_stale_access_token_does_not_keep_one_from_refreshing(api, rosa, freeze):
    freeze(NOW)
    reply = log_in(api, rosa)

    freeze(NOW + timedelta(hours=1))
    again = api.post(
        "/refresh",
        key=None,
        Authorization=f"Bearer {reply.headers['X-PF-Token']}",
        **{"X-PF-Refresh-Token": refresh_token(reply)},
    )

    assert again.status == 200


def test_a_refresh_tells_the_rights_as_they_are_now(api, rosa, store):
    reply = log_in(api, rosa)
    with transaction() as session:
        session.query(StoreMembership).update({"role": Role.VIEWER})
        session.query(Store).update({"kyc_status": KycStatus.SUSPENDED})

    again = refresh(api, refresh_token(reply))

    assert again.data["active_store"]["role"] == "viewer"
    facts = auth.find_session(claims(again)["sid"])
    assert (facts["role"], facts["read_only"]) == ("viewer", True)


def test_who_left_the_store_goes_on_without_one(api, rosa, store):
    reply = log_in(api, rosa)
    with transaction() as session:
        session.query(StoreMembership).update({"status": MembershipStatus.REMOVED})

    again = refresh(api, refresh_token(reply))

    assert (again.status, again.data["active_store"], again.data["stores"]) == (200, None, [])
    assert claims(again).get("active_store_id") is None


def test_a_closed_account_cannot_go_on(api, rosa):
    reply = log_in(api, rosa)
    with transaction() as session:
        session.query(User).update({"is_active": False})

    again = refresh(api, refresh_token(reply))

    assert (again.status, again.error.code) == (401, "UNAUTHORIZED")


@pytest.mark.usefixtures("committed_database")
def test_requests_that_refresh_at_once_all_get_the_same_successor(api, events):
    rosa = a_person()
    first = log_in(api, rosa)
    start = Barrier(6)

    def attempt(_: int):
        start.wait()
        return refresh(api, refresh_token(first))

    with ThreadPoolExecutor(6) as threads:
        replies = list(threads.map(attempt, range(6)))

    assert [reply.status for reply in replies] == [200] * 6
    [successor] = {refresh_token(reply) for reply in replies}
    assert refresh(api, successor).status == 200
    assert all(holding(api, reply).get("/me").status == 200 for reply in replies)
    assert events.emitted() == []


@pytest.mark.usefixtures("committed_database")
def test_a_logout_wins_over_a_refresh_at_the_same_time(api):
    rosa = a_person()
    for _ in range(10):
        reply = log_in_fresh(api, rosa)
        start = Barrier(2)

        def leave(reply=reply, start=start):
            start.wait()
            return holding(api, reply).post("/logout", key=None)

        def stay(reply=reply, start=start):
            start.wait()
            return refresh(api, refresh_token(reply))

        with ThreadPoolExecutor(2) as threads:
            left, stayed = threads.submit(leave), threads.submit(stay)

        assert left.result().status == 204
        assert stayed.result().status in (200, 401)
        assert auth.find_session(claims(reply)["sid"]) is None


def log_in_fresh(api, user):
    """Sign in without regard to how often one did."""
    for key in redis.client().scan_iter("*limit*"):
        redis.client().delete(key)
    return log_in(api, user)
