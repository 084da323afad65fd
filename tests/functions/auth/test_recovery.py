from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest

from shared.events.users import EmailVerificationRequested, PasswordResetRequested, SecurityAlert
from shared.identity import sessions
from shared.identity.models import MembershipStatus, OneTimeToken, StoreMembership, TokenPurpose, User
from shared.identity.permissions import Role
from shared.kit.db import read_only, transaction
from tests.builders.people import PASSWORD, a_person
from tests.builders.stores import a_buyer, a_member
from tests.events import audited
from tests.functions.auth.entering import holding, log_in, mailed, refresh, refresh_token

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
NEW = "a baker's dozen of cacti"


def kept(user: User) -> User:
    with read_only() as session:
        return session.get(User, user.id)


def enters(api, user: User, word: str) -> int:
    return api.post("/login", {"email": user.email, "password": word}, key=None).status


def test_a_forgotten_password_is_asked_for_and_the_answer_tells_nothing(api, events):
    rosa = a_person(email="rosa@example.com")
    a_person(email="closed@example.com", is_active=False)

    replies = [
        api.post("/forgot-password", {"email": email})
        for email in ("Rosa@example.com", "nobody@example.com", "closed@example.com")
    ]

    assert [(reply.status, reply.raw) for reply in replies] == [(204, b"")] * 3
    assert events.emitted() == [PasswordResetRequested(user_id=rosa.id)]
    assert enters(api, rosa, PASSWORD) == 200


def test_no_secret_travels_in_the_event(api, events):
    api.post("/forgot-password", {"email": a_person().email})

    [row] = events.rows()
    assert list(row.payload) == ["user_id"]
    with read_only() as session:
        assert session.query(OneTimeToken).count() == 0


def test_a_mailed_link_sets_the_password_and_ends_every_session(api, events, freeze):
    freeze(NOW)
    rosa = a_person(must_change_password=True)
    before = log_in(api, rosa)
    token = mailed(rosa)

    reply = api.post("/reset-password", {"token": token, "new_password": NEW})

    after = kept(rosa)
    assert (reply.status, reply.raw) == (204, b"")
    assert (enters(api, rosa, PASSWORD), enters(api, rosa, NEW)) == (401, 200)
    assert (after.must_change_password, after.email_verified_at) == (False, NOW)
    assert holding(api, before).get("/me").status == 401
    assert refresh(api, refresh_token(before)).status == 401
    assert audited("auth.password_reset") == [("auth.password_reset", rosa.id, {"by": "password_reset"})]
    assert events.emitted() == [SecurityAlert(user_id=rosa.id, kind="password_reset")]


def test_a_link_works_once_and_takes_its_siblings_with_it(api):
    rosa = a_person()
    first, second = mailed(rosa), mailed(rosa)

    used = api.post("/reset-password", {"token": first, "new_password": NEW})
    refused = [api.post("/reset-password", {"token": token, "new_password": f"{NEW} 2"}) for token in (first, second)]

    assert used.status == 204
    assert [(reply.status, reply.error.fields) for reply in refused] == [(400, ["token"])] * 2
    assert enters(api, rosa, NEW) == 200


@pytest.mark.parametrize(
    ("purpose", "lifetime"),
    [(TokenPurpose.PASSWORD_RESET, timedelta(minutes=30)), (TokenPurpose.INVITATION, timedelta(days=7))],
)
def test_a_link_that_sets_a_password_gets_old(api, events, freeze, purpose, lifetime):
    rosa = a_person()
    freeze(NOW)
    token, other = mailed(rosa, purpose), mailed(rosa, purpose)

    freeze(NOW + lifetime)
    late = api.post("/reset-password", {"token": token, "new_password": NEW})
    freeze(NOW + lifetime - timedelta(seconds=1))
    in_time = api.post("/reset-password", {"token": other, "new_password": NEW})

    assert (late.status, late.error.fields, in_time.status) == (400, ["token"], 204)


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"token": "A" * 43}, "token"),
        ({"token": "short"}, "token"),
        ({"new_password": "cacti"}, "new_password"),
        ({"new_password": "passwordpassword"}, "new_password"),
        ({"new_password": "Rosa.Diaz@example.com"}, "new_password"),
    ],
)
def test_a_refused_reset_changes_nothing_and_leaves_the_link_good(api, events, body, wrong):
    rosa = a_person(email="rosa.diaz@example.com")
    before, token = log_in(api, rosa), mailed(rosa)

    reply = api.post("/reset-password", {"token": token, "new_password": NEW, **body})

    assert (reply.status, reply.error.code, reply.error.fields) == (400, "VALIDATION_ERROR", [wrong])
    assert kept(rosa).password_hash == rosa.password_hash
    assert holding(api, before).get("/me").status == 200
    assert events.emitted() == []
    assert audited("auth.password_reset") == []
    assert api.post("/reset-password", {"token": token, "new_password": NEW}).status == 204


def test_a_link_of_another_purpose_sets_no_password(api):
    rosa = a_person()

    reply = api.post("/reset-password", {"token": mailed(rosa, TokenPurpose.EMAIL_VERIFICATION), "new_password": NEW})

    assert (reply.status, reply.error.fields) == (400, ["token"])


def test_a_closed_account_is_not_opened_by_a_link(api):
    rosa = a_person(is_active=False)

    reply = api.post("/reset-password", {"token": mailed(rosa), "new_password": NEW})

    assert (reply.status, reply.error.fields) == (400, ["token"])
    assert kept(rosa).password_hash == rosa.password_hash


def test_an_invitation_is_followed_by_setting_the_first_password(api, events):
    lee, stores = a_person(password=None), [a_buyer(), a_buyer(), a_buyer()]
    for store in stores:
        a_member(store, Role.STAFF, lee)
    with transaction() as session:
        session.query(StoreMembership).update({"status": MembershipStatus.INVITED})
        session.query(StoreMembership).filter_by(store_id=stores[2].id).update({"status": MembershipStatus.REMOVED})

    reply = api.post("/reset-password", {"token": mailed(lee, TokenPurpose.INVITATION), "new_password": NEW})
    entered = api.post("/login", {"email": lee.email, "password": NEW}, key=None)

    assert reply.status == 204
    assert {store["id"] for store in entered.data["stores"]} == {str(store.id) for store in stores[:2]}
    assert events.emitted() == []
    assert audited("auth.password_reset") == [("auth.password_reset", lee.id, {"by": "invitation"})]
    joined = [(target, after["store_id"], after["role"]) for _, target, after in audited("member.joined")]
    assert sorted(joined) == sorted((lee.id, str(store.id), "staff") for store in stores[:2])


def test_an_email_is_proved_once(api, freeze):
    freeze(NOW)
    rosa = a_person()
    token = mailed(rosa, TokenPurpose.EMAIL_VERIFICATION)

    reply = api.post("/verify-email", {"token": token})
    again = api.post("/verify-email", {"token": token})

    assert (reply.status, again.status, again.error.fields) == (204, 400, ["token"])
    assert kept(rosa).email_verified_at == NOW
    assert log_in(api, rosa).data["user"]["email_verified_at"] == "2026-03-02T15:00:00Z"


def test_a_link_that_proves_an_email_lives_a_day_and_proves_nothing_else(api, freeze):
    freeze(NOW)
    rosa = a_person()
    token, other = mailed(rosa, TokenPurpose.EMAIL_VERIFICATION), mailed(rosa)

    wrong = api.post("/verify-email", {"token": other})
    freeze(NOW + timedelta(hours=24))
    late = api.post("/verify-email", {"token": token})

    assert [(reply.status, reply.error.fields) for reply in (wrong, late)] == [(400, ["token"])] * 2
    assert kept(rosa).email_verified_at is None


def test_the_link_that_proves_an_email_is_mailed_again_until_it_was_followed(api, events):
    rosa = a_person()
    caller = holding(api, log_in(api, rosa))

    asked = caller.post("/verify-email/resend")
    api.post("/verify-email", {"token": mailed(rosa, TokenPurpose.EMAIL_VERIFICATION)})
    refused = caller.post("/verify-email/resend")

    assert asked.status == 204
    assert (refused.status, refused.error.code, refused.error.reason) == (422, "STATE_CONFLICT", "already_verified")
    assert events.emitted() == [EmailVerificationRequested(user_id=rosa.id)]


def test_only_a_digest_of_a_mailed_token_is_kept():
    token = mailed(a_person())

    with read_only() as session:
        [row] = session.query(OneTimeToken).all()
    assert len(row.digest) == 64
    assert token not in str(vars(row))


@pytest.mark.parametrize("path", ["/forgot-password", "/reset-password", "/verify-email"])
def test_each_needs_an_idempotency_key_and_a_body_that_fits(api, path):
    keyless, empty = api.post(path, {}, key=None), api.post(path, {})

    assert (keyless.error.code, empty.error.code) == ("IDEMPOTENCY_KEY_REQUIRED", "VALIDATION_ERROR")


def test_resending_needs_someone(api):
    assert api.post("/verify-email/resend").status == 401


def test_five_links_in_ten_minutes_for_one_email(api, events):
    rosa = a_person()

    statuses = [api.post("/forgot-password", {"email": rosa.email}).status for _ in range(6)]

    assert statuses == [204] * 5 + [429]
    assert len(events.emitted()) == 5


@pytest.mark.usefixtures("committed_database")
def test_a_link_used_by_two_at_once_works_for_one(api, events):
    rosa = a_person()
    token, start = mailed(rosa), Barrier(2)

    def use(word: str) -> int:
        start.wait()
        return api.post("/reset-password", {"token": token, "new_password": word}).status

    words = [f"{NEW} {n}" for n in range(2)]
    with ThreadPoolExecutor(2) as threads:
        statuses = list(threads.map(use, words))

    assert sorted(statuses) == [204, 400]
    assert enters(api, rosa, words[statuses.index(204)]) == 200
    assert len(events.emitted(SecurityAlert)) == 1
    assert len(sessions.list_open(rosa.id)) == 1
