import pytest

from shared.identity.models import User
from shared.identity.permissions import Role, SystemRole
from shared.kit.db import read_only
from tests.builders.people import PASSWORD, a_person
from tests.builders.stores import a_user, a_vendor
from tests.events import audited

SAM = {
    "first_name": "Sam",
    "last_name": "Whitehorse",
    "email": "sam@packfinderz.example.com",
    "phone": "+14055550142",
    "credential_number": "OMMA-T-20441",
}


def an_agent(**fields) -> User:
    return a_person(**{"system_role": SystemRole.AGENT, "credential_number": "OMMA-T-1", **fields})


def kept(user_id) -> User:
    with read_only() as session:
        return session.get(User, user_id)


def agent_count() -> int:
    with read_only() as session:
        return session.query(User).filter_by(system_role=SystemRole.AGENT).count()


@pytest.fixture
def admin(api):
    return api.as_admin()


def test_an_agent_is_hired_with_a_password_to_replace(api, auth_api, admin, events):
    reply = admin.post("", SAM)

    sam = kept(reply.data["agent"]["id"])
    assert reply.status == 201
    assert {**reply.data["agent"], "id": None, "created_at": None} == {
        **SAM,
        "id": None,
        "is_active": True,
        "must_change_password": True,
        "last_login_at": None,
        "created_at": None,
    }
    assert (sam.system_role, sam.must_change_password) == (SystemRole.AGENT, True)
    assert audited() == [("agent.created", sam.id, None)]
    assert events.emitted() == []

    temporary = reply.data["temporary_password"]
    assert len(temporary) == 19
    entered = auth_api.post("/login", {"email": SAM["email"], "password": temporary}, key=None)
    caller = auth_api.with_token(entered.headers["X-PF-Token"])
    changed = caller.post("/update-password", {"current_password": temporary, "new_password": PASSWORD})
    again = auth_api.post("/login", {"email": SAM["email"], "password": temporary}, key=None)
    assert (entered.status, changed.status, again.status) == (200, 200, 401)
    assert changed.data["user"]["must_change_password"] is False
    assert temporary.encode() not in admin.get("").raw


def test_a_known_email_is_a_conflict(admin):
    a_person(email="SAM@packfinderz.example.com")

    reply = admin.post("", SAM)

    assert (reply.status, reply.error.code, reply.error.reason) == (409, "CONFLICT", "email_taken")
    assert (agent_count(), audited()) == (0, [])


@pytest.mark.parametrize("field", list(SAM))
def test_a_new_agent_needs_every_field(admin, field):
    missing = admin.post("", {name: value for name, value in SAM.items() if name != field})
    empty = admin.post("", {**SAM, field: ""})

    assert [(reply.status, reply.error.fields) for reply in (missing, empty)] == [(400, [field])] * 2
    assert agent_count() == 0


def test_hiring_needs_an_idempotency_key(admin):
    reply = admin.post("", SAM, key=None)

    assert (reply.status, reply.error.code) == (400, "IDEMPOTENCY_KEY_REQUIRED")
    assert agent_count() == 0


def test_the_same_hire_sent_twice_makes_one_agent(admin):
    first, again = (admin.post("", SAM, key="hire-sam") for _ in range(2))

    assert (first.status, again.status, again.raw == first.raw) == (201, 201, True)
    assert agent_count() == 1


def test_agents_are_listed_newest_first_and_filtered(api, admin, statements):
    first, second, gone = an_agent(), an_agent(), an_agent(is_active=False)
    a_person()

    with statements() as counted:
        everyone = admin.get("")
    active = admin.get("", is_active="true", include_total="true")
    inactive = admin.get("", is_active="false")
    page = admin.get("", limit="1")
    following = admin.get("", limit="1", cursor=page.page["next"])

    assert [agent["id"] for agent in everyone.data] == [str(gone.id), str(second.id), str(first.id)]
    assert [agent["id"] for agent in active.data] == [str(second.id), str(first.id)]
    assert active.json["total"] == 2
    assert [agent["id"] for agent in inactive.data] == [str(gone.id)]
    assert [agent["id"] for agent in (*page.data, *following.data)] == [str(gone.id), str(second.id)]
    assert (counted.sql, counted.redis) == (1, 2)


@pytest.mark.parametrize("query", [{"is_active": "maybe"}, {"limit": "101"}, {"cursor": "abc"}, {"role": "agent"}])
def test_an_odd_list_is_refused(admin, query):
    reply = admin.get("", **query)

    assert (reply.status, reply.error.fields) == (400, list(query))


def test_only_what_is_given_changes(admin):
    sam = an_agent(first_name="Sam", last_name="Whitehorse")

    reply = admin.patch(
        f"/{sam.id}", {"first_name": "Samuel", "phone": "+14055550143", "credential_number": "OMMA-T-2"}
    )

    after = kept(sam.id)
    assert reply.status == 200
    assert (after.first_name, after.last_name, after.phone) == ("Samuel", "Whitehorse", "+14055550143")
    assert (after.credential_number, after.is_active, after.email) == ("OMMA-T-2", True, sam.email)
    [(action, target, change)] = audited()
    assert (action, target, set(change)) == ("agent.updated", sam.id, {"first_name", "phone", "credential_number"})
    assert set(change.values()) == {"[redacted]"}


def test_an_agent_who_is_let_go_is_out_with_the_next_request(auth_api, admin):
    sam = an_agent()
    entered = auth_api.post("/login", {"email": sam.email, "password": PASSWORD}, key=None)
    caller = auth_api.with_token(entered.headers["X-PF-Token"])
    assert caller.get("/me").status == 200

    reply = admin.patch(f"/{sam.id}", {"is_active": False})

    assert (reply.status, reply.data["is_active"]) == (200, False)
    assert audited("agent.updated") == [("agent.updated", sam.id, {"is_active": False})]
    assert caller.get("/me").status == 401
    assert (
        auth_api.post("/refresh", key=None, **{"X-PF-Refresh-Token": entered.headers["X-PF-Refresh-Token"]}).status
        == 401
    )
    assert auth_api.post("/login", {"email": sam.email, "password": PASSWORD}, key=None).status == 401
    assert admin.patch(f"/{sam.id}", {"is_active": True}).status == 200
    assert auth_api.post("/login", {"email": sam.email, "password": PASSWORD}, key=None).status == 200


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"email": "other@example.com"}, ["email"]),
        ({"system_role": "admin"}, ["system_role"]),
        ({"is_active": None}, ["is_active"]),
        ({"phone": None}, ["phone"]),
        ({"credential_number": ""}, ["credential_number"]),
    ],
)
def test_what_is_not_to_be_changed_is_refused(admin, body, wrong):
    sam = an_agent()

    reply = admin.patch(f"/{sam.id}", body)

    assert (reply.status, reply.error.fields) == (400, wrong)
    assert (kept(sam.id).email, kept(sam.id).system_role) == (sam.email, SystemRole.AGENT)
    assert audited() == []


def test_only_agents_are_agents(admin):
    others = [a_person(), a_person(system_role=SystemRole.ADMIN)]

    replies = [admin.patch(f"/{user.id}", {"is_active": False}) for user in others]

    assert [(reply.status, reply.error.code) for reply in replies] == [(404, "NOT_FOUND")] * 2
    assert [kept(user.id).is_active for user in others] == [True, True]
    assert audited() == []


def test_only_admins_look_after_agents(api):
    sam = an_agent()
    callers = [api.as_agent(sam), api.as_user(a_user()), api.as_member(a_vendor(), Role.OWNER)]

    replies = [
        reply
        for caller in callers
        for reply in (caller.get(""), caller.post("", SAM), caller.patch(f"/{sam.id}", {"is_active": False}))
    ]
    strangers = [api.get(""), api.post("", SAM), api.patch(f"/{sam.id}", {"is_active": False})]

    assert [(reply.status, reply.error.reason) for reply in replies] == [(403, "system_role")] * 9
    assert [reply.status for reply in strangers] == [401] * 3
    assert (agent_count(), kept(sam.id).is_active, audited()) == (1, True, [])
