import pytest

from shared.identity.models import MembershipStatus, StoreMembership, User
from shared.identity.permissions import Role, StoreType, permissions_of
from shared.kit.db import read_only, transaction
from tests.builders.people import a_person
from tests.builders.stores import a_buyer, a_member, a_vendor
from tests.events import audited
from tests.functions.auth.entering import holding, log_in


@pytest.mark.parametrize("role", Role)
def test_me_tells_who_one_is_and_what_one_may_do(api, role):
    rosa, store = a_person(first_name="Rosa", last_name="Diaz", email="rosa@example.com"), a_vendor()
    a_member(store, role, rosa)

    reply = holding(api, log_in(api, rosa)).get("/me")

    membership = {
        "id": str(store.id),
        "type": "vendor",
        "name": store.company_name,
        "slug": store.slug,
        "role": role,
        "kyc_status": "verified",
        "subscription_active": True,
    }
    assert reply.status == 200
    assert reply.data["memberships"] == [membership]
    assert reply.data["active_store"] == membership
    assert reply.data["permissions"] == permissions_of(StoreType.VENDOR, role)
    assert {name: reply.data["user"][name] for name in ("id", "email", "first_name", "last_name", "phone")} == {
        "id": str(rosa.id),
        "email": "rosa@example.com",
        "first_name": "Rosa",
        "last_name": "Diaz",
        "phone": "+14055550100",
    }
    assert "password_hash" not in reply.raw.decode()


def test_me_without_a_store_has_no_permissions(api):
    reply = holding(api, log_in(api, a_person())).get("/me")

    assert (reply.data["memberships"], reply.data["active_store"], reply.data["permissions"]) == ([], None, [])


def test_a_membership_that_ended_is_not_told(api):
    rosa, store = a_person(), a_buyer()
    a_member(store, Role.OWNER, rosa)
    caller = holding(api, log_in(api, rosa))
    with transaction() as session:
        session.query(StoreMembership).update({"status": MembershipStatus.REMOVED})

    reply = caller.get("/me")

    assert (reply.data["memberships"], reply.data["active_store"], reply.data["permissions"]) == ([], None, [])


def test_me_costs_the_same_for_any_number_of_stores(api, statements):
    rosa = a_person()
    for _ in range(3):
        a_member(a_buyer(), Role.OWNER, rosa)
    caller = holding(api, log_in(api, rosa))

    with statements() as counted:
        reply = caller.get("/me")

    assert len(reply.data["memberships"]) == 3
    assert (counted.sql, counted.redis) == (2, 2)


def test_only_what_is_given_changes(api):
    rosa = a_person(first_name="Rosa", last_name="Diaz")
    caller = holding(api, log_in(api, rosa))

    renamed = caller.patch("/me", {"first_name": " Rosalinda "})
    unreachable = caller.patch("/me", {"phone": None})
    same = caller.patch("/me", {})

    assert (renamed.status, unreachable.status, same.status) == (200, 200, 200)
    assert [(reply.data["first_name"], reply.data["last_name"]) for reply in (renamed, unreachable, same)] == [
        ("Rosalinda", "Diaz")
    ] * 3
    assert [reply.data["phone"] for reply in (renamed, unreachable, same)] == ["+14055550100", None, None]
    with read_only() as session:
        kept = session.get(User, rosa.id)
    assert (kept.first_name, kept.last_name, kept.phone, kept.email) == ("Rosalinda", "Diaz", None, rosa.email)


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"first_name": None}, ["first_name"]),
        ({"last_name": "  "}, ["last_name"]),
        ({"first_name": "x" * 101}, ["first_name"]),
        ({"first_name": "Ro\nsa"}, ["first_name"]),
        ({"phone": "555-0100"}, ["phone"]),
        ({"email": "other@example.com"}, ["email"]),
        ({"system_role": "admin"}, ["system_role"]),
        ({"is_active": True, "id": "x"}, ["id", "is_active"]),
    ],
)
def test_what_is_not_ones_own_to_change_is_refused(api, body, wrong):
    rosa = a_person(first_name="Rosa")

    reply = holding(api, log_in(api, rosa)).patch("/me", body)

    assert (reply.status, reply.error.code, reply.error.fields) == (400, "VALIDATION_ERROR", wrong)
    with read_only() as session:
        kept = session.get(User, rosa.id)
    assert (kept.first_name, kept.email, kept.system_role) == ("Rosa", rosa.email, None)
    assert [action for action, _, _ in audited()] == ["auth.login_succeeded"]


def test_strangers_have_no_account(api):
    assert [reply.status for reply in (api.get("/me"), api.patch("/me", {"first_name": "Rosa"}))] == [401, 401]
