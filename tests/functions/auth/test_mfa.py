"""Two-factor sign-in: switched on, asked for, used up, switched off."""

import re
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
from sqlalchemy import func, select

from shared.events.users import SecurityAlert
from shared.identity import sealing, sessions
from shared.identity.models import BackupCode, User
from shared.identity.permissions import SystemRole
from shared.kit import limits
from shared.kit.db import read_only
from shared.operations.flags import Flag, Rule
from tests.api import Client
from tests.builders.flags import a_flag
from tests.builders.people import PASSWORD, a_person, a_registration
from tests.builders.stores import a_buyer, a_member, a_vendor
from tests.events import Events, audited
from tests.functions.auth.authenticator import NOON, STEP, confirm, enroll, switched_on
from tests.functions.auth.entering import holding, log_in


@pytest.fixture(autouse=True)
def _at_noon(freeze):
    freeze(NOON)


@pytest.fixture
def rosa() -> User:
    return a_person(email="rosa@greenmesa.example.com")


@pytest.fixture
def many_logins(monkeypatch):
    """As many sign-ins with one email as one likes."""
    monkeypatch.setenv("PF_LIMIT_LOGIN_EMAIL", "100/minute")
    limits._rate.cache_clear()
    yield
    limits._rate.cache_clear()


def sign_in(api: Client, person: User, **fields: str):
    return api.anonymously().post("/login", {"email": person.email, "password": PASSWORD, **fields}, key=None)


def test_enrolling_tells_a_secret_and_its_uri_and_changes_nothing_yet(api, rosa, events):
    caller = holding(api, log_in(api, rosa))

    reply = enroll(caller)

    assert reply.status == 200
    assert set(reply.data) == {"secret", "otpauth_uri"}
    assert re.fullmatch("[A-Z2-7]{32}", reply.data["secret"])
    uri = urlsplit(reply.data["otpauth_uri"])
    assert (uri.scheme, uri.netloc, uri.path) == ("otpauth", "totp", "/PackFinderz:rosa%40greenmesa.example.com")
    assert parse_qs(uri.query) == {"secret": [reply.data["secret"]], "issuer": ["PackFinderz"]}
    assert caller.get("/me").data["user"]["mfa_enabled"] is False
    assert sign_in(api, rosa).status == 200
    assert audited("auth.mfa_enrolled") == [("auth.mfa_enrolled", rosa.id, None)]
    assert events.emitted(SecurityAlert) == []


def test_the_secret_is_sealed_and_bound_to_its_owner(api, rosa):
    secret = enroll(holding(api, log_in(api, rosa))).data["secret"]

    with read_only() as session:
        kept = session.get(User, rosa.id).mfa_secret
    assert secret not in kept
    assert sealing.unseal(kept, owner_id=rosa.id) == secret
    with pytest.raises(sealing.CannotUnseal):
        sealing.unseal(kept, owner_id=a_person().id)


def test_a_first_code_switches_it_on_and_tells_ten_backup_codes_once(api, rosa):
    caller = holding(api, log_in(api, rosa))
    secret = enroll(caller).data["secret"]

    reply = confirm(caller, pyotp.TOTP(secret).at(NOON))

    assert reply.status == 200
    assert set(reply.data) == {"backup_codes"}
    assert len(set(reply.data["backup_codes"])) == 10
    assert all(re.fullmatch("([a-z2-9]{4}-){3}[a-z2-9]{4}", code) for code in reply.data["backup_codes"])
    assert holding(api, reply).get("/me").data["user"]["mfa_enabled"] is True
    assert alerts_of(rosa) == ["mfa_enabled"]
    assert audited("auth.mfa_enabled") == [("auth.mfa_enabled", rosa.id, None)]
    with read_only() as session:
        kept = list(session.scalars(select(BackupCode.digest).where(BackupCode.user_id == rosa.id)))
    assert len(kept) == 10
    assert not set(kept) & set(reply.data["backup_codes"])


def test_switching_it_on_ends_every_session_and_goes_on_in_a_new_one_for_the_same_store(api, rosa):
    store = a_vendor()
    a_member(store, user=rosa)
    elsewhere = holding(api, log_in(api, rosa))
    caller = holding(api, log_in(api, rosa))
    secret = enroll(caller).data["secret"]

    reply = confirm(caller, pyotp.TOTP(secret).at(NOON))

    assert elsewhere.get("/me").status == 401
    assert caller.get("/me").status == 401
    assert holding(api, reply).get("/me").data["active_store"]["id"] == str(store.id)
    assert len(sessions.list_open(rosa.id)) == 1


@pytest.mark.parametrize(
    "shown",
    [
        lambda app: app.at(NOON + 10 * STEP),
        lambda app: app.at(NOON).translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")),
        lambda app: app.at(NOON)[:-1] + "é",
    ],
)
def test_a_wrong_first_code_switches_nothing_on(api, rosa, events, shown):
    caller = holding(api, log_in(api, rosa))
    secret = enroll(caller).data["secret"]

    reply = confirm(caller, shown(pyotp.TOTP(secret)))

    assert (reply.status, reply.error.fields) == (400, ["mfa_code"])
    assert caller.get("/me").data["user"]["mfa_enabled"] is False
    assert events.emitted(SecurityAlert) == []
    assert count_backup_codes(rosa) == 0


def test_nothing_to_confirm_is_a_state_conflict(api, rosa):
    reply = confirm(holding(api, log_in(api, rosa)), "123456")

    assert (reply.status, reply.error.code, reply.error.reason) == (422, "STATE_CONFLICT", "mfa_not_enrolled")


def test_enrolling_takes_the_password(api, rosa):
    reply = holding(api, log_in(api, rosa)).post("/mfa/enroll", {"password": "a dozen purple crabs"})

    assert (reply.status, reply.error.fields) == (400, ["password"])
    with read_only() as session:
        assert session.get(User, rosa.id).mfa_secret is None


def test_what_is_on_is_not_enrolled_or_confirmed_again(api, rosa):
    app, caller = switched_on(api, rosa)

    again = enroll(caller)
    confirmed = confirm(caller, app.code(NOON))

    assert (again.status, again.error.reason) == (422, "mfa_enabled")
    assert (confirmed.status, confirmed.error.reason) == (422, "mfa_enabled")
    assert sign_in(api, rosa, mfa_code=app.code(NOON)).status == 200


def test_signing_in_asks_for_the_code(api, rosa, events):
    app, _ = switched_on(api, rosa)
    before = len(sessions.list_open(rosa.id))

    reply = sign_in(api, rosa)

    assert (reply.status, reply.error.code, reply.error.reason) == (401, "UNAUTHORIZED", "mfa_required")
    assert "X-PF-Token" not in reply.headers
    assert len(sessions.list_open(rosa.id)) == before
    assert audited("auth.login_failed") == [("auth.login_failed", rosa.id, {"reason": "mfa_required"})]
    assert sign_in(api, rosa, mfa_code=app.code(NOON)).status == 200


def test_a_wrong_password_with_a_code_says_no_more_than_without(api, rosa):
    app, _ = switched_on(api, rosa)

    reply = api.post(
        "/login", {"email": rosa.email, "password": "a dozen purple crabs", "mfa_code": app.code(NOON)}, key=None
    )

    assert (reply.status, reply.error.message, reply.error.details) == (
        401,
        "The email or the password is wrong.",
        None,
    )
    assert sign_in(api, rosa, mfa_code=app.code(NOON)).status == 200


def test_a_wrong_code_lets_nobody_in_and_is_audited(api, rosa):
    app, _ = switched_on(api, rosa)

    reply = sign_in(api, rosa, mfa_code=app.code(NOON + 5 * STEP))

    assert (reply.status, reply.error.reason) == (401, "mfa_code")
    assert audited("auth.login_failed") == [("auth.login_failed", rosa.id, {"reason": "mfa_code"})]


@pytest.mark.parametrize(("steps", "status"), [(-2, 401), (0, 200), (1, 200), (2, 401)])
def test_a_phone_may_be_off_by_one_step(api, rosa, steps, status):
    app, _ = switched_on(api, rosa)

    assert sign_in(api, rosa, mfa_code=app.code(NOON + steps * STEP)).status == status


def test_a_code_is_good_once(api, rosa):
    app, _ = switched_on(api, rosa)

    first = sign_in(api, rosa, mfa_code=app.code(NOON))
    second = sign_in(api, rosa, mfa_code=app.code(NOON))

    assert first.status == 200
    assert (second.status, second.error.reason) == (401, "mfa_code")


def test_the_code_that_confirmed_does_not_sign_in(api, rosa):
    app, _ = switched_on(api, rosa)

    assert sign_in(api, rosa, mfa_code=app.code(NOON - STEP)).status == 401


def test_an_older_code_does_not_follow_a_newer_one(api, rosa):
    app, _ = switched_on(api, rosa)
    assert sign_in(api, rosa, mfa_code=app.code(NOON + STEP)).status == 200

    assert sign_in(api, rosa, mfa_code=app.code(NOON)).status == 401


def test_the_next_step_brings_a_code_that_is_good(api, rosa, freeze):
    app, _ = switched_on(api, rosa)
    assert sign_in(api, rosa, mfa_code=app.code(NOON)).status == 200

    freeze(NOON + STEP)

    assert sign_in(api, rosa, mfa_code=app.code(NOON + STEP)).status == 200


def test_a_backup_code_signs_in_once_and_tells_its_owner(api, rosa):
    app, _ = switched_on(api, rosa)

    first = sign_in(api, rosa, mfa_code=app.backup_codes[3])
    second = sign_in(api, rosa, mfa_code=app.backup_codes[3])

    assert first.status == 200
    assert (second.status, second.error.reason) == (401, "mfa_code")
    assert alerts_of(rosa) == ["mfa_enabled", "mfa_backup_code_used"]
    assert audited("auth.mfa_backup_code_used") == [("auth.mfa_backup_code_used", rosa.id, {"left": 9})]


def test_a_backup_code_may_be_typed_in_capitals_and_without_hyphens(api, rosa):
    app, _ = switched_on(api, rosa)

    assert sign_in(api, rosa, mfa_code=app.backup_codes[0].replace("-", " ").upper()).status == 200


def test_the_backup_code_of_someone_else_is_none(api, rosa):
    switched_on(api, rosa)
    other, _ = switched_on(api, a_person())

    assert sign_in(api, rosa, mfa_code=other.backup_codes[0]).status == 401


def test_codes_are_ignored_where_none_is_needed(api, rosa):
    assert sign_in(api, rosa, mfa_code="123456").status == 200


def test_new_backup_codes_void_the_old_ones(api, rosa):
    app, caller = switched_on(api, rosa)

    reply = caller.post("/mfa/backup-codes", {"password": PASSWORD, "mfa_code": app.code(NOON)})

    assert reply.status == 200
    assert len(reply.data["backup_codes"]) == 10
    assert not set(reply.data["backup_codes"]) & set(app.backup_codes)
    assert sign_in(api, rosa, mfa_code=app.backup_codes[0]).status == 401
    assert sign_in(api, rosa, mfa_code=reply.data["backup_codes"][0]).status == 200
    assert alerts_of(rosa) == ["mfa_enabled", "mfa_backup_codes_renewed", "mfa_backup_code_used"]
    assert audited("auth.mfa_backup_codes_renewed") == [("auth.mfa_backup_codes_renewed", rosa.id, None)]
    assert count_backup_codes(rosa) == 9


def test_switching_it_off_takes_both_proofs_and_ends_the_other_sessions(api, rosa):
    app, caller = switched_on(api, rosa)
    elsewhere = holding(api, sign_in(api, rosa, mfa_code=app.code(NOON)))

    reply = caller.post("/mfa/disable", {"password": PASSWORD, "mfa_code": app.backup_codes[0]})

    assert reply.status == 200
    assert reply.data["user"]["mfa_enabled"] is False
    assert elsewhere.get("/me").status == 401
    assert holding(api, reply).get("/me").status == 200
    assert sign_in(api, rosa).status == 200
    assert alerts_of(rosa) == ["mfa_enabled", "mfa_backup_code_used", "mfa_disabled"]
    assert audited("auth.mfa_disabled") == [("auth.mfa_disabled", rosa.id, None)]
    assert count_backup_codes(rosa) == 0
    with read_only() as session:
        kept = session.get(User, rosa.id)
        assert (kept.mfa_secret, kept.mfa_confirmed_at, kept.mfa_last_step) == (None, None, None)


@pytest.mark.parametrize("path", ["/mfa/disable", "/mfa/backup-codes"])
def test_changing_it_refuses_either_proof_alone(api, rosa, path):
    app, caller = switched_on(api, rosa)

    wrong_code = caller.post(path, {"password": PASSWORD, "mfa_code": app.code(NOON - STEP)})
    wrong_password = caller.post(path, {"password": "a dozen purple crabs", "mfa_code": app.code(NOON)})

    assert (wrong_code.status, wrong_code.error.fields) == (400, ["mfa_code"])
    assert (wrong_password.status, wrong_password.error.fields) == (400, ["password"])
    assert sign_in(api, rosa).status == 401
    assert count_backup_codes(rosa) == 10
    assert alerts_of(rosa) == ["mfa_enabled"]


@pytest.mark.parametrize("path", ["/mfa/disable", "/mfa/backup-codes"])
def test_what_is_off_cannot_be_changed(api, rosa, path):
    caller = holding(api, log_in(api, rosa))

    reply = caller.post(path, {"password": PASSWORD, "mfa_code": "123456"})

    assert (reply.status, reply.error.reason) == (422, "mfa_not_enabled")


def test_adding_a_store_takes_the_code_too(api, rosa):
    app, _ = switched_on(api, rosa)
    body = a_registration(email=rosa.email)

    without = api.anonymously().post("/register", body)
    with_code = api.anonymously().post("/register", body | {"mfa_code": app.code(NOON)})

    assert (without.status, without.error.reason) == (401, "mfa_required")
    assert with_code.status == 201
    assert len(with_code.data["stores"]) == 1
    assert audited("auth.login_failed") == [("auth.login_failed", rosa.id, {"reason": "mfa_required"})]


def test_admins_are_asked_too(api):
    ada = a_person(system_role=SystemRole.ADMIN)
    app, _ = switched_on(api, ada)
    body = {"email": ada.email, "password": PASSWORD}
    door = api.anonymously().under("/api/v1/admin/auth")

    without = door.post("/login", body, key=None)
    with_code = door.post("/login", body | {"mfa_code": app.code(NOON)}, key=None)

    assert (without.status, without.error.reason) == (401, "mfa_required")
    assert with_code.status == 200


def test_five_codes_in_ten_minutes_are_enough(api, rosa, many_logins):
    app, _ = switched_on(api, rosa)
    wrong = app.code(NOON + 9 * STEP)

    tries = [sign_in(api, rosa, mfa_code=wrong).status for _ in range(5)]
    sixth = sign_in(api, rosa, mfa_code=app.code(NOON))

    assert tries == [401] * 5
    assert sixth.status == 429
    assert 0 < int(sixth.headers["Retry-After"]) <= 600


def test_strangers_cannot_spend_the_tries_of_a_person(api, rosa, many_logins):
    app, _ = switched_on(api, rosa)
    for _ in range(6):
        api.post("/login", {"email": rosa.email, "password": "a dozen purple crabs", "mfa_code": "123456"}, key=None)

    assert sign_in(api, rosa, mfa_code=app.code(NOON)).status == 200


def test_five_changes_in_ten_minutes_are_enough(api, rosa):
    caller = holding(api, log_in(api, rosa))
    for _ in range(5):
        assert enroll(caller).status == 200

    assert enroll(caller).status == 429


def test_a_secret_moves_to_the_new_key_when_it_is_used(api, rosa, monkeypatch):
    app, _ = switched_on(api, rosa)
    old = "test-1:a-secret-of-second-factors-for-tests-0001"
    monkeypatch.setenv("PF_MFA_KEYS", f"test-2:another-secret-of-second-factors-00002,{old}")
    sealing.SealingSettings.forget()

    reply = sign_in(api, rosa, mfa_code=app.code(NOON))

    with read_only() as session:
        kept = session.get(User, rosa.id).mfa_secret
    sealing_key = kept.partition(".")[0]
    monkeypatch.undo()
    sealing.SealingSettings.forget()
    assert reply.status == 200
    assert sealing_key == "test-2"


def test_when_the_key_is_lost_no_code_of_the_app_is_right_and_a_backup_code_is(api, rosa, monkeypatch):
    app, _ = switched_on(api, rosa)
    monkeypatch.setenv("PF_MFA_KEYS", "test-2:another-secret-of-second-factors-00002")
    sealing.SealingSettings.forget()

    by_app = sign_in(api, rosa, mfa_code=app.code(NOON))
    by_backup_code = sign_in(api, rosa, mfa_code=app.backup_codes[0])
    monkeypatch.undo()
    sealing.SealingSettings.forget()

    assert (by_app.status, by_app.error.reason) == (401, "mfa_code")
    assert by_backup_code.status == 200


class TestWhenItIsRequired:
    """With the flag `require_vendor_mfa`."""

    @pytest.fixture(autouse=True)
    def _required(self):
        a_flag(Flag.REQUIRE_VENDOR_MFA)

    @pytest.fixture
    def stores(self) -> Client:
        from functions.stores.main import main

        return Client.of(main, "/api/v1/stores")

    def test_people_of_vendors_do_nothing_for_them_before_they_have_it(self, api, rosa, stores):
        a_member(a_vendor(), user=rosa)
        token = log_in(api, rosa).headers["X-PF-Token"]

        refused = stores.with_token(token).get("/me")

        assert (refused.status, refused.error.reason) == (403, "mfa_required")
        assert api.with_token(token).get("/me").status == 200

    def test_they_go_on_as_soon_as_they_have_it(self, api, rosa, stores):
        a_member(a_vendor(), user=rosa)

        _, caller = switched_on(api, rosa)

        assert stores.with_token(caller.token).get("/me").status == 200

    def test_buyers_need_none(self, api, rosa, stores):
        a_member(a_buyer(), user=rosa)

        assert stores.with_token(log_in(api, rosa).headers["X-PF-Token"]).get("/me").status == 200

    def test_admins_need_it(self, api):
        from functions.admin.main import main

        ada = a_person(system_role=SystemRole.ADMIN)
        token = log_in(api, ada).headers["X-PF-Token"]

        refused = Client.of(main).with_token(token).get("/api/v1/admin/agents")

        assert (refused.status, refused.error.reason) == (403, "mfa_required")

    def test_agents_need_none(self):
        from functions.agent.main import main

        assert Client.of(main).as_agent().get("/api/v1/agent/orders").status == 200

    def test_it_may_be_required_of_some_stores_alone(self, api, rosa, stores, many_logins):
        here, elsewhere = a_vendor(), a_vendor()
        for store in (here, elsewhere):
            a_member(store, user=rosa)
        a_flag(Flag.REQUIRE_VENDOR_MFA, Rule(store_ids=[here.id], enabled=True))

        tokens = [log_in(api, rosa, store).headers["X-PF-Token"] for store in (here, elsewhere)]

        assert [stores.with_token(token).get("/me").status for token in tokens] == [403, 200]

    def test_who_is_in_already_is_asked_as_soon_as_the_flag_is_believed(self, api, rosa, stores):
        a_flag(Flag.REQUIRE_VENDOR_MFA, enabled=False)
        a_member(a_vendor(), user=rosa)
        caller = stores.with_token(log_in(api, rosa).headers["X-PF-Token"])
        before = caller.get("/me").status
        a_flag(Flag.REQUIRE_VENDOR_MFA)

        assert (before, caller.get("/me").status) == (200, 403)

    def test_asking_costs_one_statement_in_half_a_minute(self, api, rosa, stores, statements):
        a_flag(Flag.REQUIRE_VENDOR_MFA, enabled=False)
        a_member(a_vendor(), user=rosa)
        caller = stores.with_token(log_in(api, rosa).headers["X-PF-Token"])

        with statements() as first:
            caller.get("/me")
        with statements() as second:
            caller.get("/me")

        assert (first.sql, second.sql) == (2, 1)
        assert first.redis == second.redis


def count_backup_codes(person: User) -> int:
    """How many backup codes a person has left."""
    with read_only() as session:
        left = select(func.count()).where(BackupCode.user_id == person.id, BackupCode.used_at.is_(None))
        return session.scalar(left)


def alerts_of(person: User) -> list[str]:
    """Of what a person was alerted, oldest first."""
    return [alert.kind for alert in Events().emitted(SecurityAlert) if alert.user_id == person.id]
