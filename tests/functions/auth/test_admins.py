import pytest

from functions.auth.main import groups
from shared.identity.models import User
from shared.identity.permissions import SystemRole
from shared.kit.config import CommonSettings
from shared.kit.db import read_only
from shared.kit.http import serve
from tests.api import Client
from tests.builders.people import PASSWORD, a_person
from tests.events import audited

ADA = {"first_name": "Ada", "last_name": "Okafor", "email": "ada@example.com", "password": PASSWORD}


@pytest.fixture
def admins(api) -> Client:
    return api.under("/api/v1/admin/auth")


@pytest.fixture
def in_production(monkeypatch):
    monkeypatch.setenv("PF_ENVIRONMENT", "production")
    CommonSettings.forget()
    yield Client.of(serve("auth", *groups()), "/api/v1/admin/auth")
    monkeypatch.undo()
    CommonSettings.forget()


def admin_count() -> int:
    with read_only() as session:
        return session.query(User).filter_by(system_role=SystemRole.ADMIN).count()


def test_outside_production_anyone_makes_an_admin_who_can_sign_in(admins, events):
    made = admins.post("/register", ADA)
    entered = admins.post("/login", {"email": ADA["email"], "password": PASSWORD}, key=None)

    assert (made.status, made.data["system_role"], made.data["email"]) == (201, "admin", "ada@example.com")
    assert (entered.status, entered.data["user"]["id"]) == (200, made.data["id"])
    assert "X-PF-Token" not in made.headers
    assert [action for action, _, _ in audited()] == ["admin.created", "auth.login_succeeded"]
    assert events.emitted() == []


def test_a_known_email_is_a_conflict(admins):
    a_person(email="ADA@example.com")

    reply = admins.post("/register", ADA)

    assert (reply.status, reply.error.reason) == (409, "email_taken")
    assert admin_count() == 0


@pytest.mark.parametrize(("field", "value"), [("password", "passwordpassword"), ("email", "ada"), ("last_name", "")])
def test_a_body_that_does_not_fit_makes_nobody(admins, field, value):
    reply = admins.post("/register", {**ADA, field: value})

    assert (reply.status, reply.error.fields) == (400, [field])
    assert admin_count() == 0


@pytest.mark.parametrize("body", [ADA, {}])
def test_in_production_there_is_no_such_route(in_production, body):
    reply = in_production.post("/register", body)

    assert (reply.status, reply.error.code) == (404, "NOT_FOUND")
    assert admin_count() == 0


def test_in_production_an_admin_still_signs_in(in_production):
    ada = a_person(system_role=SystemRole.ADMIN)

    reply = in_production.post("/login", {"email": ada.email, "password": PASSWORD}, key=None)

    assert reply.status == 200
    assert reply.headers["Strict-Transport-Security"] == "max-age=63072000; includeSubDomains"
