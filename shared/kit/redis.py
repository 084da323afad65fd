"""The warm Redis client of this instance. Redis makes things fast and holds sessions; it never holds the truth."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pydantic import Field

from shared.kit.config import Settings
from shared.kit.context import work
from shared.kit.errors import DependencyDown

if TYPE_CHECKING:
    from redis import Redis


class RedisSettings(Settings):
    """`redis_url` such as redis://host:6379/0; time limits in seconds."""

    redis_url: str
    redis_timeout_s: float = Field(default=2.0, gt=0)
    redis_pool_size: int = Field(default=16, gt=0)


_client: "Redis | None" = None


def client() -> "Redis":
    """The shared client, connected at first use. Its answers are `str`."""
    global _client
    if _client is None:
        from redis import BlockingConnectionPool, Redis

        settings = RedisSettings.current()
        # A request that finds all connections busy waits its turn instead of failing.
        pool = BlockingConnectionPool.from_url(
            settings.redis_url,
            decode_responses=True,
            max_connections=settings.redis_pool_size,
            timeout=settings.redis_timeout_s,
            socket_timeout=settings.redis_timeout_s,
            socket_connect_timeout=settings.redis_timeout_s,
        )
        _client = Redis(connection_pool=pool)
    return _client


def forget() -> None:
    """Close the warm client. For tests, and after a fork."""
    global _client
    if _client is not None:
        _client.connection_pool.disconnect()
    _client = None


@contextmanager
def round_trip() -> Iterator["Redis"]:
    """One exchange with Redis, counted for the log. Raises DependencyDown when Redis does not answer."""
    from redis.exceptions import ConnectionError as Unreachable
    from redis.exceptions import TimeoutError as TooSlow

    work().redis_trips += 1
    try:
        yield client()
    except (Unreachable, TooSlow) as error:
        raise DependencyDown("The session store does not answer; try again shortly.") from error


def check_redis() -> None:
    """Raise when Redis does not answer."""
    with round_trip() as held:
        held.ping()
