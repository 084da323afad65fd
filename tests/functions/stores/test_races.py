"""No session keeps a right that was being taken away while it was opened or carried on."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from shared.identity import queries, sessions
from shared.identity.models import MembershipStatus, Store, User
from shared.identity.permissions import Role
from shared.kit import redis
from shared.kit.db import transaction
from tests.api import Answer, Client
from tests.builders.people import PASSWORD, a_person
from tests.builders.stores import a_buyer, a_member
from tests.rivals import beside, wait_for_lock

pytestmark = pytest.mark.usefixtures("committed_database")
ROUNDS = 8


def at_once(*actions: Callable[[], Answer]) -> list[int]:
    """Run them in parallel; how each was answered."""
    start = Barrier(len(actions))

    def run(action: Callable[[], Answer]) -> int:
        start.wait()
        return action().status

    with ThreadPoolExecutor(len(actions)) as threads:
        return list(threads.map(run, actions))


def log_in(auth_api: Client, person: User) -> Answer:
    return auth_api.post("/login", {"email": person.email, "password": PASSWORD}, key=None)


def invite(api: Client, store: Store, person: User) -> Answer:
    body = {"email": person.email, "first_name": "Lee", "last_name": "Park", "role": "ops"}
    return beside(api).as_member(store, user_id=a_person().id).post("/me/users/invite", body)


def suspend(api: Client, store: Store) -> Answer:
    return api.under("/api/v1/admin/stores").as_admin().post(f"/{store.id}/suspend", {"reason": "Complaints."})


@pytest.fixture
def home() -> tuple[Store, User]:
    store, rosa = a_buyer(), a_person()
    a_member(store, Role.OWNER)
    a_member(store, Role.OPS, rosa)
    return store, rosa


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_who_signs_in_while_being_removed_does_not_stay_in_the_store(api, auth_api, home, round_):
    store, rosa = home

    statuses = at_once(
        lambda: log_in(auth_api, rosa),
        lambda: api.as_member(store).delete(f"/me/users/{rosa.id}"),
    )

    assert statuses == [200, 204]
    [facts] = sessions.list_open(rosa.id).values()
    assert facts["store_id"] is None or facts["gen"] == 1


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_who_refreshes_while_being_demoted_has_the_lower_role(api, auth_api, home, round_):
    store, rosa = home
    entered = log_in(auth_api, rosa)
    token = {"X-PF-Refresh-Token": entered.headers["X-PF-Refresh-Token"]}

    statuses = at_once(
        lambda: auth_api.post("/refresh", key=None, **token),
        lambda: api.as_member(store).patch(f"/me/users/{rosa.id}", {"role": "viewer"}),
    )

    assert statuses == [200, 200]
    [facts] = sessions.list_open(rosa.id).values()
    assert facts["gen"] == 1
    assert api.with_token(entered.headers["X-PF-Token"]).get("/me").status == 401


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_who_signs_in_while_the_store_is_suspended_may_only_read(api, auth_api, home, round_):
    store, rosa = home

    statuses = at_once(lambda: log_in(auth_api, rosa), lambda: suspend(api, store))

    assert statuses == [200, 200]
    assert [facts["read_only"] for facts in sessions.list_open(rosa.id).values()] == [True]


def test_who_joined_just_before_the_store_was_locked_to_suspend_it_may_only_read(api, auth_api, home, monkeypatch):
    (store, _), lee = home, a_person()
    lock_people, before = queries._lock_people, []

    def lock_people_and_let_join(session, store_id):
        people = lock_people(session, store_id)
        if not before:
            assert invite(api, store, lee).status == 201
            assert log_in(auth_api, lee).status == 200
            before.extend(sessions.list_open(lee.id).values())
        return people

    monkeypatch.setattr(queries, "_lock_people", lock_people_and_let_join)
    assert suspend(api, store).status == 200

    [after] = sessions.list_open(lee.id).values()
    assert (before[0]["read_only"], after["read_only"]) == (False, True)


@pytest.mark.parametrize("former", [None, MembershipStatus.REMOVED])
def test_nobody_joins_while_a_store_is_being_suspended(api, auth_api, home, monkeypatch, former):
    (store, _), lee = home, a_person()
    if former:
        a_member(store, Role.OPS, lee, status=former)
    make_read_only, joining = sessions.make_read_only, []

    with ThreadPoolExecutor(1) as threads:

        def let_join_and_make_read_only(*people):
            joining.append(threads.submit(invite, api, store, lee))
            with transaction() as session:
                wait_for_lock(session)
            make_read_only(*people)

        monkeypatch.setattr(sessions, "make_read_only", let_join_and_make_read_only)
        assert suspend(api, store).status == 200

    assert joining[0].result().status == 201
    assert log_in(auth_api, lee).status == 200
    assert [facts["read_only"] for facts in sessions.list_open(lee.id).values()] == [True]


def test_when_redis_is_down_rights_are_not_taken_away_by_halves(api, home, monkeypatch):
    from redis.exceptions import ConnectionError as Unreachable

    store, rosa = home
    caller = api.as_member(store)

    def refuse(*_, **__):
        raise Unreachable

    with monkeypatch.context() as broken:
        broken.setattr(redis.client(), "pipeline", refuse)
        reply = caller.delete(f"/me/users/{rosa.id}")

    people = caller.get("/me/users").data
    assert (reply.status, reply.error.code) == (503, "DEPENDENCY_ERROR")
    assert str(rosa.id) in [person["user_id"] for person in people]
