"""Calls that meet at the same moment: all wait for one row, which is then let go."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier
from typing import TypeVar

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from shared.kit.db import transaction
from shared.orders.models import Order
from tests.api import Client
from tests.patience import PATIENCE_S

Answer = TypeVar("Answer")


def beside(caller: Client) -> Client:
    """The same caller with a test client of its own, as threads must not share one."""
    return Client(caller.client.application.test_client(), caller.prefix, caller.token)


def at_once(order: Order | None, *calls: Callable[[], Answer]) -> list[Answer]:
    """The answers of calls made in parallel; with an order, all of them stand at its row lock before any goes on.

    At most three, as each call and the holder of the lock have a connection of the pool of four.
    """
    barrier = Barrier(len(calls))

    def run(call: Callable[[], Answer]) -> Answer:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool, ExitStack() as lock:
        if order is not None:
            session = lock.enter_context(transaction())
            session.execute(select(Order.id).where(Order.id == order.id).with_for_update())
        pending = [pool.submit(run, call) for call in calls]
        if order is not None:
            wait_for_lock(session, len(calls))
            lock.close()
        return [answer.result() for answer in pending]


def wait_for_lock(session: Session, count: int = 1) -> None:
    """Until so many sessions of this database wait for a lock."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        # Statistics are otherwise those of the transaction's first look.
        session.execute(text("SELECT pg_stat_clear_snapshot()"))
        if session.execute(waiting).scalar_one() >= count:
            return
        time.sleep(0.01)
    raise AssertionError(f"{count} calls should wait for the lock by now")
