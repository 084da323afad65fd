from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from shared.identity import sessions
from shared.identity.models import MembershipStatus, StoreMembership
from shared.identity.permissions import Role
from shared.kit import auth, redis
from shared.kit.db import transaction
from tests.builders.people import a_person
from tests.builders.stores import a_buyer, a_member, a_vendor
from tests.functions.auth.entering import claims, holding, log_in, refresh, refresh_token


@pytest.fixture
def rosa():
    return a_person()


@pytest.fixture
def green_mesa(rosa):
    store = a_buyer()
    a_member(store, Role.OWNER, rosa)
    return store


@pytest.fixture
def red_river(rosa):
    store = a_vendor()
    a_member(store, Role.OPS, rosa)
    return store


def test_switching_acts_for_the_other_store_and_kills_the_old_token(api, rosa, green_mesa, red_river):
    before = log_in(api, rosa, green_mesa)

    after = holding(api, before).post("/switch-store", {"store_id": str(red_river.id)}, key=None)

    assert (after.status, after.data["active_store"]["id"]) == (200, str(red_river.id))
    told = claims(after)
    assert (told["sid"], told["active_store_id"], told["store_type"], told["role"]) == (
        claims(before)["sid"],
        str(red_river.id),
        "vendor",
        "ops",
    )
    assert holding(api, before).get("/me").status == 401
    me = holding(api, after).get("/me").data
    assert (me["active_store"]["id"], "catalog:write" in me["permissions"]) == (str(red_river.id), True)


def test_switching_spends_the_refresh_token(api, rosa, green_mesa, red_river, events):
    before = log_in(api, rosa, green_mesa)
    after = holding(api, before).post("/switch-store", {"store_id": str(red_river.id)}, key=None)

    reply_was_lost = refresh(api, refresh_token(before))

    assert refresh_token(reply_was_lost) == refresh_token(after)
    assert reply_was_lost.data["active_store"]["id"] == str(red_river.id)
    assert events.emitted() == []


def test_the_store_switched_to_is_the_one_used_last(api, rosa, green_mesa, red_river):
    holding(api, log_in(api, rosa, green_mesa)).post("/switch-store", {"store_id": str(red_river.id)}, key=None)

    assert log_in(api, rosa).data["active_store"]["id"] == str(red_river.id)


def test_a_store_where_one_does_not_belong_answers_as_none(api, rosa, green_mesa, red_river):
    with transaction() as session:
        session.query(StoreMembership).filter_by(store_id=red_river.id).update({"status": MembershipStatus.REMOVED})
    caller = holding(api, log_in(api, rosa))

    replies = [caller.post("/switch-store", {"store_id": str(id_)}, key=None) for id_ in (red_river.id, a_buyer().id)]

    assert [(reply.status, reply.error.code) for reply in replies] == [(404, "NOT_FOUND")] * 2
    assert caller.get("/me").data["active_store"]["id"] == str(green_mesa.id)


@pytest.mark.parametrize("body", [{}, {"store_id": None}, {"store_id": "mine"}])
def test_switching_needs_a_store(api, rosa, body):
    reply = holding(api, log_in(api, rosa)).post("/switch-store", body, key=None)

    assert (reply.status, reply.error.fields) == (400, ["store_id"])


def test_logging_out_ends_this_session_alone(api, rosa):
    here, elsewhere = log_in(api, rosa), log_in(api, rosa)

    reply = holding(api, here).post("/logout", key=None)

    assert (reply.status, reply.raw) == (204, b"")
    assert holding(api, here).get("/me").status == 401
    assert holding(api, here).post("/logout", key=None).status == 401
    assert refresh(api, refresh_token(here)).status == 401
    assert holding(api, elsewhere).get("/me").status == 200
    assert list(sessions.list_open(rosa.id)) == [claims(elsewhere)["sid"]]


def test_logging_out_everywhere_ends_every_session_of_the_caller_alone(api, rosa):
    here, elsewhere, other = log_in(api, rosa), log_in(api, rosa), log_in(api, a_person())

    reply = holding(api, here).post("/logout-all", key=None)

    assert reply.status == 204
    assert [holding(api, each).get("/me").status for each in (here, elsewhere, other)] == [401, 401, 200]
    assert refresh(api, refresh_token(elsewhere)).status == 401
    assert sessions.list_open(rosa.id) == {}


def test_the_index_forgets_what_expired(api, rosa, freeze):
    start = datetime(2026, 3, 2, tzinfo=UTC)
    freeze(start)
    log_in(api, rosa)
    freeze(start + timedelta(days=31))
    new = log_in(api, rosa)

    key = sessions.INDEX_KEY + str(rosa.id)
    assert redis.client().zrange(key, 0, -1) == [claims(new)["sid"]]
    assert 0 < redis.client().ttl(key) <= auth.SESSION_TTL_S


@pytest.mark.parametrize("path", ["/switch-store", "/logout", "/logout-all"])
def test_strangers_are_refused(api, path):
    reply = api.post(path, {"store_id": str(UUID(int=0))}, key=None)

    assert (reply.status, reply.error.code) == (401, "UNAUTHORIZED")
