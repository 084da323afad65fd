from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from shared.events.stores import StoreRegistered
from shared.events.users import EmailVerificationRequested
from shared.identity.models import KycStatus, MembershipStatus, Store, StoreMembership, User
from shared.identity.permissions import Role, StoreType
from shared.kit.db import read_only
from tests.builders.people import PASSWORD, a_person, a_registration
from tests.builders.stores import a_buyer, a_member
from tests.events import audited
from tests.functions.auth.entering import claims, holding
from tests.rivals import at_once, beside

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


def everything() -> tuple[list[User], list[Store], list[StoreMembership]]:
    with read_only() as session:
        return (
            list(session.scalars(select(User).order_by(User.created_at))),
            list(session.scalars(select(Store).order_by(Store.created_at))),
            list(session.scalars(select(StoreMembership).order_by(StoreMembership.created_at))),
        )


def test_registering_makes_a_person_a_store_and_its_owner_and_lets_them_in(api, events, freeze):
    freeze(NOW)

    reply = api.post("/register", a_registration())

    [user], [store], [membership] = everything()
    assert reply.status == 201
    assert reply.data == {
        "user": {
            "id": str(user.id),
            "email": "rosa@greenmesa.example.com",
            "first_name": "Rosa",
            "last_name": "Diaz",
            "phone": "+14055550100",
            "avatar_media_id": None,
            "system_role": None,
            "must_change_password": False,
            "mfa_enabled": False,
            "email_verified_at": None,
            "last_login_at": "2026-03-02T15:00:00Z",
        },
        "stores": [reply.data["active_store"]],
        "active_store": {
            "id": str(store.id),
            "type": "buyer",
            "name": "Green Mesa",
            "slug": "green-mesa",
            "role": "owner",
            "kyc_status": "pending_verification",
            "subscription_active": False,
        },
    }
    assert (store.type, store.company_name, store.dba_name) == (StoreType.BUYER, "Green Mesa LLC", "Green Mesa")
    assert (store.line1, store.city, store.state, store.lat, store.lng) == (
        "100 N Broadway Ave",
        "Oklahoma City",
        "OK",
        35.4689,
        -97.5164,
    )
    assert (store.kyc_status, store.subscription_active) == (KycStatus.PENDING_VERIFICATION, False)
    assert (membership.store_id, membership.user_id) == (store.id, user.id)
    assert (membership.role, membership.status) == (Role.OWNER, MembershipStatus.ACTIVE)
    assert membership.last_used_at == NOW
    assert user.password_hash.startswith("$argon2id$")
    assert events.emitted() == [
        EmailVerificationRequested(user_id=user.id),
        StoreRegistered(store_id=store.id, store_type="buyer", owner_user_id=user.id),
    ]
    assert [row.actor for row in events.rows()] == [str(user.id)] * 2
    assert audited() == [
        ("store.registered", store.id, {"type": "buyer", "tos_accepted_at": "2026-03-02 15:00:00+00:00"}),
        ("auth.login_succeeded", user.id, None),
    ]
    assert holding(api, reply).get("/me").data["active_store"] == reply.data["active_store"]


def test_the_tokens_are_in_headers_alone(api):
    reply = api.post("/register", a_registration())

    told = claims(reply)
    assert (told["active_store_id"], told["store_type"], told["role"]) == (
        reply.data["active_store"]["id"],
        "buyer",
        "owner",
    )
    assert (told["sub"], told["iss"], told["aud"]) == (reply.data["user"]["id"], "packfinderz", "packfinderz-api")
    assert told["exp"] - told["iat"] == 900
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["X-PF-Token"].encode() not in reply.raw
    assert reply.headers["X-PF-Refresh-Token"].encode() not in reply.raw


def test_a_known_email_with_its_password_adds_a_store(api, events):
    rosa = a_person(email="rosa@greenmesa.example.com", first_name="Rosalinda")
    first = a_buyer()
    a_member(first, Role.STAFF, rosa)

    reply = api.post("/register", a_registration(email="Rosa@GreenMesa.example.com", store_type="vendor"))

    users, _, memberships = everything()
    store_id = reply.data["active_store"]["id"]
    assert reply.status == 201
    assert [(user.id, user.first_name) for user in users] == [(rosa.id, "Rosalinda")]
    assert [(store["id"], store["role"]) for store in reply.data["stores"]] == [
        (store_id, "owner"),
        (str(first.id), "staff"),
    ]
    assert len(memberships) == 2
    [event] = events.emitted()
    assert (str(event.store_id), event.store_type, event.owner_user_id) == (store_id, "vendor", rosa.id)


@pytest.mark.parametrize(
    "person",
    [
        {"password": "another dozen cacti"},
        {"password": None},
        {"is_active": False},
    ],
)
def test_a_known_email_with_another_password_is_a_conflict(api, events, person):
    rosa = a_person(email="rosa@greenmesa.example.com", **person)

    reply = api.post("/register", a_registration())

    users, stores, memberships = everything()
    assert (reply.status, reply.error.code, reply.error.reason) == (409, "CONFLICT", "email_taken")
    assert (len(users), stores, memberships) == (1, [], [])
    assert events.emitted() == []
    assert audited() == [("auth.login_failed", rosa.id, None)]
    assert "X-PF-Token" not in reply.headers


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"password": "cacti"}, ["password"]),
        ({"password": "passwordpassword"}, ["password"]),
        ({"password": "ROSA@greenmesa.example.com"}, ["password"]),
        ({"accept_tos": False}, ["accept_tos"]),
        ({"store_type": "warehouse"}, ["store_type"]),
        ({"email": "rosa"}, ["email"]),
        ({"email": "Rosa <rosa@greenmesa.example.com>"}, ["email"]),
        ({"email": "rosa@\uff47reenmesa.example.com"}, ["email"]),
        ({"phone": "405 555 0100"}, ["phone"]),
        ({"first_name": ""}, ["first_name"]),
        ({"company_name": "Green\u0007Mesa"}, ["company_name"]),
        ({"kyc_status": "verified"}, ["kyc_status"]),
        (
            {"address": {"line1": "100 N Broadway Ave"}},
            [f"address.{f}" for f in ("city", "state", "postal_code")],
        ),
        ({"address": {**a_registration()["address"], "lat": None}}, ["address.lng"]),
        ({"address": {**a_registration()["address"], "lat": 91}}, ["address.lat"]),
    ],
)
def test_a_registration_that_does_not_fit_makes_nothing(api, events, fields, wrong):
    reply = api.post("/register", a_registration(**fields))

    assert (reply.status, reply.error.code, reply.error.fields) == (400, "VALIDATION_ERROR", wrong)
    assert everything() == ([], [], [])
    assert events.emitted() == []


def test_a_password_is_what_was_typed_with_its_spaces(api):
    api.post("/register", a_registration(password=f"  {PASSWORD} "))

    exact = api.post("/login", {"email": "rosa@greenmesa.example.com", "password": f"  {PASSWORD} "}, key=None)
    trimmed = api.post("/login", {"email": "rosa@greenmesa.example.com", "password": PASSWORD}, key=None)

    assert (exact.status, trimmed.status) == (200, 401)


def test_stores_of_one_name_get_slugs_of_their_own(api):
    slugs = [
        api.post("/register", a_registration(email=f"rosa{n}@example.com")).data["active_store"]["slug"]
        for n in range(4)
    ]

    assert slugs[:2] == ["green-mesa", "green-mesa-oklahoma-city"]
    assert all(slug.startswith("green-mesa-") and len(slug) == len("green-mesa-") + 6 for slug in slugs[2:])
    assert len(set(slugs)) == 4


def test_a_name_without_latin_letters_still_gets_a_slug(api):
    reply = api.post("/register", a_registration(dba_name=None, company_name="绿山"))

    assert reply.data["active_store"]["slug"] == "store"


def test_the_same_registration_sent_twice_makes_one_store(api, events):
    first = api.post("/register", a_registration(), key="one")
    again = api.post("/register", a_registration(), key="one")

    assert (first.status, again.status, again.raw) == (201, 201, first.raw)
    assert "X-PF-Token" not in again.headers
    assert [len(rows) for rows in everything()] == [1, 1, 1]
    assert events.types() == ["email_verification_requested", "store_registered"]


@pytest.mark.usefixtures("committed_database")
def test_of_two_who_register_one_email_at_once_one_is_told_that_it_is_taken(api, events):
    def register(password: str):
        return lambda: beside(api).post("/register", a_registration(password=password))

    replies = at_once(None, register("a dozen purple cacti"), register("a baker's dozen of cacti"))

    users, stores, memberships = everything()
    assert sorted(reply.status for reply in replies) == [201, 409]
    assert [reply.error.reason for reply in replies if reply.status == 409] == ["email_taken"]
    assert (len(users), len(stores), len(memberships)) == (1, 1, 1)
    assert len(events.emitted(StoreRegistered)) == 1


def test_registering_needs_an_idempotency_key(api):
    reply = api.post("/register", a_registration(), key=None)

    assert (reply.status, reply.error.code) == (400, "IDEMPOTENCY_KEY_REQUIRED")
    assert everything() == ([], [], [])
