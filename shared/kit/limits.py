"""Sliding-window rate limits in Redis: a rate, and whom it is counted for.

A limit's rate is a setting: the environment variable `PF_LIMIT_<NAME>` overrides what the code says.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from shared.kit import redis
from shared.kit.errors import RateLimitExceeded
from shared.kit.logging import metric

if TYPE_CHECKING:
    from limits import RateLimitItem
    from limits.strategies import SlidingWindowCounterRateLimiter


class Asker(Protocol):
    """Who asks, as far as is known when limits are counted."""

    @property
    def user(self) -> str | None: ...
    @property
    def store(self) -> str | None: ...
    @property
    def address(self) -> str: ...
    @property
    def named_user(self) -> str | None: ...
    def field(self, name: str) -> str: ...


@dataclass(frozen=True)
class Limit:
    """At most `rate` requests (such as `60/minute`) for each subject."""

    name: str
    rate: str
    subject: Callable[[Asker], str]


def per_user(asker: Asker) -> str:
    """The signed-in user; a stranger counts by client address."""
    return f"user:{asker.user}" if asker.user else f"address:{asker.address}"


def per_caller(asker: Asker) -> str:
    """Whom a valid token names, also where strangers may call; without one, the client's address."""
    return f"user:{asker.named_user}" if asker.named_user else per_address(asker)


def per_store(asker: Asker) -> str:
    """The active store; without one, the user."""
    return f"store:{asker.store}" if asker.store else per_user(asker)


def per_address(asker: Asker) -> str:
    """The client's network address."""
    return f"address:{asker.address}"


MOST_COMPARED = 254
"""Characters of a field that a limit is counted by, which is as long as an email may be: Redis keeps every one."""


def per_field(name: str) -> Callable[[Asker], str]:
    """A field of the body, compared without case, such as an email."""
    return lambda asker: f"{name}:{asker.field(name).strip().lower()[:MOST_COMPARED]}"


EVERYTHING_ELSE = Limit("default", "600/minute", per_user)


@lru_cache(maxsize=256)
def _rate(limit: Limit) -> "RateLimitItem":
    from limits import parse

    return parse(os.environ.get(f"PF_LIMIT_{limit.name.upper()}", limit.rate))


@lru_cache(maxsize=1)
def _limiter(_: int) -> "SlidingWindowCounterRateLimiter":
    from limits.storage import RedisStorage
    from limits.strategies import SlidingWindowCounterRateLimiter

    pool = redis.client().connection_pool
    return SlidingWindowCounterRateLimiter(
        RedisStorage(redis.RedisSettings.current().redis_url, connection_pool=pool, key_prefix="pf:limit")
    )


def count(limits: tuple[Limit, ...], asker: Asker) -> None:
    """Count this request against each limit, one round trip each.

    Raises RateLimitExceeded with the seconds to wait, DependencyDown when Redis does not answer.
    """
    for limit in limits:
        subject = limit.subject(asker)
        with redis.round_trip() as client:
            limiter = _limiter(id(client))
            allowed = limiter.hit(_rate(limit), limit.name, subject)
        if not allowed:
            with redis.round_trip():
                window = limiter.get_window_stats(_rate(limit), limit.name, subject)
            metric("rate_limited", limit=limit.name)
            raise RateLimitExceeded(retry_after_s=max(1, round(window.reset_time - time.time())))
