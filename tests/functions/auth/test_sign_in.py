from datetime import UTC, datetime

import argon2
import jwt
import pytest
from pydantic import SecretStr

from shared.identity import passwords
from shared.identity.models import KycStatus, MembershipStatus, Store, StoreMembership, User
from shared.identity.permissions import Role, SystemRole
from shared.kit import auth
from shared.kit.db import read_only, transaction
from tests.builders.people import PASSWORD, a_person
from tests.builders.stores import a_buyer, a_member, a_vendor
from tests.events import audited
from tests.functions.auth.entering import claims, holding, log_in

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


def use(store: Store, user: User, at: datetime) -> None:
    with transaction() as session:
        membership = session.query(StoreMembership).filter_by(store_id=store.id, user_id=user.id).one()
        membership.last_used_at = at


@pytest.fixture
def argon2_work(monkeypatch) -> list[argon2.Parameters]:
    """The cost of every hash that is computed, in order."""
    done: list[argon2.Parameters] = []
    verify, make = argon2.PasswordHasher.verify, argon2.PasswordHasher.hash

    def counted_verify(hasher, kept, password):
        done.append(argon2.extract_parameters(kept))
        return verify(hasher, kept, password)

    def counted_make(hasher, password, **options):
        kept = make(hasher, password, **options)
        done.append(argon2.extract_parameters(kept))
        return kept

    monkeypatch.setattr(argon2.PasswordHasher, "verify", counted_verify)
    monkeypatch.setattr(argon2.PasswordHasher, "hash", counted_make)
    return done


def test_with_one_store_it_is_chosen(api, freeze):
    freeze(NOW)
    store, rosa = a_vendor(), a_person()
    a_member(store, Role.MANAGER, rosa)

    reply = log_in(api, rosa)

    assert reply.data["active_store"] == {
        "id": str(store.id),
        "type": "vendor",
        "name": store.company_name,
        "slug": store.slug,
        "role": "manager",
        "kyc_status": "verified",
        "subscription_active": True,
    }
    assert reply.data["stores"] == [reply.data["active_store"]]
    told = claims(reply)
    assert {name: told.get(name) for name in ("sub", "active_store_id", "store_type", "role", "system_role")} == {
        "sub": str(rosa.id),
        "active_store_id": str(store.id),
        "store_type": "vendor",
        "role": "manager",
        "system_role": None,
    }
    assert set(told) == {
        *("sub", "sid", "jti", "gen", "active_store_id", "store_type", "role", "iss", "aud", "iat", "exp"),
    }
    assert told["exp"] - told["iat"] == 900
    assert jwt.get_unverified_header(reply.headers["X-PF-Token"]) == {"alg": "HS256", "kid": "test-1", "typ": "JWT"}
    assert audited() == [("auth.login_succeeded", rosa.id, None)]
    with read_only() as session:
        assert session.get(User, rosa.id).last_login_at == NOW
        assert session.get(Store, store.id).last_active_at == NOW


def test_of_several_stores_the_one_used_last_is_chosen(api):
    rosa, stores = a_person(), [a_buyer(), a_vendor(), a_buyer()]
    for store in stores:
        a_member(store, Role.OWNER, rosa)
    use(stores[0], rosa, datetime(2026, 1, 1, tzinfo=UTC))
    use(stores[1], rosa, datetime(2026, 2, 1, tzinfo=UTC))

    reply = log_in(api, rosa)

    assert [store["id"] for store in reply.data["stores"]] == [str(stores[n].id) for n in (1, 0, 2)]
    assert reply.data["active_store"]["id"] == str(stores[1].id)


def test_a_store_that_is_asked_for_is_chosen_and_remembered(api):
    rosa, first, second = a_person(), a_buyer(), a_vendor()
    for store in (first, second):
        a_member(store, Role.OWNER, rosa)

    asked = log_in(api, rosa, second)
    later = log_in(api, rosa)

    assert [reply.data["active_store"]["id"] for reply in (asked, later)] == [str(second.id)] * 2


def test_without_a_store_one_gets_in_without_a_store(api):
    agent = a_person(system_role=SystemRole.AGENT)

    reply = log_in(api, agent)

    assert (reply.data["stores"], reply.data["active_store"]) == ([], None)
    assert (claims(reply).get("active_store_id"), claims(reply)["system_role"]) == (None, "agent")


@pytest.mark.parametrize(
    ("status", "store_fields"),
    [
        (MembershipStatus.REMOVED, {}),
        (MembershipStatus.INVITED, {}),
        (MembershipStatus.ACTIVE, {"deleted_at": NOW}),
    ],
)
def test_stores_that_one_left_or_that_are_gone_are_not_there(api, status, store_fields):
    store, rosa = a_buyer(**store_fields), a_person()
    a_member(store, Role.OWNER, rosa)
    with transaction() as session:
        session.query(StoreMembership).update({"status": status})

    unasked = log_in(api, rosa)
    asked = api.post("/login", {"email": rosa.email, "password": PASSWORD, "store_id": str(store.id)}, key=None)

    assert (unasked.data["stores"], unasked.data["active_store"]) == ([], None)
    assert (asked.status, asked.error.code) == (404, "NOT_FOUND")


def test_a_store_of_others_answers_as_none_and_opens_no_session(api):
    rosa, strangers = a_person(), a_buyer()
    a_member(a_buyer(), Role.OWNER, rosa)

    reply = api.post("/login", {"email": rosa.email, "password": PASSWORD, "store_id": str(strangers.id)}, key=None)

    assert (reply.status, reply.error.code) == (404, "NOT_FOUND")
    assert "X-PF-Token" not in reply.headers
    assert open_sessions() == 0
    assert audited() == []


def test_a_suspended_store_may_be_entered_to_read(api):
    store, rosa = a_vendor(kyc_status=KycStatus.SUSPENDED), a_person()
    a_member(store, Role.OWNER, rosa)

    reply = log_in(api, rosa)

    assert reply.data["active_store"]["kyc_status"] == "suspended"
    assert auth.find_session(claims(reply)["sid"])["read_only"] is True


def test_email_is_compared_without_case(api):
    rosa = a_person(email="rosa@greenmesa.example.com")

    reply = api.post("/login", {"email": " ROSA@GreenMesa.Example.com", "password": PASSWORD}, key=None)

    assert (reply.status, reply.data["user"]["id"]) == (200, str(rosa.id))


@pytest.mark.parametrize(
    ("person", "sent"),
    [
        ({}, {"password": "a dozen purple cactus"}),
        ({}, {"password": PASSWORD.upper()}),
        ({}, {"email": "nobody@example.com"}),
        ({"password": None}, {}),
        ({"is_active": False}, {}),
    ],
)
def test_every_failure_answers_the_same(api, events, argon2_work, person, sent):
    rosa = a_person(email="rosa@example.com", **person)
    argon2_work.clear()

    reply = api.post("/login", {"email": "rosa@example.com", "password": PASSWORD, **sent}, key=None)

    assert (reply.status, reply.error.code) == (401, "UNAUTHORIZED")
    assert (reply.error.message, reply.error.details) == ("The email or the password is wrong.", None)
    assert "X-PF-Token" not in reply.headers
    assert [work.memory_cost for work in argon2_work] == [8]
    assert open_sessions() == 0
    assert events.emitted() == []
    assert audited() == [("auth.login_failed", None if "email" in sent else rosa.id, None)]


@pytest.mark.parametrize("path", ["/login", "/api/v1/admin/auth/login"])
@pytest.mark.parametrize("change", [{"password_hash": "another"}, {"is_active": False}])
def test_what_a_password_proved_is_looked_at_again_once_its_owner_is_locked(api, events, monkeypatch, path, change):
    ada = a_person(system_role=SystemRole.ADMIN)
    matches = passwords.matches

    def matches_and_meanwhile_changes(kept, password):
        matched = matches(kept, password)
        with transaction() as session:
            session.query(User).update(change)
        return matched

    monkeypatch.setattr(passwords, "matches", matches_and_meanwhile_changes)
    reply = api.post(path, {"email": ada.email, "password": PASSWORD}, key=None)

    assert (reply.status, reply.error.message) == (401, "The email or the password is wrong.")
    assert open_sessions() == 0
    assert events.emitted() == []
    assert audited() == [("auth.login_failed", ada.id, None)]


def test_an_unknown_email_costs_what_a_wrong_password_costs(api, argon2_work, statements):
    rosa = a_person()
    argon2_work.clear()

    with statements() as cost_of_wrong:
        wrong = api.post("/login", {"email": rosa.email, "password": "a dozen purple cactus"}, key=None)
    [work_of_wrong] = argon2_work.copy()
    argon2_work.clear()
    with statements() as cost_of_unknown:
        unknown = api.post("/login", {"email": "nobody@example.com", "password": PASSWORD}, key=None)
    [work_of_unknown] = argon2_work

    assert work_of_unknown == work_of_wrong
    assert (work_of_wrong.type, work_of_wrong.hash_len, work_of_wrong.salt_len) == (argon2.Type.ID, 32, 16)
    assert (cost_of_unknown.sql, cost_of_unknown.redis) == (cost_of_wrong.sql, cost_of_wrong.redis) == (2, 2)
    assert {**unknown.json["error"], "request_id": ""} == {**wrong.json["error"], "request_id": ""}


def test_a_password_kept_at_another_cost_is_kept_anew(api):
    cheap = argon2.PasswordHasher(time_cost=3, memory_cost=16, parallelism=1).hash(PASSWORD)
    rosa = a_person()
    with transaction() as session:
        session.get(User, rosa.id).password_hash = cheap

    first = log_in(api, rosa)
    with read_only() as session:
        kept = session.get(User, rosa.id).password_hash
    again = log_in(api, rosa)

    assert (first.status, again.status) == (200, 200)
    assert argon2.extract_parameters(kept).memory_cost == 8
    assert not passwords.is_outdated(kept)
    assert passwords.matches(kept, SecretStr(PASSWORD))


def test_a_temporary_password_lets_in_only_to_replace_it(api):
    sam = a_person(must_change_password=True)
    reply = log_in(api, sam)

    caller = holding(api, reply)
    refused = caller.patch("/me", {"first_name": "Sam"})

    assert reply.data["user"]["must_change_password"] is True
    assert (refused.status, refused.error.reason) == (403, "must_change_password")
    assert caller.get("/me").status == 200


def test_a_stale_token_keeps_nobody_from_signing_in(api):
    rosa = a_person()

    reply = log_in(api.with_token("stale"), rosa)

    assert reply.data["user"]["id"] == str(rosa.id)


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, ["email", "password"]),
        ({"email": "rosa@example.com", "password": ""}, ["password"]),
        ({"email": "rosa@example.com", "password": "x" * 201}, ["password"]),
        ({"email": "rosa@example.com", "password": 7}, ["password"]),
        ({"email": "rosa@example.com", "password": "x", "store_id": "mine"}, ["store_id"]),
        ({"email": "rosa@example.com", "password": "x", "role": "admin"}, ["role"]),
    ],
)
def test_a_body_that_does_not_fit_is_refused(api, body, wrong):
    reply = api.post("/login", body, key=None)

    assert (reply.status, reply.error.fields) == (400, wrong)
    assert audited() == []


def test_an_admin_signs_in_without_a_store(api):
    ada = a_person(system_role=SystemRole.ADMIN)
    a_member(a_buyer(), Role.OWNER, ada)

    reply = api.post("/api/v1/admin/auth/login", {"email": ada.email, "password": PASSWORD}, key=None)

    assert (reply.status, reply.data["active_store"]) == (200, None)
    assert (claims(reply)["system_role"], claims(reply).get("active_store_id")) == ("admin", None)
    assert audited() == [("auth.login_succeeded", ada.id, None)]


@pytest.mark.parametrize("system_role", [None, SystemRole.AGENT])
def test_who_is_no_admin_is_refused_as_if_the_password_were_wrong(api, argon2_work, system_role):
    rosa = a_person(system_role=system_role)
    argon2_work.clear()

    reply = api.post("/api/v1/admin/auth/login", {"email": rosa.email, "password": PASSWORD}, key=None)

    assert (reply.status, reply.error.message) == (401, "The email or the password is wrong.")
    assert len(argon2_work) == 1
    assert open_sessions() == 0
    assert audited() == [("auth.login_failed", rosa.id, None)]


def open_sessions() -> int:
    from shared.kit import redis

    return len(list(redis.client().scan_iter(f"{auth.SESSION_KEY}*")))
