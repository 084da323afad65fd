from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.events.users import SecurityAlert
from shared.identity import sessions
from shared.identity.models import User
from shared.identity.permissions import Role
from shared.kit.db import read_only
from tests.builders.people import PASSWORD, a_person
from tests.builders.stores import a_buyer, a_member
from tests.events import audited
from tests.functions.auth.entering import claims, holding, log_in, refresh, refresh_token

NEW = "a baker's dozen of cacti"


def change(caller, *, current: str = PASSWORD, new: str = NEW, **options):
    return caller.post("/update-password", {"current_password": current, "new_password": new}, **options)


def test_changing_the_password_ends_every_session_and_opens_one(api, events):
    rosa, store = a_person(), a_buyer()
    a_member(store, Role.OWNER, rosa)
    here, elsewhere = log_in(api, rosa), log_in(api, rosa)

    reply = change(holding(api, here))

    assert (reply.status, reply.data["active_store"]["id"]) == (200, str(store.id))
    assert [holding(api, each).get("/me").status for each in (here, elsewhere, reply)] == [401, 401, 200]
    assert [refresh(api, refresh_token(each)).status for each in (here, elsewhere)] == [401, 401]
    assert list(sessions.list_open(rosa.id)) == [claims(reply)["sid"]]
    assert audited("auth.password_changed") == [("auth.password_changed", rosa.id, None)]
    assert events.emitted() == [SecurityAlert(user_id=rosa.id, kind="password_changed")]
    logins = [api.post("/login", {"email": rosa.email, "password": word}, key=None).status for word in (PASSWORD, NEW)]
    assert logins == [401, 200]


def test_a_temporary_password_is_replaced_and_the_way_is_free(api):
    sam = a_person(must_change_password=True)

    reply = change(holding(api, log_in(api, sam)))

    assert (reply.status, reply.data["user"]["must_change_password"]) == (200, False)
    assert holding(api, reply).patch("/me", {"first_name": "Sam"}).status == 200


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        ({"current": "a dozen purple cactus"}, "current_password"),
        ({"new": PASSWORD}, "new_password"),
        ({"new": "eleven char"}, "new_password"),
        ({"new": "QwertyUiop12"}, "new_password"),
        ({"new": "Rosa.Diaz@Example.com"}, "new_password"),
        ({"new": ""}, "new_password"),
    ],
)
def test_a_refused_change_changes_nothing(api, events, words, wrong):
    rosa = a_person(email="rosa.diaz@example.com")
    here = log_in(api, rosa)

    reply = change(holding(api, here), **words)

    assert (reply.status, reply.error.code, reply.error.fields) == (400, "VALIDATION_ERROR", [wrong])
    with read_only() as session:
        assert session.get(User, rosa.id).password_hash == rosa.password_hash
    assert holding(api, here).get("/me").status == 200
    assert events.emitted() == []
    assert audited("auth.password_changed") == []


def test_changing_needs_an_idempotency_key_and_someone(api):
    rosa = a_person()

    keyless = change(holding(api, log_in(api, rosa)), key=None)
    stranger = change(api)

    assert (keyless.status, keyless.error.code) == (400, "IDEMPOTENCY_KEY_REQUIRED")
    assert (stranger.status, stranger.error.code) == (401, "UNAUTHORIZED")
    assert log_in(api, rosa).status == 200


def test_after_five_tries_in_ten_minutes_it_is_enough(api):
    caller, other = holding(api, log_in(api, a_person())), holding(api, log_in(api, a_person()))

    statuses = [change(caller, current="a wrong guess").status for _ in range(6)]
    reply = change(caller)

    assert statuses == [400] * 5 + [429]
    assert (reply.status, reply.error.code) == (429, "RATE_LIMIT_EXCEEDED")
    assert 1 <= int(reply.headers["Retry-After"]) <= 600
    assert change(other).status == 200


@pytest.mark.usefixtures("committed_database")
def test_of_two_changes_at_once_one_wins(api, events):
    rosa = a_person()
    callers = [holding(api, log_in(api, rosa)) for _ in range(2)]

    with ThreadPoolExecutor(2) as threads:
        words = [f"{NEW} {n}" for n in range(2)]
        statuses = list(threads.map(lambda pair: change(pair[0], new=pair[1]).status, zip(callers, words, strict=True)))

    assert sorted(statuses) in ([200, 400], [200, 401])
    assert len(events.emitted(SecurityAlert)) == 1
    assert len(sessions.list_open(rosa.id)) == 1
    winner = words[statuses.index(200)]
    assert api.post("/login", {"email": rosa.email, "password": winner}, key=None).status == 200
