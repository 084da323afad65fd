"""Sessions and refresh tokens, without HTTP."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from shared.identity import sessions
from shared.identity.callers import facts_of
from shared.identity.permissions import Role, StoreType
from shared.identity.refresh_tokens import RefreshToken, recall_successor, successor
from shared.identity.sessions import RefreshReused
from shared.kit import auth
from shared.kit.tokens import BadToken

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
ROSA = uuid4()
STORE = uuid4()


def facts(**more):
    return facts_of(user_id=ROSA, store_id=STORE, store_type=StoreType.BUYER, role=Role.OWNER, **more)


def test_a_token_reads_as_it_was_written():
    token = RefreshToken.fresh("0" * 32)

    assert RefreshToken.read(str(token)) == token
    assert RefreshToken.fresh("0" * 32) != token


def test_successors_differ_by_session_and_token_and_are_recalled():
    token, other = RefreshToken.fresh("0" * 32), RefreshToken.fresh("0" * 32)

    following = successor(token.sid, token.digest)

    assert following == successor(token.sid, token.digest)
    assert len({following.secret, token.secret, successor("1" * 32, token.digest).secret}) == 3
    assert following != successor(other.sid, other.digest)
    assert recall_successor(token.sid, token.digest, following.digest) == following
    assert RefreshToken.read(str(following)) == following


def test_a_successor_made_with_a_key_that_is_gone_is_not_recalled(monkeypatch):
    token = RefreshToken.fresh("0" * 32)
    following = successor(token.sid, token.digest)
    monkeypatch.setenv("PF_JWT_KEYS", f"test-9:{'n' * 40}")
    auth.TokenSettings.forget()
    try:
        with pytest.raises(BadToken):
            recall_successor(token.sid, token.digest, following.digest)
    finally:
        monkeypatch.undo()
        auth.TokenSettings.forget()


def test_an_access_token_belongs_to_the_session_it_was_minted_for():
    tokens = sessions.open_session(facts())

    claims = auth.read_access_token(tokens.access)

    assert (claims.user_id, claims.store_id, claims.generation) == (str(ROSA), str(STORE), 0)
    assert sessions.owner_of(tokens.refresh) == ROSA
    assert list(sessions.list_open(ROSA)) == [claims.sid]


def test_moving_on_raises_the_generation_and_spends_the_refresh_token(freeze):
    freeze(NOW)
    tokens = sessions.open_session(facts())
    other = uuid4()

    moved = sessions.move(tokens.refresh.sid, facts() | {"store_id": str(other)})

    claims = auth.read_access_token(moved.access)
    assert (claims.store_id, claims.generation) == (str(other), 1)
    assert sessions.hold(tokens.refresh).following == moved.refresh
    freeze(NOW + timedelta(seconds=11))
    with pytest.raises(RefreshReused) as reuse:
        sessions.hold(tokens.refresh)
    assert (reuse.value.user_id, reuse.value.sid) == (ROSA, tokens.refresh.sid)


def test_a_session_that_ended_meanwhile_is_not_brought_back():
    tokens = sessions.open_session(facts())
    held = sessions.hold(tokens.refresh)
    sessions.end(ROSA, tokens.refresh.sid)

    with pytest.raises(BadToken):
        sessions.carry_on(held, facts())

    assert auth.find_session(tokens.refresh.sid) is None
    with pytest.raises(BadToken):
        sessions.move(tokens.refresh.sid, facts())


def test_only_the_sessions_of_that_store_are_outdated():
    here = sessions.open_session(facts())
    elsewhere = sessions.open_session(facts_of(user_id=ROSA))

    sessions.outdate(STORE, ROSA)

    kept = sessions.list_open(ROSA)
    assert (kept[here.refresh.sid]["gen"], kept[elsewhere.refresh.sid]["gen"]) == (1, 0)
    assert sessions.hold(here.refresh).store_id == STORE


def test_outdating_nobody_is_no_error():
    sessions.outdate(STORE, uuid4())

    assert sessions.end_all(uuid4()) == 0


def test_a_session_without_a_refresh_token_cannot_be_carried_on():
    sid = uuid4().hex
    auth.store_session(sid, facts())

    with pytest.raises(BadToken):
        sessions.owner_of(RefreshToken.fresh(sid))
