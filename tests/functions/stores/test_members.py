from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from shared.identity.models import MembershipStatus, Store, StoreMembership, User
from shared.identity.permissions import Role
from shared.kit.db import read_only, transaction
from tests.builders.people import PASSWORD, a_person
from tests.builders.stores import a_buyer, a_member, a_vendor
from tests.events import audited


@pytest.fixture
def store() -> Store:
    return a_vendor()


@pytest.fixture
def owner(store) -> User:
    return a_member(store, Role.OWNER)


def membership(store: Store, user: User) -> tuple[Role, MembershipStatus]:
    with read_only() as session:
        held = session.query(StoreMembership).filter_by(store_id=store.id, user_id=user.id).one()
        return held.role, held.status


def set_status(user: User, status: MembershipStatus) -> None:
    with transaction() as session:
        session.query(StoreMembership).filter_by(user_id=user.id).update({"status": status})


def log_in(auth_api, user: User):
    reply = auth_api.post("/login", {"email": user.email, "password": PASSWORD}, key=None)
    return reply, reply.headers["X-PF-Token"]


def test_members_and_the_invited_are_listed_newest_first(api, store, owner):
    staff, invited, gone = (a_member(store, Role.STAFF) for _ in range(3))
    set_status(invited, MembershipStatus.INVITED)
    set_status(gone, MembershipStatus.REMOVED)
    a_member(a_buyer())

    reply = api.as_member(store, Role.MANAGER).get("/me/users", include_total="true")

    assert [(person["user_id"], person["role"], person["status"]) for person in reply.data] == [
        (str(invited.id), "staff", "invited"),
        (str(staff.id), "staff", "active"),
        (str(owner.id), "owner", "active"),
    ]
    assert reply.json["total"] == 3
    assert {name: reply.data[2][name] for name in ("email", "first_name", "last_name")} == {
        "email": owner.email,
        "first_name": owner.first_name,
        "last_name": owner.last_name,
    }


def test_listing_costs_one_statement_for_any_number(api, store, statements):
    for _ in range(4):
        a_member(store, Role.STAFF)

    with statements() as counted:
        reply = api.as_member(store).get("/me/users")

    assert (len(reply.data), counted.sql) == (4, 1)


@pytest.mark.parametrize("role", [Role.OPS, Role.STAFF, Role.VIEWER])
def test_who_may_not_manage_members_is_refused(api, store, owner, role):
    caller = api.as_member(store, role)

    replies = [
        caller.get("/me/users"),
        caller.patch(f"/me/users/{owner.id}", {"role": "viewer"}),
        caller.delete(f"/me/users/{owner.id}"),
        caller.post("/me/users/invite", {}),
        caller.post(f"/me/users/{owner.id}/resend-invite"),
    ]

    assert [(reply.status, reply.error.details) for reply in replies] == [(403, {"permission": "members:manage"})] * 5
    assert membership(store, owner) == (Role.OWNER, MembershipStatus.ACTIVE)


def test_a_role_is_changed_and_the_token_with_the_old_one_dies(api, auth_api, store, owner):
    lee = a_person()
    a_member(store, Role.STAFF, lee)
    entered, token = log_in(auth_api, lee)
    elsewhere = a_buyer()
    a_member(elsewhere, Role.OPS, lee)
    other = auth_api.post(
        "/login", {"email": lee.email, "password": PASSWORD, "store_id": str(elsewhere.id)}, key=None
    ).headers["X-PF-Token"]

    reply = api.as_member(store, Role.OWNER, user_id=owner.id).patch(f"/me/users/{lee.id}", {"role": "manager"})

    assert (reply.status, reply.data["role"], reply.data["user_id"]) == (200, "manager", str(lee.id))
    assert membership(store, lee) == (Role.MANAGER, MembershipStatus.ACTIVE)
    assert audited()[-1] == ("member.role_changed", lee.id, {"role": "manager"})
    assert api.with_token(token).get("/me").status == 401
    assert api.with_token(other).get("/me").status == 200
    renewed = auth_api.post("/refresh", key=None, **{"X-PF-Refresh-Token": entered.headers["X-PF-Refresh-Token"]})
    assert renewed.data["active_store"]["role"] == "manager"
    assert api.with_token(renewed.headers["X-PF-Token"]).get("/me/users").status == 200


def test_the_same_role_again_changes_nothing(api, auth_api, store, owner):
    lee = a_person()
    a_member(store, Role.STAFF, lee)
    _, token = log_in(auth_api, lee)

    reply = api.as_member(store).patch(f"/me/users/{lee.id}", {"role": "staff"})

    assert reply.status == 200
    assert audited("member.role_changed") == []
    assert api.with_token(token).get("/me").status == 200


def test_who_is_removed_is_out_with_the_next_request(api, auth_api, store, owner):
    lee = a_person()
    a_member(store, Role.STAFF, lee)
    entered, token = log_in(auth_api, lee)

    reply = api.as_member(store).delete(f"/me/users/{lee.id}")

    assert (reply.status, reply.raw) == (204, b"")
    assert membership(store, lee) == (Role.STAFF, MembershipStatus.REMOVED)
    assert audited("member.removed") == [("member.removed", lee.id, None)]
    refused = api.with_token(token).get("/me")
    assert (refused.status, refused.error.code) == (401, "UNAUTHORIZED")
    renewed = auth_api.post("/refresh", key=None, **{"X-PF-Refresh-Token": entered.headers["X-PF-Refresh-Token"]})
    assert (renewed.status, renewed.data["active_store"]) == (200, None)
    assert api.with_token(renewed.headers["X-PF-Token"]).get("/me").error.reason == "no_active_store"
    assert log_in(auth_api, lee)[0].data["stores"] == []


def test_the_last_owner_stays(api, store, owner):
    former, invited = a_member(store, Role.OWNER), a_member(store, Role.OWNER)
    set_status(former, MembershipStatus.REMOVED)
    set_status(invited, MembershipStatus.INVITED)
    caller = api.as_member(store, user_id=owner.id)

    demoted, removed = caller.patch(f"/me/users/{owner.id}", {"role": "admin"}), caller.delete(f"/me/users/{owner.id}")

    assert [(reply.status, reply.error.reason) for reply in (demoted, removed)] == [(409, "last_owner")] * 2
    assert membership(store, owner) == (Role.OWNER, MembershipStatus.ACTIVE)
    assert audited() == []


def test_one_of_two_owners_may_leave(api, store, owner):
    second = a_member(store, Role.OWNER)
    caller = api.as_member(store, user_id=owner.id)

    left = caller.delete(f"/me/users/{owner.id}")
    last = caller.delete(f"/me/users/{second.id}")

    assert (left.status, last.status, last.error.reason) == (204, 409, "last_owner")


@pytest.mark.parametrize(
    ("caller_role", "target_role", "new_role"),
    [
        (Role.MANAGER, Role.ADMIN, Role.VIEWER),
        (Role.MANAGER, Role.STAFF, Role.ADMIN),
        (Role.ADMIN, Role.OWNER, Role.STAFF),
        (Role.ADMIN, Role.ADMIN, Role.OWNER),
        (Role.MANAGER, Role.MANAGER, Role.OWNER),
    ],
)
def test_nobody_reaches_above_themselves(api, store, owner, caller_role, target_role, new_role):
    target = a_member(store, target_role)

    reply = api.as_member(store, caller_role).patch(f"/me/users/{target.id}", {"role": new_role})

    assert (reply.status, reply.error.code, reply.error.reason) == (403, "FORBIDDEN", "role_above_yours")
    assert membership(store, target) == (target_role, MembershipStatus.ACTIVE)
    assert audited() == []


def test_nobody_is_removed_from_below(api, store, owner):
    reply = api.as_member(store, Role.ADMIN).delete(f"/me/users/{owner.id}")

    assert (reply.status, reply.error.reason) == (403, "role_above_yours")
    assert membership(store, owner) == (Role.OWNER, MembershipStatus.ACTIVE)


def test_people_of_other_stores_answer_as_nobody(api, store, owner):
    stranger, gone = a_member(a_buyer(), Role.STAFF), a_member(store, Role.STAFF)
    set_status(gone, MembershipStatus.REMOVED)
    nobody = "01980000-0000-7000-8000-000000000001"
    caller = api.as_member(store)

    replies = [
        reply
        for user_id in (stranger.id, gone.id, nobody)
        for reply in (
            caller.patch(f"/me/users/{user_id}", {"role": "viewer"}),
            caller.delete(f"/me/users/{user_id}"),
            caller.post(f"/me/users/{user_id}/resend-invite"),
        )
    ]

    assert [(reply.status, reply.error.code) for reply in replies] == [(404, "NOT_FOUND")] * 9
    assert audited() == []


@pytest.mark.parametrize("body", [{}, {"role": None}, {"role": "king"}, {"role": "admin", "status": "active"}])
def test_a_role_that_does_not_exist_is_refused(api, store, owner, body):
    reply = api.as_member(store).patch(f"/me/users/{owner.id}", body)

    assert (reply.status, reply.error.code) == (400, "VALIDATION_ERROR")


@pytest.mark.usefixtures("committed_database")
def test_two_owners_who_remove_each_other_leave_one():
    from functions.stores.main import main
    from tests.api import Client

    api = Client.of(main, "/api/v1/stores")
    for _ in range(5):
        store = a_vendor()
        owners = [a_member(store, Role.OWNER) for _ in range(2)]
        start = Barrier(2)

        def remove(n: int, store=store, owners=owners, start=start) -> int:
            caller = api.as_member(store, user_id=owners[n].id)
            start.wait()
            return caller.delete(f"/me/users/{owners[1 - n].id}").status

        with ThreadPoolExecutor(2) as threads:
            statuses = sorted(threads.map(remove, range(2)))

        assert statuses in ([204, 404], [204, 409])
        assert sorted(membership(store, each)[1] for each in owners) == [
            MembershipStatus.ACTIVE,
            MembershipStatus.REMOVED,
        ]
