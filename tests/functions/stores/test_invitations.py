from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from shared.events.users import MemberInvited
from shared.identity.models import MembershipStatus, Store, StoreMembership, User
from shared.identity.permissions import Role
from shared.kit.db import read_only, transaction
from tests.builders.people import a_person
from tests.builders.stores import a_buyer, a_member
from tests.events import audited

LEE = {"email": "lee@greenmesa.example.com", "first_name": "Lee", "last_name": "Park", "role": "staff"}


@pytest.fixture
def store() -> Store:
    return a_buyer()


@pytest.fixture
def owner(store) -> User:
    return a_member(store, Role.OWNER)


def people(email: str) -> list[User]:
    with read_only() as session:
        return session.query(User).filter_by(email=email).all()


def memberships(user: User) -> list[tuple[Role, MembershipStatus]]:
    with read_only() as session:
        held = session.query(StoreMembership).filter_by(user_id=user.id).all()
        return [(one.role, one.status) for one in held]


def test_someone_new_is_invited(api, events, store, owner):
    reply = api.as_member(store, user_id=owner.id).post("/me/users/invite", LEE)

    [lee] = people(LEE["email"])
    assert reply.status == 201
    assert {**reply.data, "created_at": None} == {
        "user_id": str(lee.id),
        "email": LEE["email"],
        "first_name": "Lee",
        "last_name": "Park",
        "role": "staff",
        "status": "invited",
        "created_at": None,
    }
    assert (lee.password_hash, lee.system_role, lee.is_active) == (None, None, True)
    assert memberships(lee) == [(Role.STAFF, MembershipStatus.INVITED)]
    assert events.emitted() == [MemberInvited(user_id=lee.id, store_id=store.id, role="staff", invited_by=owner.id)]
    assert audited() == [("member.invited", lee.id, {"role": "staff", "status": "invited"})]


def test_who_has_an_account_belongs_at_once_under_their_own_name(api, events, store, owner):
    lee = a_person(email="LEE@greenmesa.example.com", first_name="Leeann")

    reply = api.as_member(store, user_id=owner.id).post("/me/users/invite", LEE)

    assert (reply.status, reply.data["first_name"], reply.data["status"]) == (201, "Leeann", "active")
    assert [person.id for person in people(LEE["email"])] == [lee.id]
    assert memberships(lee) == [(Role.STAFF, MembershipStatus.ACTIVE)]
    assert events.types() == ["member_invited"]


def test_who_had_left_may_come_back(api, store, owner):
    lee = a_person(email=LEE["email"])
    a_member(store, Role.MANAGER, lee)
    with transaction() as session:
        session.query(StoreMembership).filter_by(user_id=lee.id).update({"status": MembershipStatus.REMOVED})

    reply = api.as_member(store, user_id=owner.id).post("/me/users/invite", LEE)

    assert (reply.status, reply.data["role"], reply.data["status"]) == (201, "staff", "active")
    assert memberships(lee) == [(Role.STAFF, MembershipStatus.ACTIVE)]


@pytest.mark.parametrize("status", [MembershipStatus.ACTIVE, MembershipStatus.INVITED])
def test_a_member_is_not_invited_again(api, events, store, owner, status):
    lee = a_person(email=LEE["email"])
    a_member(store, Role.VIEWER, lee)
    with transaction() as session:
        session.query(StoreMembership).filter_by(user_id=lee.id).update({"status": status})

    reply = api.as_member(store, user_id=owner.id).post("/me/users/invite", LEE)

    assert (reply.status, reply.error.code, reply.error.reason) == (409, "CONFLICT", "already_member")
    assert memberships(lee) == [(Role.VIEWER, status)]
    assert events.emitted() == []
    assert audited() == []


@pytest.mark.parametrize(
    ("caller_role", "role"), [(Role.MANAGER, "admin"), (Role.MANAGER, "owner"), (Role.ADMIN, "owner")]
)
def test_nobody_is_invited_above_oneself(api, events, store, owner, caller_role, role):
    reply = api.as_member(store, caller_role).post("/me/users/invite", {**LEE, "role": role})

    assert (reply.status, reply.error.reason) == (403, "role_above_yours")
    assert people(LEE["email"]) == []
    assert events.emitted() == []


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"email": "lee"}, ["email"]),
        ({"role": "king"}, ["role"]),
        ({"first_name": ""}, ["first_name"]),
        ({"status": "active"}, ["status"]),
    ],
)
def test_an_invitation_that_does_not_fit_is_refused(api, events, store, owner, change, wrong):
    reply = api.as_member(store, user_id=owner.id).post("/me/users/invite", {**LEE, **change})

    assert (reply.status, reply.error.fields) == (400, wrong)
    assert people(LEE["email"]) == []
    assert events.emitted() == []


def test_inviting_needs_an_idempotency_key(api, store, owner):
    reply = api.as_member(store, user_id=owner.id).post("/me/users/invite", LEE, key=None)

    assert (reply.status, reply.error.code) == (400, "IDEMPOTENCY_KEY_REQUIRED")
    assert people(LEE["email"]) == []


def test_an_invitation_is_sent_again(api, events, store, owner):
    caller = api.as_member(store, user_id=owner.id)
    lee_id = caller.post("/me/users/invite", LEE).data["user_id"]

    reply = caller.post(f"/me/users/{lee_id}/resend-invite")

    assert reply.status == 204
    first, second = events.emitted()
    assert first == second


def test_who_belongs_already_gets_no_invitation_again(api, events, store, owner):
    lee = a_member(store, Role.STAFF)

    reply = api.as_member(store, user_id=owner.id).post(f"/me/users/{lee.id}/resend-invite")

    assert (reply.status, reply.error.code, reply.error.reason) == (422, "STATE_CONFLICT", "not_invited")
    assert events.emitted() == []


def test_an_invitation_can_be_taken_back(api, store, owner):
    caller = api.as_member(store, user_id=owner.id)
    lee_id = caller.post("/me/users/invite", LEE).data["user_id"]

    reply = caller.delete(f"/me/users/{lee_id}")

    assert reply.status == 204
    assert memberships(people(LEE["email"])[0]) == [(Role.STAFF, MembershipStatus.REMOVED)]


@pytest.mark.usefixtures("committed_database")
def test_two_who_invite_the_same_person_at_once_invite_once(api, events):
    store = a_buyer()
    owner = a_member(store, Role.OWNER)
    callers = [api.as_member(store, user_id=owner.id) for _ in range(2)]
    start = Barrier(2)

    def invite(caller) -> int:
        start.wait()
        return caller.post("/me/users/invite", LEE).status

    with ThreadPoolExecutor(2) as threads:
        statuses = sorted(threads.map(invite, callers))

    assert statuses == [201, 409]
    assert len(people(LEE["email"])) == 1
    assert len(events.emitted(MemberInvited)) == 1
