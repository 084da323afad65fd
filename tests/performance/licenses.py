"""The life of 100,000 licenses: how long the daily job takes, and what each batch costs, as they grow."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

from sqlalchemy import func, select, text

from infra.local.services import Servers
from shared.kit import clock
from shared.kit.config import CommonSettings
from shared.kit.db import read_only, transaction
from shared.kit.outbox import OutboxEvent
from shared.licensing.lifecycle import BATCH
from tests.builders.licenses import Lot, many_licenses
from tests.builders.stores import a_vendor
from tests.cost import Cost, counting
from tests.jobs import fire_job
from tests.performance.table import Figure, show, timed
from tests.performance.world import fresh_database

SIZES = (1_000, 10_000, 100_000)
STORES = 400
# Each license does one of these, in these shares: how many days from today it ends, and its status.
SHARES = ((0.5, 7, "verified"), (0.3, -5, "verified"), (0.2, -35, "expired"))


def run(running: Servers) -> None:
    """Print the table."""
    figures = []
    for size in SIZES:
        with fresh_database(running, f"licenses_{size}"):
            from functions.cron_license_lifecycle.main import main

            _fill(size)
            with counting() as cost:
                seconds = timed(lambda: _two_at_once(main))
            rest = fire_job(main)
            figures.append(_figure(size, seconds, cost, rest))
    show(f"Licenses: warned, expired, purged by two runs at once; batches of {BATCH}", figures)


def _fill(size: int) -> None:
    today = clock.today(CommonSettings.current().time_zone)
    lots = [Lot(int(size * share), today + timedelta(days=days), status) for share, days, status in SHARES]
    many_licenses([a_vendor().id for _ in range(STORES)], *lots)
    with transaction() as session:
        session.execute(text("ANALYZE"))


def _two_at_once(main: Any) -> None:
    together = Barrier(2)

    def run_one() -> None:
        together.wait()
        fire_job(main)

    with ThreadPoolExecutor(2) as pool:
        for one in [pool.submit(run_one) for _ in range(2)]:
            one.result()


def _figure(size: int, seconds: float, cost: Cost, rest: dict[str, int]) -> Figure:
    with read_only() as session:
        told = session.execute(select(func.count(), func.count(OutboxEvent.aggregate_id.distinct()))).one()
    once = "each once" if tuple(told) == (size, size) else f"{told[0]:,} events of {told[1]:,} licenses"
    batches = size / BATCH
    return Figure(
        f"{size:,} licenses",
        f"{seconds:,.1f} s, {size / seconds:,.0f} per second, {cost.sql / batches:.1f} statements a batch",
        "",
        "",
        f"{once}; left to the next run: {sum(rest.values())}",
    )
