"""Access tokens and the sessions behind them: no session in Redis, no access.

A session is a small record of facts under `pf:session:<sid>`. What the facts mean is for the caller;
the kit reads only `user_id` and `store_id`, for logs and for scoping idempotency.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from pydantic import field_validator

from shared.kit.config import Settings
from shared.kit.redis import round_trip
from shared.kit.tokens import BadToken, Signer, parse_keys

SESSION_KEY = "pf:session:"
ACCESS_TTL_S = 15 * 60
SESSION_TTL_S = 30 * 24 * 3600


class TokenSettings(Settings):
    """`jwt_keys` is `kid:secret,kid:secret`; the first signs, all are accepted."""

    jwt_keys: str
    jwt_issuer: str = "packfinderz"
    jwt_audience: str = "packfinderz-api"

    @field_validator("jwt_keys")
    @classmethod
    def _usable(cls, value: str) -> str:
        parse_keys(value)
        return value


@lru_cache(maxsize=4)
def _signer(settings: TokenSettings) -> Signer:
    return Signer(parse_keys(settings.jwt_keys), settings.jwt_issuer, settings.jwt_audience)


def signer() -> Signer:
    """The signer of access tokens."""
    return _signer(TokenSettings.current())


@dataclass(frozen=True)
class Session:
    """A signed-in user: the session id and the facts recorded when it was opened or last changed."""

    sid: str
    facts: dict[str, Any]

    @property
    def user_id(self) -> UUID:
        return UUID(self.facts["user_id"])

    @property
    def store_id(self) -> UUID | None:
        held = self.facts.get("store_id")
        return UUID(held) if held else None


@dataclass(frozen=True)
class Claims:
    """What a verified access token says. `generation` ties it to the session state it was minted for."""

    sid: str
    user_id: str
    store_id: str | None
    generation: int


def read_access_token(token: str) -> Claims:
    """The claims of a well-signed token that has not expired. Raises BadToken."""
    claims = signer().verify(token)
    try:
        return Claims(
            sid=str(claims["sid"]),
            user_id=str(UUID(claims["sub"])),
            store_id=claims.get("active_store_id"),
            generation=int(claims.get("gen", 0)),
        )
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise BadToken from error


def session_of(claims: Claims, stored: str | None) -> Session:
    """The session that a token belongs to. Raises BadToken when it is gone or has moved on.

    A session moves on when its store is switched or its rights change: older tokens die with it.
    """
    if stored is None:
        raise BadToken
    facts = json.loads(stored)
    if facts.get("user_id") != claims.user_id or int(facts.get("gen", 0)) != claims.generation:
        raise BadToken
    return Session(claims.sid, facts)


def store_session(sid: str, facts: dict[str, Any], *, ttl_s: int = SESSION_TTL_S) -> None:
    """Keep or replace the facts of a session for `ttl_s` seconds. Raises DependencyDown."""
    with round_trip() as redis:
        redis.set(SESSION_KEY + sid, json.dumps(facts), ex=ttl_s)


def find_session(sid: str) -> dict[str, Any] | None:
    """The facts of a session, or none. Raises DependencyDown."""
    with round_trip() as redis:
        stored = redis.get(SESSION_KEY + sid)
    return json.loads(str(stored)) if stored is not None else None


def end_session(*sids: str) -> None:
    """End sessions; their tokens are refused from the next request on. Raises DependencyDown."""
    if sids:
        with round_trip() as redis:
            redis.delete(*(SESSION_KEY + sid for sid in sids))
