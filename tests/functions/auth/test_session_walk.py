"""A stateful walk: whatever happens to a person in whatever sequence, exactly the right tokens work.

The model below is written from the specification and knows nothing of how sessions are kept.
"""

from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from shared.kit import auth, clock, db, limits, redis
from shared.kit.tokens import BadToken
from tests.api import Answer, Client
from tests.builders.people import PASSWORD, a_person
from tests.builders.stores import a_buyer, a_member, a_vendor
from tests.functions.auth.entering import refresh, refresh_token

pytestmark = pytest.mark.usefixtures("committed_database")

NOON = datetime.fromisoformat("2026-03-02T12:00:00Z")
GRACE = timedelta(seconds=10)
ACCESS_LIFE = timedelta(minutes=15)
PASSWORDS = (PASSWORD, "a baker's dozen of cacti")
STORES = ("green mesa", "red river")
ROLES = ("manager", "ops", "viewer")
MANAGES_MEMBERS = {"manager"}


@dataclass
class Access:
    """An access token, and what it must be good for."""

    token: str
    expires_at: datetime
    is_dead: bool = False


@dataclass
class Visit:
    """One session, as the specification sees it."""

    store: str | None
    role: str | None
    refreshes: list[str]
    rotated_at: datetime = NOON
    is_over: bool = False
    accesses: list[Access] = field(default_factory=list)

    def outdate(self) -> None:
        """Every access token so far is good for nothing."""
        for access in self.accesses:
            access.is_dead = True

    def works(self, access: Access, now: datetime) -> bool:
        return not (self.is_over or access.is_dead) and now < access.expires_at


class SessionWalk(RuleBasedStateMachine):
    """Rosa in two stores, on any number of devices, with a thief and with owners who change their minds."""

    def __init__(self):
        super().__init__()
        from functions.auth.main import main as auth_main
        from functions.stores.main import main as stores_main

        self.api, self.stores_api = Client.of(auth_main, "/api/v1/auth"), Client.of(stores_main, "/api/v1/stores")
        self.undo = ExitStack()
        self.undo.enter_context(db.pinned_connection())
        with redis.round_trip() as client:
            client.flushdb()
        self.now = NOON
        self.undo.enter_context(clock.frozen_at(NOON))
        self.visits: list[Visit] = []

    def teardown(self):
        try:
            for visit in getattr(self, "visits", []):
                for access in visit.accesses:
                    self.ask_over_http(visit, access)
        finally:
            self.undo.close()

    @initialize()
    def begin(self):
        self.rosa = a_person()
        self.stores = dict(zip(STORES, (a_buyer(), a_vendor()), strict=True))
        self.owners = {name: a_member(store).id for name, store in self.stores.items()}
        self.roles: dict[str, str | None] = dict.fromkeys(STORES, "ops")
        for store in self.stores.values():
            a_member(store, "ops", self.rosa)
        self.password = PASSWORD
        self.log_in(STORES[0])

    # What Rosa does.

    @rule(store=st.sampled_from(STORES))
    def log_in(self, store):
        body = {"email": self.rosa.email, "password": self.password, "store_id": str(self.stores[store].id)}
        reply = self.api.post("/login", body, key=None)
        assert reply.status == (200 if self.roles[store] else 404)
        if reply.status == 200:
            self.enter(store, reply)

    @rule()
    def log_in_with_another_password(self):
        other = next(password for password in PASSWORDS if password != self.password)
        assert self.api.post("/login", {"email": self.rosa.email, "password": other}, key=None).status == 401

    @precondition(lambda self: self.visits)
    @rule(which=st.integers(0), age=st.sampled_from([0, 0, 0, 1, 1, 2, 5]))
    def refresh(self, which, age):
        """With the present token, or with one that was spent."""
        visit = self.visits[which % len(self.visits)]
        age = min(age, len(visit.refreshes) - 1)
        reply = refresh(self.api, visit.refreshes[-1 - age])

        if visit.is_over:
            assert reply.status == 401
        elif age == 0:
            self.carried_on(visit, reply)
            visit.refreshes.append(refresh_token(reply))
            visit.rotated_at = self.now
        elif age == 1 and self.now - visit.rotated_at <= GRACE:
            self.carried_on(visit, reply)
            assert refresh_token(reply) == visit.refreshes[-1]
        else:
            assert reply.status == 401
            visit.is_over = True

    @precondition(lambda self: self.usable())
    @rule(which=st.integers(0), store=st.sampled_from(STORES))
    def switch(self, which, store):
        visit, access = self.pick(which)
        reply = self.holding(access).post("/switch-store", {"store_id": str(self.stores[store].id)}, key=None)

        assert reply.status == (200 if self.roles[store] else 404)
        if reply.status == 200:
            visit.outdate()
            visit.store, visit.role, visit.rotated_at = store, self.roles[store], self.now
            visit.refreshes.append(refresh_token(reply))
            self.keep(visit, reply)

    @precondition(lambda self: self.usable())
    @rule(which=st.integers(0))
    def log_out(self, which):
        visit, access = self.pick(which)
        assert self.holding(access).post("/logout", key=None).status == 204
        visit.is_over = True

    @precondition(lambda self: self.usable())
    @rule(which=st.integers(0))
    def log_out_everywhere(self, which):
        _, access = self.pick(which)
        assert self.holding(access).post("/logout-all", key=None).status == 204
        self.end_all()

    @precondition(lambda self: self.usable())
    @rule(which=st.integers(0))
    def change_password(self, which):
        visit, access = self.pick(which)
        new = next(password for password in PASSWORDS if password != self.password)
        body = {"current_password": self.password, "new_password": new}
        reply = self.holding(access).post("/update-password", body)

        assert reply.status == 200, reply.raw
        self.password = new
        self.end_all()
        self.enter(visit.store if visit.store and self.roles[visit.store] else None, reply)

    # What others do.

    @rule(store=st.sampled_from(STORES))
    def remove(self, store):
        reply = self.owner_of(store).delete(f"/me/users/{self.rosa.id}")
        assert reply.status == (204 if self.roles[store] else 404)
        self.roles[store] = None
        self.outdate(store)

    @rule(store=st.sampled_from(STORES), role=st.sampled_from(ROLES))
    def invite(self, store, role):
        body = {"email": self.rosa.email, "first_name": "Rosa", "last_name": "Diaz", "role": role}
        reply = self.owner_of(store).post("/me/users/invite", body)
        assert reply.status == (409 if self.roles[store] else 201)
        self.roles[store] = self.roles[store] or role

    @rule(store=st.sampled_from(STORES), role=st.sampled_from(ROLES))
    def change_role(self, store, role):
        reply = self.owner_of(store).patch(f"/me/users/{self.rosa.id}", {"role": role})
        assert reply.status == (200 if self.roles[store] else 404)
        if self.roles[store] not in (None, role):
            self.roles[store] = role
            self.outdate(store)

    @rule(seconds=st.sampled_from([1, 10, 11, 300, 901]))
    def time_passes(self, seconds):
        self.now += timedelta(seconds=seconds)
        self.undo.enter_context(clock.frozen_at(self.now))

    # What must be true.

    @invariant()
    def exactly_the_right_tokens_work(self):
        for visit in self.visits:
            for access in visit.accesses:
                assert self.is_believed(access) == visit.works(access, self.now)

    @precondition(lambda self: self.visits)
    @rule(which=st.integers(0), token=st.integers(0))
    def ask(self, which, token):
        visit = self.visits[which % len(self.visits)]
        self.ask_over_http(visit, visit.accesses[token % len(visit.accesses)])

    def ask_over_http(self, visit, access):
        """Who she is, and the people of her store, whom not every role may see."""
        me = self.holding(access).get("/me")
        people = self.stores_api.with_token(access.token).get("/me/users").status
        if not visit.works(access, self.now):
            assert (me.status, people) == (401, 401)
            return
        active = me.data["active_store"]
        assert (active["id"] if active else None) == (str(self.stores[visit.store].id) if visit.store else None)
        assert people == (200 if visit.role in MANAGES_MEMBERS else 403)

    # How it is told.

    def enter(self, store, reply: Answer):
        visit = Visit(store, self.roles[store] if store else None, [refresh_token(reply)], rotated_at=self.now)
        self.visits.append(visit)
        self.keep(visit, reply)

    def carried_on(self, visit, reply: Answer):
        """A session takes up the rights that there are now; a store that was lost is not found again."""
        assert reply.status == 200, reply.raw
        visit.role = self.roles[visit.store] if visit.store else None
        visit.store = visit.store if visit.role else None
        self.keep(visit, reply)

    def keep(self, visit, reply: Answer):
        visit.accesses.append(Access(reply.headers["X-PF-Token"], self.now + ACCESS_LIFE))

    def end_all(self):
        for visit in self.visits:
            visit.is_over = True

    def outdate(self, store):
        for visit in self.visits:
            if visit.store == store:
                visit.outdate()

    def usable(self):
        return [(visit, one) for visit in self.visits for one in visit.accesses if visit.works(one, self.now)]

    def pick(self, which):
        usable = self.usable()
        return usable[which % len(usable)]

    def holding(self, access) -> Client:
        return self.api.with_token(access.token)

    def owner_of(self, store) -> Client:
        return self.stores_api.as_member(self.stores[store], user_id=self.owners[store])

    @staticmethod
    def is_believed(access) -> bool:
        """What the guards would say, without the request around it."""
        try:
            claims = auth.read_access_token(access.token)
            with redis.round_trip() as client:
                auth.session_of(claims, client.get(auth.SESSION_KEY + claims.sid))
        except BadToken:
            return False
        return True


@pytest.fixture
def _unlimited(monkeypatch):
    for name in ("LOGIN_EMAIL", "LOGIN_ADDRESS", "PASSWORD", "DEFAULT"):
        monkeypatch.setenv(f"PF_LIMIT_{name}", "100000/minute")
    limits._rate.cache_clear()
    yield
    limits._rate.cache_clear()


@pytest.mark.usefixtures("_unlimited")
def test_exactly_the_right_tokens_work_whatever_happens():
    run_state_machine_as_test(
        SessionWalk,
        settings=settings(
            max_examples=30, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
