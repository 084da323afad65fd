"""An owner deletes the store: nobody sees it or acts for it from the next request on."""

import pytest

from shared.identity import sessions
from shared.identity.models import Store
from shared.identity.permissions import Role
from shared.kit.db import read_only
from tests.builders.people import PASSWORD, a_person
from tests.builders.stores import a_buyer, a_member, a_vendor
from tests.events import audited


def log_in(auth_api, person, store):
    body = {"email": person.email, "password": PASSWORD, "store_id": str(store.id)}
    return auth_api.post("/login", body, key=None)


def refresh(auth_api, reply):
    return auth_api.post("/refresh", key=None, **{"X-PF-Refresh-Token": reply.headers["X-PF-Refresh-Token"]})


@pytest.fixture
def farm():
    return a_vendor()


@pytest.fixture
def rosa(farm):
    person = a_person()
    a_member(farm, Role.OWNER, person)
    return person


def test_a_deleted_store_is_out_of_sight_and_kept(api, auth_api, farm, rosa, events):
    caller = api.with_token(log_in(auth_api, rosa, farm).headers["X-PF-Token"])

    reply = caller.delete("/me")

    assert (reply.status, reply.raw) == (204, b"")
    assert api.as_member(a_buyer()).get(f"/{farm.id}").status == 404
    listed = [shown["id"] for shown in api.as_admin().get("/api/v1/admin/stores").data]
    assert str(farm.id) not in listed
    assert audited("store.deleted") == [("store.deleted", farm.id, None)]
    assert events.emitted() == []
    with read_only() as session:
        kept = session.get(Store, farm.id)
        assert kept.deleted_at is not None
        assert kept.company_name == farm.company_name


def test_everybody_loses_it_with_the_next_request_and_stays_signed_in(api, auth_api, farm, rosa):
    lee = a_person()
    a_member(farm, Role.STAFF, lee)
    held = log_in(auth_api, lee, farm)
    api.with_token(log_in(auth_api, rosa, farm).headers["X-PF-Token"]).delete("/me")

    refused = api.with_token(held.headers["X-PF-Token"]).get("/me")
    carried_on = refresh(auth_api, held)

    assert refused.status == 401
    assert carried_on.status == 200
    assert (carried_on.data["active_store"], carried_on.data["stores"]) == (None, [])
    without = api.with_token(carried_on.headers["X-PF-Token"]).get("/me")
    assert (without.status, without.error.reason) == (403, "no_active_store")


def test_nobody_gets_in_again(api, auth_api, farm, rosa):
    api.with_token(log_in(auth_api, rosa, farm).headers["X-PF-Token"]).delete("/me")

    assert log_in(auth_api, rosa, farm).status == 404
    plain = auth_api.post("/login", {"email": rosa.email, "password": PASSWORD}, key=None)
    assert (plain.status, plain.data["stores"]) == (200, [])


def test_sessions_for_other_stores_go_on(api, auth_api, farm, rosa):
    other = a_buyer()
    a_member(other, Role.OWNER, rosa)
    elsewhere = api.with_token(log_in(auth_api, rosa, other).headers["X-PF-Token"])
    api.with_token(log_in(auth_api, rosa, farm).headers["X-PF-Token"]).delete("/me")

    assert elsewhere.get("/me").data["id"] == str(other.id)
    assert len(sessions.list_open(rosa.id)) == 2


def test_a_second_deletion_finds_nothing(api, farm, rosa):
    assert api.as_member(farm, user_id=rosa.id).delete("/me").status == 204

    assert api.as_member(farm, user_id=rosa.id).delete("/me").status == 404
    assert len(audited("store.deleted")) == 1


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.OWNER])
def test_only_owners_delete(api, farm, role):
    reply = api.as_member(farm, role).delete("/me")

    assert (reply.status, reply.error.code) == (403, "FORBIDDEN")
    assert audited("store.deleted") == []
    with read_only() as session:
        assert session.get(Store, farm.id).deleted_at is None


def test_a_suspended_store_is_not_deleted_by_its_owner(api, farm):
    reply = api.as_member(farm, read_only=True).delete("/me")

    assert (reply.status, reply.error.reason) == (403, "store_suspended")
