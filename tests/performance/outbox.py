"""The outbox: how fast a backlog is published as it grows, and how long an event takes from commit to delivery.

Publishers are processes, as their functions are. The floor of throughput is what cannot be left out: the official
client sending the same messages, and the bare driver locking and marking the same rows, one after the other. The
floor of latency is a message that is published at once.

What an old transaction costs is a matter of a few percent, less than a busy machine's clock wavers: so both conditions
take turns, each pair is compared by itself, and processor time is counted beside the clock, the publishers' and that
of their sessions in the database.
"""

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from infra.local.paths import CHECKOUT
from infra.local.services import Servers
from shared.events import topics
from shared.events.products import InventoryLow
from shared.kit.db import engine, read_only, transaction
from shared.kit.outbox import emit
from tests.performance.driver import BareDriver
from tests.performance.table import Figure, milliseconds, show
from tests.performance.world import fresh_database

PROJECT = "packfinderz-test"
BACKLOGS = (2_000, 20_000, 200_000)
PUBLISHERS = (1, 4)
MOST_AT_ONCE = 6_000
"""Of a larger backlog so many events are published in a measurement."""
REPEATS = 3
PAIRS = 7
PUBLISHED_SINCE = 100_000
"""Events that were published since the old transaction began, and that vacuum therefore has to leave. A run of a
publisher looks past all of them once, when it begins, which is not measured: 65 ms of its minute."""
BATCH = 200
LATE_EVENTS = 150

_FILL = text(
    """
    INSERT INTO outbox_events (id, event_type, version, aggregate_type, aggregate_id, sequence, payload, actor,
                               request_id, occurred_at, created_at)
    SELECT gen_random_uuid(), 'inventory_low', 1, 'product', product, 1,
           jsonb_build_object('product_id', product, 'vendor_store_id', product, 'available_qty', 3,
                              'low_stock_threshold', 5),
           'system', 'benchmark-request', now(), clock_timestamp() - CAST(:age AS interval)
    FROM (SELECT gen_random_uuid() AS product FROM generate_series(1, :rows)) AS made
    """
)
_WAITING = text("SELECT count(*) FROM outbox_events WHERE published_at IS NULL")
_PUBLISHED = text("UPDATE outbox_events SET published_at = clock_timestamp() WHERE published_at IS NULL")
_SESSIONS = text(
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
)


def run(running: Servers) -> None:
    """Print the tables."""
    with _emulator(), fresh_database(running, "outbox") as url:
        from shared.integrations import pubsub

        sending = pubsub.topics()
        _create_topics()
        for backlog in BACKLOGS:
            _show_throughput(sending, url, backlog)
        for count in PUBLISHERS:
            _show_old_transaction(count)
        with _receiver() as (endpoint, arrivals):
            _subscribe(endpoint)
            _show_latency(sending, arrivals)
        pubsub.forget()


def _show_throughput(sending: Any, url: str, backlog: int) -> None:
    floor = _median([_floor(sending, url, backlog) for _ in range(REPEATS)])
    figures = []
    for count in PUBLISHERS:
        rate = _median([_drained(backlog, count) for _ in range(REPEATS)])
        figures.append(_compared(f"published by {_publishers_of(count)}", rate, floor, "≥ 3,000 per second"))
    show(f"Outbox with a backlog of {backlog:,} events, medians of {REPEATS}", figures)


def _show_old_transaction(publishers: int) -> None:
    pairs = [_pair(publishers, held_first=bool(number % 2)) for number in range(PAIRS)]
    alone, held = _median([alone for alone, _ in pairs]), _median([held for _, held in pairs])
    show(
        f"Outbox, {_publishers_of(publishers)}: an old transaction, {PUBLISHED_SINCE:,} events published since, and "
        f"none, in {PAIRS} turns",
        [
            Figure(
                "published by the clock",
                f"{held.per_s:,.0f} per second",
                f"{alone.per_s:,.0f} per second",
                _spread([held.per_s / alone.per_s for alone, held in pairs]),
                "≥ 0.90",
            ),
            Figure(
                "published for a second of processor",
                f"{1e6 / held.cpu_ms:,.0f}",
                f"{1e6 / alone.cpu_ms:,.0f}",
                _spread([alone.cpu_ms / held.cpu_ms for alone, held in pairs]),
                "≥ 0.90",
            ),
        ],
    )


def _pair(publishers: int, *, held_first: bool) -> tuple["Rate", "Rate"]:
    """The same without and with an old transaction, one right after the other."""
    if held_first:
        held = _held(publishers)
        return _alone(publishers), held
    return _alone(publishers), _held(publishers)


def _alone(publishers: int) -> "Rate":
    _publish_many()
    with engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("VACUUM (ANALYZE) outbox_events"))
        connection.execute(text("RESET statement_timeout"))
    return _drained(MOST_AT_ONCE, publishers)


def _held(publishers: int) -> "Rate":
    with _old_transaction():
        _publish_many()
        return _drained(MOST_AT_ONCE, publishers)


def _publish_many() -> None:
    """Leave an outbox of many events that are published, and nothing else."""
    with transaction() as session:
        session.execute(text("SET LOCAL statement_timeout = 0"))
        session.execute(text("TRUNCATE outbox_events"))
        session.execute(_FILL, {"rows": PUBLISHED_SINCE, "age": "10 minutes"})
    with transaction() as session:
        session.execute(text("SET LOCAL statement_timeout = 0"))
        session.execute(_PUBLISHED)


def _spread(ratios: list[float]) -> str:
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def _show_latency(sending: Any, arrivals: dict[UUID, float]) -> None:
    floor = milliseconds(_bare_latencies(sending, arrivals))
    figures = []
    for count in PUBLISHERS:
        for beside, what in ((nullcontext(), ""), (_old_transaction(), ", an old transaction open")):
            with beside:
                told = milliseconds(_latencies(arrivals, count))
            figures.append(Figure(f"{_publishers_of(count)}{what}", told, floor, goal="p50 ≤ 300 ms"))
    show(
        f"Outbox: from commit to delivery, {LATE_EVENTS} events one by one after {PUBLISHED_SINCE:,} were published",
        figures,
    )


def _compared(what: str, rate: "Rate", floor: "Rate", goal: str) -> Figure:
    return Figure(what, str(rate), f"{floor.per_s:,.0f} per second", f"{rate.per_s / floor.per_s:.2f}", goal)


def _publishers_of(count: int) -> str:
    return f"{count} publisher{'s' if count > 1 else ''}"


@dataclass(frozen=True)
class Rate:
    """Events per second, and milliseconds of processor, here and in the database, for each thousand of them."""

    per_s: float
    cpu_ms: float

    def __str__(self) -> str:
        return f"{self.per_s:,.0f} per second, {self.cpu_ms:.0f} ms CPU per 1,000"


def _median(rates: list[Rate]) -> Rate:
    return Rate(statistics.median(rate.per_s for rate in rates), statistics.median(rate.cpu_ms for rate in rates))


def _filled_up(backlog: int) -> int:
    """Make the backlog as large as it shall be; how many of it are to be published now."""
    with transaction() as session:
        session.execute(text("SET LOCAL statement_timeout = 0"))
        session.execute(_FILL, {"rows": backlog - session.scalar(_WAITING), "age": "0 s"})
    # What autovacuum does within a minute of such a load.
    with transaction() as session:
        session.execute(text("ANALYZE outbox_events"))
    return min(backlog, MOST_AT_ONCE)


def _drained(backlog: int, publishers: int) -> Rate:
    """How fast so many publishers bring events out at once."""
    events = _filled_up(backlog)
    sessions = _Sessions()
    with _publishers(publishers, "drain", events // publishers) as processes:
        before_s, started = sessions.spent_s(), time.perf_counter()
        done, cpu_s = _worked(processes)
        took = time.perf_counter() - started
        cpu_s += sessions.spent_s() - before_s
    assert done >= events - publishers * BATCH, f"{done} of {events} were published"
    return Rate(done / took, cpu_s / done * 1e6)


class _Sessions:
    """The sessions of the database that begin after this is made."""

    def __init__(self) -> None:
        self._others = set(self._pids())

    def spent_s(self) -> float:
        """Seconds of processor that they have spent so far (see `processor`)."""
        nanoseconds = [
            int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])
            for pid in self._pids()
            if pid not in self._others
        ]
        return sum(nanoseconds) / 1e9

    def _pids(self) -> list[int]:
        with read_only() as session:
            return list(session.scalars(_SESSIONS))


def _floor(sending: Any, url: str, backlog: int) -> Rate:
    """How fast it goes when there is nothing but messages to send and rows to mark."""
    events = _filled_up(backlog)
    data = json.dumps({"event_id": str(uuid4()), "data": {"filler": "x" * 350}}).encode()
    sessions, driver = _Sessions(), BareDriver(url)
    before_s, started, began_s = sessions.spent_s(), time.perf_counter(), time.process_time()
    for _ in range(0, events, BATCH):
        for sent in [sending.send(topics.NOTIFICATIONS, data, {"event_type": "inventory_low"}) for _ in range(BATCH)]:
            sent.result()
        driver.run([(_MARK, None)])
    took, cpu_s = time.perf_counter() - started, time.process_time() - began_s
    cpu_s += sessions.spent_s() - before_s
    driver.close()
    return Rate(events / took, cpu_s / events * 1e6)


_MARK = f"""
    UPDATE outbox_events SET published_at = now() WHERE id IN (
        SELECT id FROM outbox_events WHERE published_at IS NULL AND dead_at IS NULL
        ORDER BY created_at, id LIMIT {BATCH} FOR UPDATE SKIP LOCKED)
"""  # noqa: S608 - the number is ours


@contextmanager
def _publishers(count: int, what: str, amount: float) -> Iterator[list["subprocess.Popen[str]"]]:
    """Processes that are ready to publish and wait for a word."""
    command = [sys.executable, "tests/performance/outbox_publisher.py", what, str(amount)]
    environment = os.environ | {"PYTHONPATH": str(CHECKOUT)}
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, cwd=CHECKOUT, env=environment, **pipes) for _ in range(count)]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def _worked(processes: list["subprocess.Popen[str]"]) -> tuple[int, float]:
    """Say go, and wait; how many events they published together, and the seconds of processor that took."""
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    told = [process.stdout.readline().split() for process in processes if process.stdout is not None]
    return sum(int(done) for done, _ in told), sum(float(cpu_s) for _, cpu_s in told)


def _latencies(arrivals: dict[UUID, float], publishers: int) -> list[float]:
    """Seconds from commit to arrival, for single events coming at odd moments."""
    _publish_many()
    committed: dict[UUID, float] = {}
    with _publishers(publishers, "run", LATE_EVENTS * 0.037 + 4) as processes:
        working = threading.Thread(target=_worked, args=(processes,))
        working.start()
        for _ in range(LATE_EVENTS):
            product = uuid4()
            told = InventoryLow(product_id=product, vendor_store_id=product, available_qty=3, low_stock_threshold=5)
            with transaction() as session:
                emit(session, told)
            committed[product] = time.perf_counter()
            time.sleep(0.037)
        working.join()
    return [arrivals[product] - moment for product, moment in committed.items()]


def _bare_latencies(sending: Any, arrivals: dict[UUID, float]) -> list[float]:
    """The floor: seconds from handing a message to the client to its arrival."""
    sent: dict[UUID, float] = {}
    for _ in range(LATE_EVENTS):
        product = uuid4()
        sent[product] = time.perf_counter()
        sending.send(topics.NOTIFICATIONS, b"{}", {"aggregate_id": str(product)})
        time.sleep(0.037)
    time.sleep(1)
    return [arrivals[product] - moment for product, moment in sent.items()]


@contextmanager
def _emulator() -> Iterator[None]:
    """The Pub/Sub emulator in a process of its own, as the service is; the environment points to it."""
    with TemporaryDirectory() as folder:
        ready = Path(folder, "ready.json")
        command = [sys.executable, "-m", "infra.local.pubsub", "--port", "0", "--control-port", "0"]
        process = subprocess.Popen([*command, "--ready-file", str(ready)], cwd=CHECKOUT, stdout=subprocess.DEVNULL)
        try:
            while not ready.exists():
                time.sleep(0.05)
            os.environ["PUBSUB_EMULATOR_HOST"] = f"127.0.0.1:{json.loads(ready.read_text())['port']}"
            yield
        finally:
            process.terminate()
            process.wait(20)


def _create_topics() -> None:
    from google.cloud.pubsub_v1 import PublisherClient

    client = PublisherClient()
    for topic in topics.ALL:
        client.create_topic(name=f"projects/{PROJECT}/topics/{topic}")


@contextmanager
def _old_transaction() -> Iterator[None]:
    """A transaction that has seen the database before the backlog, so that vacuum may remove nothing newer."""
    with engine().connect() as connection:
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        connection.execute(text("SELECT count(*) FROM outbox_sequences"))
        yield


@contextmanager
def _receiver() -> Iterator[tuple[str, dict[UUID, float]]]:
    """An HTTP endpoint that notes when each event arrives."""
    arrivals: dict[UUID, float] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            arrivals[UUID(told["message"]["attributes"]["aggregate_id"])] = time.perf_counter()
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", arrivals
    finally:
        server.shutdown()
        server.server_close()


def _subscribe(endpoint: str) -> None:
    from google.cloud.pubsub_v1 import SubscriberClient

    SubscriberClient().create_subscription(
        name=f"projects/{PROJECT}/subscriptions/benchmark",
        topic=f"projects/{PROJECT}/topics/{topics.NOTIFICATIONS}",
        push_config={"push_endpoint": endpoint},
    )
