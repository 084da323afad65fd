"""`python -m tests.chaos [--seed N] [--short]`: strike the backbone under load, and judge what came of it.

Exits with 1 when a verdict does not hold. The seed decides the order of the strikes and what is written when;
threads and processes still meet as they like.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from logging import getLogger
from pathlib import Path

from sqlalchemy import text

from infra.local import console
from infra.local.paths import CHECKOUT
from shared.kit import logging
from shared.kit.db import read_only, transaction
from shared.kit.outbox import emit
from tests.chaos import strikes, verdicts
from tests.chaos.ledger import NAME
from tests.chaos.load import Load, World, a_checkout, a_world
from tests.chaos.stage import Stage, raised, under_way, until
from tests.chaos.strikes import Strike
from tests.chaos.verdicts import Troubles, Verdict

RESTS_WITHIN_S = 300.0
DELIVERIES = 10
"""Of the message that fails nine times, and of the one that fails for ever: what subscriptions allow."""
_FOR_EVER = 1_000_000


@dataclass(frozen=True)
class Size:
    """How much load there is, and how long it goes on between two strikes."""

    per_s: float
    orders: int
    pause_s: float
    refusals: int


FULL = Size(per_s=60, orders=40, pause_s=2.0, refusals=40)
SHORT = Size(per_s=15, orders=8, pause_s=0.1, refusals=8)


def main(arguments: list[str] | None = None) -> int:
    told = _parser().parse_args(arguments)
    size, seed = SHORT if told.short else FULL, told.seed
    logging.mute()
    # The pool says at length that it could not say goodbye to a server that is gone.
    getLogger("sqlalchemy.pool").setLevel("CRITICAL")
    began = time.monotonic()
    console.heading(f"Chaos with seed {seed}: up to {size.per_s:g} events a second while everything breaks")
    with tempfile.TemporaryDirectory(prefix="packfinderz-chaos-", dir="/var/tmp") as home:
        Path(home).chmod(0o755)
        with raised(Path(home)) as stage:
            judged = _play(stage, size, seed)
    return _show(judged, seed, time.monotonic() - began)


def _play(stage: Stage, size: Size, seed: int) -> list[Verdict]:
    chance = random.Random(seed)
    world = a_world(orders=size.orders)
    load = Load(world, per_s=size.per_s, seed=seed, holds_back=lambda: stage.is_behind)
    stage.refusals = size.refusals
    load.start()
    console.heading(f"Every message {strikes.DUPLICATES} times and out of order")
    stage.trouble(duplicate=strikes.DUPLICATES, reorder=True)
    with console.step("The first events have their effects"):
        strikes.recover(world)
    struck = [_strike(stage, world, strike, size) for strike in _shuffled(strikes.AMID_DUPLICATES, chance)]
    with load.resting():
        struck.append(_duplicated(stage))
        stage.trouble(duplicate=1)
        stage.have_the_witness_heard(DELIVERIES)
        console.heading("One event fails nine times, one for ever")
        troubles = _troubled(world)
    struck += [_strike(stage, world, strike, size) for strike in _shuffled(strikes.BESIDE_FAILURES, chance)]
    with console.step("The one that fails for ever is given up"):
        until(lambda: _is_dead(troubles), timeout_s=RESTS_WITHIN_S)
    with console.step("The load ends"):
        load.finish()
    came_to_rest = _rest(stage)
    with console.step("The fault is mended and the dead letter replayed"):
        _mend_and_replay(troubles)
    came_to_rest = _rest(stage) and came_to_rest
    rested = Verdict("everything came to rest", f"{stage.answered_runs} runs", "" if came_to_rest else "not so")
    return [*struck, rested, *verdicts.passed(stage, world, load, troubles)]


def _shuffled(which: tuple[Strike, ...], chance: random.Random) -> list[Strike]:
    return chance.sample(which, len(which))


def _strike(stage: Stage, world: World, strike: Strike, size: Size) -> Verdict:
    sentence = (strike.__doc__ or "").strip()
    with console.step(sentence):
        times = strike(stage, world)
        is_back = strikes.recover(world)
    time.sleep(size.pause_s)
    against = "" if times else "it did not strike"
    return Verdict(sentence, f"struck ({times})", against if is_back else "never back")


def _duplicated(stage: Stage) -> Verdict:
    """At rest, as a message that had an effect may still be on its way for the second and third time."""
    with read_only() as session:
        effects = session.scalar(text("SELECT count(*) FROM chaos_effects")) or 0
    came_to_rest = _rest(stage)
    seen = stage.stats()[NAME]["delivered"]
    against = "" if came_to_rest and seen >= strikes.DUPLICATES * effects else "too few"
    return Verdict(f"messages came {strikes.DUPLICATES} times", f"{seen:,} deliveries of {effects:,} done", against)


def _troubled(world: World) -> Troubles:
    nine_times, poisoned = a_checkout(world.buyer), a_checkout(world.buyer)
    with transaction() as session:
        trouble = text("INSERT INTO chaos_trouble VALUES (:nine, 9, 0), (:poisoned, :ever, 0)")
        named = {"nine": nine_times.aggregate_id, "poisoned": poisoned.aggregate_id, "ever": _FOR_EVER}
        session.execute(trouble, named)
        emit(session, nine_times, poisoned)
    # A publisher that is struck with them in hand would publish them twice, and each message fail less often.
    until(_is_published, timeout_s=RESTS_WITHIN_S)
    return Troubles(nine_times.aggregate_id, poisoned.aggregate_id)


def _is_dead(troubles: Troubles) -> bool:
    """Whether the poisoned one was given up; the load goes on until then."""
    with read_only() as session:
        letters = text(
            "SELECT count(*) FROM outbox_dlq JOIN outbox_events ON outbox_events.id = event_id WHERE aggregate_id = :id"
        )
        return bool(session.scalar(letters, {"id": troubles.poisoned}))


def _rest(stage: Stage) -> bool:
    """Whether all is published, delivered and done within the time."""

    def is_at_rest() -> bool:
        # What is done may be told of by new events: nothing was delivered while we looked at the outbox.
        before = stage.stats()
        return not under_way(before) and _is_published() and stage.stats() == before

    with console.step("Everything comes to rest"):
        return until(is_at_rest, timeout_s=RESTS_WITHIN_S)


def _is_published() -> bool:
    with read_only() as session:
        waiting = text("SELECT count(*) FROM outbox_events WHERE published_at IS NULL AND dead_at IS NULL")
        return not session.scalar(waiting)


def _mend_and_replay(troubles: Troubles) -> None:
    with transaction() as session:
        mended = text("UPDATE chaos_trouble SET failures_left = 0 WHERE aggregate_id = :id")
        session.execute(mended, {"id": troubles.poisoned})
        letters = [str(letter_id) for letter_id in session.scalars(text("SELECT id FROM outbox_dlq"))]
    for letter_id in letters:
        command = [sys.executable, "-m", "infra.operations.dead_letters", "replay", letter_id]
        subprocess.run(command, cwd=CHECKOUT, check=True, stdout=subprocess.DEVNULL)


def _show(judged: list[Verdict], seed: int, took_s: float) -> int:
    console.heading("Verdict")
    width = max(len(verdict.sentence) for verdict in judged)
    for verdict in judged:
        line = f"{verdict.sentence.ljust(width)}  {verdict.found}"
        if verdict.against:
            console.failed(f"{line}: {verdict.against}")
        else:
            console.done(line)
    broken = sum(bool(verdict.against) for verdict in judged)
    console.heading(f"{broken} of {len(judged)} verdicts do not hold; seed {seed}, {took_s:.0f} s.")
    return 1 if broken else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--short", action="store_true", help="less load and shorter pauses, as in the test suite")
    return parser


if __name__ == "__main__":
    sys.exit(main())
