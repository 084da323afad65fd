"""Sessions in Redis: opened at sign-in, carried on by refresh tokens, moved to another store, ended.

Beside the facts that guards read, a session keeps the digests of its present and its previous refresh
token. An index by user, scored by expiry, finds the sessions of a person.

Whoever opens or changes a session holds `queries.lock_user`. Ending needs no lock: a change is written
only over a session that is still there.
"""

import hmac
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from shared.identity.refresh_tokens import RefreshToken, recall_successor, successor
from shared.kit import auth, clock
from shared.kit.redis import round_trip
from shared.kit.tokens import BadToken

if TYPE_CHECKING:
    from redis.client import Pipeline

INDEX_KEY = "pf:user-sessions:"
LIFETIME = timedelta(seconds=auth.SESSION_TTL_S)
"""How old a refresh token may be; Redis forgets the session as well by then."""
GRACE = timedelta(seconds=10)
"""For how long a spent refresh token still answers, with the successor that it was given before."""

Facts = dict[str, Any]


class RefreshReused(BadToken):
    """A spent refresh token came back: two parties know the tokens of session `sid`."""

    reason = "refresh_reused"

    def __init__(self, user_id: UUID, sid: str) -> None:
        super().__init__()
        self.user_id = user_id
        self.sid = sid


@dataclass(frozen=True)
class Tokens:
    """What a caller carries away; they leave in headers and never in a body."""

    access: str
    refresh: RefreshToken

    @property
    def headers(self) -> dict[str, str]:
        return {"X-PF-Token": self.access, "X-PF-Refresh-Token": str(self.refresh), "Cache-Control": "no-store"}


def open_session(facts: Facts) -> Tokens:
    """A new session with these facts (of `callers.facts_of`)."""
    sid = uuid4().hex
    token = RefreshToken.fresh(sid)
    kept = facts | {"gen": 0, "refresh": _issued(token, instead_of=None)}
    _write(sid, kept)
    return Tokens(_access_token(sid, kept), token)


def owner_of(token: RefreshToken) -> UUID:
    """Whose session a refresh token belongs to. Raises BadToken when the session is over."""
    return UUID(_get(token.sid)["user_id"])


@dataclass(frozen=True)
class Held:
    """An open session, to be carried on under the token `following`."""

    session: auth.Session
    refresh: Facts
    following: RefreshToken

    @property
    def store_id(self) -> UUID | None:
        return self.session.store_id


def hold(token: RefreshToken) -> Held:
    """The session that a refresh token may carry on: the present token, or the previous within its grace.

    Raises BadToken when the session is over or the token too old, RefreshReused when it was spent before.
    """
    kept = _get(token.sid)
    session, held = auth.Session(token.sid, kept), kept["refresh"]
    if _age(held) >= LIFETIME:
        raise BadToken
    if hmac.compare_digest(token.digest, held["digest"]):
        following = successor(token.sid, token.digest)
        return Held(session, _issued(following, instead_of=token.digest), following)
    if token.digest == held["previous"] and _age(held) <= GRACE:
        return Held(session, held, recall_successor(token.sid, token.digest, held["digest"]))
    raise RefreshReused(session.user_id, token.sid)


def carry_on(held: Held, facts: Facts) -> Tokens:
    """Go on with the facts as they now are. Raises BadToken when the session was ended meanwhile."""
    renewed = facts | {"gen": held.session.facts["gen"], "refresh": held.refresh}
    return _replace(held.session.sid, renewed, held.following)


def move(sid: str, facts: Facts) -> Tokens:
    """Go on with other facts under a new pair of tokens; older access tokens die. Raises BadToken when it is over."""
    kept = _get(sid)
    following = successor(sid, kept["refresh"]["digest"])
    moved = facts | {"gen": kept["gen"] + 1, "refresh": _issued(following, instead_of=kept["refresh"]["digest"])}
    return _replace(sid, moved, following)


def end(user_id: UUID, *sids: str) -> None:
    """End some sessions of a person."""
    if sids:
        with round_trip() as redis, redis.pipeline() as steps:
            steps.delete(*(auth.SESSION_KEY + sid for sid in sids))
            steps.zrem(INDEX_KEY + str(user_id), *sids)
            steps.execute()


def end_all(user_id: UUID) -> int:
    """End every session of a person; how many there were."""
    open_ones = list_open(user_id)
    end(user_id, *open_ones)
    return len(open_ones)


def list_open(*user_ids: UUID) -> dict[str, Facts]:
    """The open sessions of some people, by session id: two round trips, however many."""
    with round_trip() as redis, redis.pipeline(transaction=False) as steps:
        for user_id in user_ids:
            steps.zrange(INDEX_KEY + str(user_id), 0, -1)
        sids = [sid for found in steps.execute() for sid in found]
    if not sids:
        return {}
    with round_trip() as redis:
        kept = redis.mget([auth.SESSION_KEY + sid for sid in sids])
    return {sid: json.loads(str(text)) for sid, text in zip(sids, kept, strict=True) if text is not None}


def outdate(store_id: UUID, *user_ids: UUID) -> None:
    """Let the access tokens die with which people act for a store; a refresh tells anew what they may do."""
    _amend(store_id, user_ids, lambda facts: facts | {"gen": facts["gen"] + 1})


def make_read_only(store_id: UUID, *user_ids: UUID) -> None:
    """Let people who act for a store only read."""
    _amend(store_id, user_ids, lambda facts: facts | {"read_only": True})


def note_verified_email(user_id: UUID) -> None:
    """Let a person trade whose email was just verified."""
    _amend(None, [user_id], lambda facts: facts | {"lacks_verified_email": False})


def _amend(store_id: UUID | None, user_ids: Iterable[UUID], change: Callable[[Facts], Facts]) -> None:
    """Change the open sessions of some people, or those that act for a store, in three round trips however many."""
    wanted = str(store_id)
    amended = {
        sid: change(facts)
        for sid, facts in list_open(*user_ids).items()
        if store_id is None or facts["store_id"] == wanted
    }
    with round_trip() as redis, redis.pipeline() as steps:
        for sid, facts in amended.items():
            steps.set(auth.SESSION_KEY + sid, json.dumps(facts), xx=True, keepttl=True)
        steps.execute()


def _get(sid: str) -> Facts:
    kept = auth.find_session(sid)
    if kept is None or "refresh" not in kept:
        raise BadToken
    return kept


def _issued(token: RefreshToken, *, instead_of: str | None) -> Facts:
    """What is kept of the present refresh token, and of the one that it replaces."""
    return {"digest": token.digest, "previous": instead_of, "issued_at": clock.now().isoformat()}


def _age(held: Facts) -> timedelta:
    return clock.now() - datetime.fromisoformat(held["issued_at"])


def _replace(sid: str, facts: Facts, token: RefreshToken) -> Tokens:
    if not _write(sid, facts, only_if_open=True):
        raise BadToken
    return Tokens(_access_token(sid, facts), token)


def _write(sid: str, facts: Facts, *, only_if_open: bool = False) -> bool:
    with round_trip() as redis, redis.pipeline() as steps:
        steps.set(auth.SESSION_KEY + sid, json.dumps(facts), ex=auth.SESSION_TTL_S, xx=only_if_open)
        _index(steps, facts["user_id"], sid)
        return bool(steps.execute()[0])


def _index(steps: "Pipeline", user_id: str, sid: str) -> None:
    key, moment = INDEX_KEY + user_id, clock.now().timestamp()
    steps.zremrangebyscore(key, 0, moment)
    steps.zadd(key, {sid: moment + auth.SESSION_TTL_S})
    steps.expire(key, auth.SESSION_TTL_S)


def _access_token(sid: str, facts: Facts) -> str:
    """The claims say no more than the session; guards believe the session."""
    told = {
        "sub": facts["user_id"],
        "sid": sid,
        "jti": uuid4().hex,
        "gen": facts["gen"],
        "active_store_id": facts["store_id"],
        "store_type": facts["store_type"],
        "role": facts["role"],
        "system_role": facts["system_role"],
    }
    return auth.signer().sign(
        {name: value for name, value in told.items() if value is not None}, ttl_s=auth.ACCESS_TTL_S
    )
