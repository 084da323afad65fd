"""Answers about places, kept in Redis for a day, and the sessions that the provider bills.

Only answers that found something are kept. Their keys are digests, because what people look for is personal.
"""

import hashlib
import json
import unicodedata
from typing import Any

from shared.kit import redis

KEPT_S = 24 * 3600
SESSION_S = 5 * 60
"""Google ends a session by itself "within a few minutes", if nobody resolves a suggestion in it."""

_PREFIX = "pf:places:1:"
_OPEN = "1"


def normalized(text: str) -> str:
    """The same for texts that differ only in case, spaces, or how characters are composed."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def key_of(kind: str, *parts: str) -> str:
    """Where the answer of this kind to a question of these parts is kept."""
    return f"{_PREFIX}{kind}:{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()}"


def find(key: str) -> Any:
    """What is kept; None when nothing is. Raises DependencyDown."""
    with redis.round_trip() as client:
        return _read(client.get(key))


def keep(key: str, answer: Any) -> None:
    """Keep an answer for a day. Raises DependencyDown."""
    with redis.round_trip() as client:
        client.set(key, json.dumps(answer), ex=KEPT_S)


def keep_in_session(key: str, answer: Any, session_token: str) -> None:
    """Keep what the provider suggested, if anything, and that this session is open there. Raises DependencyDown."""
    with redis.round_trip() as client, client.pipeline(transaction=False) as steps:
        if answer:
            steps.set(key, json.dumps(answer), ex=KEPT_S)
        steps.set(_session(session_token), _OPEN, ex=SESSION_S)
        steps.execute()


def find_with_session(key: str, session_token: str) -> tuple[Any, bool]:
    """What is kept, and whether this session is open at the provider. Raises DependencyDown."""
    with redis.round_trip() as client:
        kept, is_open = client.mget(key, _session(session_token))
    return _read(kept), is_open is not None


def keep_and_end_session(key: str, answer: Any, session_token: str) -> None:
    """Keep the address with which the provider ended this session. Raises DependencyDown."""
    with redis.round_trip() as client, client.pipeline(transaction=False) as steps:
        steps.set(key, json.dumps(answer), ex=KEPT_S)
        steps.delete(_session(session_token))
        steps.execute()


def _session(token: str) -> str:
    return key_of("session", token)


def _read(kept: Any) -> Any:
    return None if kept is None else json.loads(kept)
