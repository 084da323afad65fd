"""What happens to the backbone. Each strike says in its docstring what it is, and returns how often it struck."""

import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from redis import Redis
from sqlalchemy import text

from infra.local.processes import wait_until
from shared.kit.db import read_only
from tests.chaos.load import World, a_checkout, write_once
from tests.chaos.stage import Stage, until

Strike = Callable[[Stage, World], int]

DUPLICATES = 3
JUMP_S = 3_600
# When nobody comes back any more: no machine is that slow.
BACK_WITHIN_S = 180.0
_MANY = 10_000


def die_between_publishing_and_marking(stage: Stage, world: World) -> int:
    """A publisher is killed between publishing and marking"""
    return stage.odd_publisher("dies")


def kill_a_publisher(stage: Stage, world: World) -> int:
    """A publisher is killed at any moment"""
    stage.restart_publisher(0)
    return 1


def kill_the_consumer(stage: Stage, world: World) -> int:
    """The witness is killed with whatever it has in hand"""
    before = stage.worker_of(stage.witness)
    os.kill(before, signal.SIGKILL)
    return int(until(lambda: stage.worker_of(stage.witness) != before, timeout_s=BACK_WITHIN_S))


def flush_redis(stage: Stage, world: World) -> int:
    """Redis is flushed"""
    with Redis.from_url(stage.redis.url) as client:
        until(client.dbsize, timeout_s=BACK_WITHIN_S)
        held = client.dbsize()
        client.flushall()
    return int(held)


def restart_redis(stage: Stage, world: World) -> int:
    """Redis is restarted"""
    stage.redis.stop()
    time.sleep(0.5)
    stage.redis.start()
    return 1


def restart_postgres(stage: Stage, world: World) -> int:
    """PostgreSQL is restarted"""
    stage.postgres.stop()
    stage.postgres.start()
    return 1


def crash_postgres(stage: Stage, world: World) -> int:
    """PostgreSQL is broken off and recovers from its log"""
    pid = stage.postgres.pid
    assert pid is not None
    os.kill(pid, signal.SIGQUIT)
    assert wait_until(lambda: stage.postgres.pid is None, timeout_s=BACK_WITHIN_S)
    stage.postgres.start()
    return 1


def refuse_to_take_messages(stage: Stage, world: World) -> int:
    """Pub/Sub refuses"""
    stage.trouble(refuse_publish=stage.refusals)
    return stage.refusals


def jump_with_the_clock(stage: Stage, world: World) -> int:
    """The clocks of two publishers jump by an hour, ahead and back, while Pub/Sub refuses"""
    stage.trouble(refuse_publish=_MANY)
    with ThreadPoolExecutor(2) as pool:
        in_hand = sum(pool.map(stage.odd_publisher, ("jumps", "jumps"), (str(JUMP_S), str(-JUMP_S))))
    stage.trouble(refuse_publish=0)
    return in_hand


def run_a_job_twice_at_once(stage: Stage, world: World) -> int:
    """A job runs twice at once"""
    together = threading.Barrier(2)

    def fire() -> int:
        together.wait()
        return stage.fire("cron_order_ttl")

    with ThreadPoolExecutor(2) as pool:
        answers = [run.result() for run in [pool.submit(fire) for _ in range(2)]]
    return answers.count(200)


AMID_DUPLICATES: tuple[Strike, ...] = (
    die_between_publishing_and_marking,
    kill_a_publisher,
    kill_the_consumer,
    flush_redis,
    restart_redis,
    restart_postgres,
    crash_postgres,
    refuse_to_take_messages,
    jump_with_the_clock,
    run_a_job_twice_at_once,
)
# While one event fails nine times, which leaves it a single delivery, nothing else may take one from it.
BESIDE_FAILURES: tuple[Strike, ...] = (
    flush_redis,
    die_between_publishing_and_marking,
    kill_a_publisher,
    refuse_to_take_messages,
)


def recover(world: World, *, within_s: float = BACK_WITHIN_S) -> bool:
    """Whether an event written now has its effect soon: everybody is back."""
    probe = a_checkout(world.buyer)

    def is_written() -> bool:
        write_once(probe)
        return True

    def is_done() -> bool:
        with read_only() as session:
            effect = text("SELECT count(*) FROM chaos_effects WHERE aggregate_id = :id")
            return bool(session.scalar(effect, {"id": probe.aggregate_id}))

    return until(is_written, timeout_s=within_s) and until(is_done, timeout_s=within_s)
