import pytest

from shared.events.users import SecurityAlert
from shared.identity.models import User
from shared.kit.db import read_only
from tests.api import Client
from tests.builders.people import PASSWORD, a_person
from tests.builders.stores import a_user, a_vendor
from tests.events import audited

NOBODY = "01980000-0000-7000-8000-000000000001"


@pytest.fixture
def users(api) -> Client:
    return api.under("/api/v1/admin/users")


def test_a_user_gets_a_temporary_password_and_is_out_everywhere(users, auth_api, events):
    rosa = a_person()
    entered = auth_api.post("/login", {"email": rosa.email, "password": PASSWORD}, key=None)
    caller = auth_api.with_token(entered.headers["X-PF-Token"])

    reply = users.as_admin().post(f"/{rosa.id}/reset-password")

    temporary = reply.data["temporary_password"]
    again = [
        auth_api.post("/login", {"email": rosa.email, "password": word}, key=None) for word in (PASSWORD, temporary)
    ]
    assert (reply.status, list(reply.data)) == (200, ["temporary_password"])
    assert caller.get("/me").status == 401
    assert [answer.status for answer in again] == [401, 200]
    assert again[1].data["user"]["must_change_password"] is True
    assert audited("auth.password_reset") == [("auth.password_reset", rosa.id, {"by": "admin"})]
    assert events.emitted() == [SecurityAlert(user_id=rosa.id, kind="password_reset")]


def test_who_is_not_there_is_not_found(users, events):
    reply = users.as_admin().post(f"/{NOBODY}/reset-password")

    assert (reply.status, reply.error.code) == (404, "NOT_FOUND")
    assert events.emitted() == []


def test_who_was_invited_sets_their_first_password_themselves(users, events):
    lee = a_person(password=None)

    reply = users.as_admin().post(f"/{lee.id}/reset-password")

    with read_only() as session:
        assert session.get(User, lee.id).password_hash is None
    assert (reply.status, reply.error.code, reply.error.reason) == (422, "STATE_CONFLICT", "not_joined")
    assert (events.emitted(), audited()) == ([], [])


def test_only_admins_reset_passwords(users, events):
    rosa = a_person()
    callers = [users.as_agent(), users.as_user(a_user()), users.as_member(a_vendor()), users]

    replies = [caller.post(f"/{rosa.id}/reset-password") for caller in callers]

    assert [reply.status for reply in replies] == [403, 403, 403, 401]
    with read_only() as session:
        assert session.get(User, rosa.id).password_hash == rosa.password_hash
    assert (events.emitted(), audited()) == ([], [])


def test_resetting_needs_an_idempotency_key(users):
    reply = users.as_admin().post(f"/{a_person().id}/reset-password", key=None)

    assert (reply.status, reply.error.code) == (400, "IDEMPOTENCY_KEY_REQUIRED")
