"""A stateful walk: whatever happens to a person in whatever sequence, exactly the right tokens work.

What must be true is told by the model in `visits`.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from shared.identity.callers import member
from shared.identity.permissions import Permission, SystemRole
from shared.kit import auth, clock, limits, redis
from shared.kit.errors import Forbidden
from shared.kit.tokens import BadToken
from tests.api import Answer, Client
from tests.builders.people import PASSWORD, a_person
from tests.builders.stores import a_buyer, a_member, a_user, a_vendor
from tests.functions.auth.entering import mailed, refresh, refresh_token
from tests.functions.auth.visits import ACCESS_LIFE, GRACE, REFRESH_LIFE, Access, Visit
from tests.security.specification import PERMISSIONS

pytestmark = pytest.mark.usefixtures("committed_database")

NOON = datetime.fromisoformat("2026-03-02T12:00:00Z")
PASSWORDS = (PASSWORD, "a baker's dozen of cacti")
STORES = {"green mesa": "buyer", "red river": "vendor"}
ROLES = ("manager", "ops", "viewer")
MOMENT = timedelta(microseconds=1)
LATER = [timedelta(0), timedelta(0), GRACE, GRACE + MOMENT, ACCESS_LIFE - MOMENT, ACCESS_LIFE, REFRESH_LIFE]
A_STORE, A_ROLE, ANY = st.sampled_from(list(STORES)), st.sampled_from(ROLES), st.integers(0, 1_000)


def one_of(choices: list[Any], which: int) -> list[Any]:
    """One of the choices; none when there is none."""
    return [choices[which % len(choices)]] if choices else []


def may(store: str, role: str, permission: str) -> bool:
    """What the specification's table says of a role in that store."""
    return role in PERMISSIONS[permission][STORES[store] == "vendor"]


class SessionWalk(RuleBasedStateMachine):
    """Rosa in two stores, on any number of devices, with a thief and with owners who change their minds.

    No rule has a precondition: what holds after two things at once depends on which was first, and Hypothesis, when it
    comes by again, must find the rules that it found before.
    """

    def __init__(self):
        super().__init__()
        from functions.admin.main import main as admin_main
        from functions.auth.main import main as auth_main
        from functions.stores.main import main as stores_main

        self.api, self.admin_api = Client.of(auth_main, "/api/v1/auth"), Client.of(admin_main, "/api/v1/admin")
        self.stores_api = Client.of(stores_main, "/api/v1/stores")
        with redis.round_trip() as client:
            client.flushdb()
        self.now = NOON
        self.undo = ExitStack()
        self.undo.enter_context(clock.frozen_at(NOON))
        self.visits: list[Visit] = []

    def teardown(self):
        try:
            for visit in self.visits:
                self.ask_over_http(visit, visit.accesses[-1])
        finally:
            self.undo.close()

    @initialize()
    def begin(self):
        self.rosa = a_person()
        self.stores = dict(zip(STORES, (a_buyer(), a_vendor()), strict=True))
        self.owners = {name: a_member(store).id for name, store in self.stores.items()}
        self.operator = a_user(system_role=SystemRole.ADMIN)
        self.roles: dict[str, str | None] = {"green mesa": "manager", "red river": "ops"}
        self.suspended: set[str] = set()
        for name, store in self.stores.items():
            a_member(store, self.roles[name], self.rosa)
        self.password, self.is_temporary = PASSWORD, False
        self.log_in("green mesa")

    # What Rosa does.

    @rule(store=A_STORE)
    def log_in(self, store):
        body = {"email": self.rosa.email, "password": self.password, "store_id": str(self.stores[store].id)}
        reply = self.api.post("/login", body, key=None)
        assert reply.status == (200 if self.roles[store] else 404)
        if reply.status == 200:
            self.enter(store, reply)

    @rule(which=ANY, age=st.sampled_from([0, 0, 1, 1, 2]), later=st.sampled_from(LATER))
    def refresh(self, which, age, later):
        """With the present token, or with one that was spent; now or later."""
        visits = self.living() if which % 4 and self.living() else self.visits
        visit = visits[which % len(visits)]
        self.time_passes(later)
        age = min(age, len(visit.refreshes) - 1)
        reply = refresh(self.api, visit.refreshes[-1 - age])

        if visit.may_go_on(age, self.now):
            assert refresh_token(reply) == visit.refreshes[-1] if age else refresh_token(reply) not in visit.refreshes
            self.carried_on(visit, reply)
        else:
            assert reply.status == 401
            visit.is_over = True

    @rule(which=ANY)
    def refresh_on_two_tabs_at_once(self, which):
        for visit in one_of(self.living(), which):
            tab = partial(refresh, self.api, visit.refreshes[-1])
            first, second = self.at_once(tab, tab)

            assert refresh_token(first) == refresh_token(second)
            self.carried_on(visit, first)
            self.carried_on(visit, second)

    @rule(which=ANY, store=A_STORE)
    def switch(self, which, store):
        for visit, access in one_of(self.usable(), which):
            reply = self.holding(access).post("/switch-store", {"store_id": str(self.stores[store].id)}, key=None)

            assert reply.status == (403 if visit.has_temporary_password else 200 if self.roles[store] else 404)
            if reply.status == 200:
                visit.outdate()
                self.take(visit, store, reply)

    @rule(which=ANY)
    def log_out(self, which):
        for visit, access in one_of(self.usable(), which):
            assert self.holding(access).post("/logout", key=None).status == 204
            visit.is_over = True

    @rule(which=ANY, how=st.sampled_from(["log_out_everywhere", "change_password", "follow_a_mailed_link", "be_reset"]))
    def end_every_session(self, which, how):
        for visit, access in one_of(self.usable(), which):
            getattr(self, how)(visit, access)

    def log_out_everywhere(self, _, access):
        assert self.holding(access).post("/logout-all", key=None).status == 204
        self.end_all()

    def change_password(self, visit, access):
        body = {"current_password": self.password, "new_password": self.another_password()}
        reply = self.holding(access).post("/update-password", body)

        assert reply.status == 200, reply.raw
        self.password_is(body["new_password"])
        self.enter(visit.store, reply)

    def follow_a_mailed_link(self, *_):
        body = {"token": mailed(self.rosa), "new_password": self.another_password()}

        assert self.api.post("/reset-password", body).status == 204
        self.password_is(body["new_password"])

    def be_reset(self, *_):
        self.was_reset(self.reset())

    # What others do.

    @rule(store=A_STORE)
    def remove(self, store):
        self.removed(store, self.send_away(store))

    @rule(store=A_STORE, role=A_ROLE)
    def invite(self, store, role):
        body = {"email": self.rosa.email, "first_name": "Rosa", "last_name": "Diaz", "role": role}
        reply = self.owner_of(store).post("/me/users/invite", body)
        expected = 403 if store in self.suspended else 409 if self.roles[store] else 201
        assert reply.status == expected
        if reply.status == 201:
            self.roles[store] = role

    @rule(store=A_STORE, role=A_ROLE)
    def change_role(self, store, role):
        self.role_changed(store, role, self.give_role(store, role))

    @rule(store=A_STORE, verb=st.sampled_from(["suspend", "reinstate"]))
    def admin_decides(self, store, verb):
        reply = self.decide(store, verb)
        assert reply.status == (200 if (verb == "reinstate") == (store in self.suspended) else 422)
        if verb == "suspend":
            self.is_suspended(store)
        elif reply.status == 200:
            self.suspended.remove(store)
            self.outdate(store)

    # What happens at the same time: a refresh gets the rights from before or from after, never some of both.

    @rule(which=ANY, what=st.sampled_from(["removed", "promoted", "suspended", "reset", "logged_out"]), role=A_ROLE)
    def refresh_meanwhile(self, which, what, role):
        for visit in one_of(self.living(), which):
            getattr(self, f"refresh_while_{what}")(visit, visit.store or "green mesa", role)

    def refresh_while_removed(self, visit, store, _):
        carried, gone = self.at_once(lambda: refresh(self.api, visit.refreshes[-1]), lambda: self.send_away(store))
        was_first = gone.status == 204 and carried.data["active_store"] is None
        self.both(was_first, lambda: self.removed(store, gone), lambda: self.carried_on(visit, carried))

    def refresh_while_promoted(self, visit, store, role):
        carried, given = self.at_once(
            lambda: refresh(self.api, visit.refreshes[-1]), lambda: self.give_role(store, role)
        )
        was_first = given.status == 200 and (carried.data["active_store"] or {}).get("role") == role
        self.both(was_first, lambda: self.role_changed(store, role, given), lambda: self.carried_on(visit, carried))

    def refresh_while_suspended(self, visit, store, _):
        carried, _ = self.at_once(lambda: refresh(self.api, visit.refreshes[-1]), lambda: self.decide(store, "suspend"))
        self.carried_on(visit, carried)
        self.is_suspended(store)

    def refresh_while_reset(self, visit, *_):
        carried, reset = self.at_once(lambda: refresh(self.api, visit.refreshes[-1]), self.reset)
        self.carried_on_or_refused(visit, carried)
        self.was_reset(reset)

    def refresh_while_logged_out(self, visit, *_):
        access = next((one for one in visit.accesses if visit.works(one, self.now)), None)
        if access is not None:
            carried, left = self.at_once(
                lambda: refresh(self.api, visit.refreshes[-1]), lambda: self.holding(access).post("/logout", key=None)
            )
            assert left.status == 204
            self.carried_on_or_refused(visit, carried)
            visit.is_over = True

    @rule(passed=st.sampled_from(LATER))
    def time_passes(self, passed):
        self.now += passed
        self.undo.enter_context(clock.frozen_at(self.now))

    # What must be true.

    @invariant()
    def exactly_the_right_tokens_work(self):
        for visit in self.visits:
            for access in visit.accesses:
                assert self.allowed(access) == self.expected(visit, access)

    @rule(which=ANY, token=ANY)
    def ask(self, which, token):
        visit = self.visits[which % len(self.visits)]
        self.ask_over_http(visit, visit.accesses[token % len(visit.accesses)])

    def ask_over_http(self, visit, access):
        """Who she is and what she may do; the people of her store, whom not every role may see; a change to it."""
        store = self.stores_api.with_token(access.token)
        me, people, change = self.holding(access).get("/me"), store.get("/me/users"), store.patch("/me", {})
        if not visit.works(access, self.now):
            assert (me.status, people.status, change.status) == (401, 401, 401)
            return
        active = me.data["active_store"]
        held = {name for name in PERMISSIONS if visit.store and may(visit.store, visit.role, name)}
        assert (active["id"] if active else None) == (str(self.stores[visit.store].id) if visit.store else None)
        assert set(me.data["permissions"]) == held
        if visit.has_temporary_password or visit.store is None:
            assert (people.status, change.status) == (403, 403)
        else:
            assert people.status == (200 if "members:manage" in held else 403)
            assert change.status == (200 if "store:update" in held and not visit.may_only_read else 403)
            assert (change.status == 403 and change.error.reason == "store_suspended") == visit.may_only_read

    # How it is done, by whoever may.

    def send_away(self, store) -> Answer:
        return self.owner_of(store).delete(f"/me/users/{self.rosa.id}")

    def give_role(self, store, role) -> Answer:
        return self.owner_of(store).patch(f"/me/users/{self.rosa.id}", {"role": role})

    def decide(self, store, verb) -> Answer:
        path = f"/api/v1/admin/stores/{self.stores[store].id}/{verb}"
        return self.stores_api.as_admin(self.operator).post(path, {"reason": "Complaints."})

    def reset(self) -> Answer:
        return self.admin_api.as_admin(self.operator).post(f"/users/{self.rosa.id}/reset-password")

    def owner_of(self, store) -> Client:
        facts = {"user_id": self.owners[store], "read_only": store in self.suspended}
        return self.stores_api.as_member(self.stores[store], **facts)

    def holding(self, access) -> Client:
        return self.api.with_token(access.token)

    @staticmethod
    def at_once(*calls: Callable[[], Answer]) -> list[Answer]:
        with ThreadPoolExecutor(len(calls)) as threads:
            return [call.result() for call in [threads.submit(call) for call in calls]]

    # What follows from it.

    def enter(self, store, reply: Answer):
        visit = Visit(None, None, [], self.now)
        self.visits.append(visit)
        self.take(visit, store, reply)

    def carried_on(self, visit, reply: Answer):
        self.take(visit, visit.store, reply)

    def carried_on_or_refused(self, visit, reply: Answer):
        """For a session that is over in a moment either way."""
        if reply.status != 401:
            self.carried_on(visit, reply)

    def take(self, visit, store, reply: Answer):
        """A session takes up the rights that there are now; a store that was lost is not found again."""
        assert reply.status == 200, reply.raw
        visit.role = self.roles[store] if store else None
        visit.store = store if visit.role else None
        visit.may_only_read, visit.has_temporary_password = visit.store in self.suspended, self.is_temporary
        visit.keep(reply.headers["X-PF-Token"], refresh_token(reply), self.now)

    def removed(self, store, reply: Answer):
        self.assert_changed(store, reply, 204)
        if reply.status == 204:
            self.roles[store] = None
            self.outdate(store)

    def role_changed(self, store, role, reply: Answer):
        self.assert_changed(store, reply, 200)
        if reply.status == 200 and self.roles[store] != role:
            self.roles[store] = role
            self.outdate(store)

    def assert_changed(self, store, reply: Answer, status: int):
        assert reply.status == (403 if store in self.suspended else status if self.roles[store] else 404)

    def is_suspended(self, store):
        self.suspended.add(store)
        for visit in self.visits:
            visit.may_only_read = visit.store in self.suspended

    def was_reset(self, reply: Answer):
        self.password_is(reply.data["temporary_password"], is_temporary=True)

    def password_is(self, new: str, *, is_temporary: bool = False):
        """It was changed, which ends every session; the old one is good for nothing."""
        body = {"email": self.rosa.email, "password": self.password}
        assert self.api.post("/login", body, key=None).status == 401
        self.password, self.is_temporary = new, is_temporary
        self.end_all()

    def end_all(self):
        for visit in self.visits:
            visit.is_over = True

    def outdate(self, store):
        for visit in self.visits:
            if visit.store == store:
                visit.outdate()

    @staticmethod
    def both(reverse: bool, *happened: Callable[[], None]):
        """Note two things that happened at once, the second first unless `reverse`."""
        for note in happened if reverse else reversed(happened):
            note()

    # Whom and what to choose from.

    def another_password(self) -> str:
        return next(password for password in PASSWORDS if password != self.password)

    def living(self) -> list[Visit]:
        return [visit for visit in self.visits if visit.may_go_on(0, self.now)]

    def usable(self) -> list[tuple[Visit, Access]]:
        return [(visit, one) for visit in self.visits for one in visit.accesses if visit.works(one, self.now)]

    def expected(self, visit, access) -> set[str] | None:
        """What a token must be good for, of reading and writing what managers may; None for one that is refused."""
        if not visit.works(access, self.now):
            return None
        if visit.has_temporary_password or not visit.store or not may(visit.store, visit.role, "members:manage"):
            return set()
        return {"read"} if visit.may_only_read else {"read", "write"}

    @staticmethod
    def allowed(access) -> set[str] | None:
        """The same as the guards say, without the request around them."""
        try:
            claims = auth.read_access_token(access.token)
            with redis.round_trip() as client:
                session = auth.session_of(claims, client.get(auth.SESSION_KEY + claims.sid))
        except BadToken:
            return None
        allowed = set()
        for what in ("read", "write"):
            with suppress(Forbidden):
                member(Permission.MEMBERS_MANAGE).admit(session, writes=what == "write")
                allowed.add(what)
        return allowed


@pytest.fixture
def unlimited(monkeypatch):
    for name in ("LOGIN_EMAIL", "LOGIN_ADDRESS", "PASSWORD", "DEFAULT"):
        monkeypatch.setenv(f"PF_LIMIT_{name}", "100000/minute")
    limits._rate.cache_clear()
    yield
    limits._rate.cache_clear()


@pytest.mark.usefixtures("unlimited")
def test_exactly_the_right_tokens_work_whatever_happens():
    run_state_machine_as_test(
        SessionWalk,
        settings=settings(
            max_examples=40,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
