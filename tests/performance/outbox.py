"""The outbox: how fast a backlog is published, and how long an event takes from commit to delivery."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from infra.local.paths import CHECKOUT
from infra.local.services import Servers
from shared.events import topics
from shared.events.catalogue import CATALOGUE
from shared.events.products import InventoryLow
from shared.kit.db import engine, read_only, transaction
from shared.kit.outbox import emit
from tests.performance.table import Figure, milliseconds, show
from tests.performance.world import fresh_database

BACKLOG = 10_000
PROJECT = "packfinderz-test"

_FILL = text(
    """
    INSERT INTO outbox_events (id, event_type, version, aggregate_type, aggregate_id, sequence, payload, actor,
                               request_id, occurred_at)
    SELECT gen_random_uuid(), 'inventory_low', 1, 'product', product, 1,
           jsonb_build_object('product_id', product, 'vendor_store_id', product, 'available_qty', 3,
                              'low_stock_threshold', 5),
           'system', 'benchmark-request', now()
    FROM (SELECT gen_random_uuid() AS product FROM generate_series(1, :rows)) AS made
    """
)


def run(running: Servers) -> None:
    """Print the table."""
    with _emulator(), fresh_database(running, "outbox"):
        from shared.integrations import pubsub

        sending = pubsub.topics()
        _create_topics()
        floor = _bare_publish(sending)
        alone = _drain(sending)
        with _old_transaction():
            held = _drain(sending)
        with _receiver() as (endpoint, arrivals):
            _subscribe(endpoint)
            latencies = _latencies(sending, arrivals)
        sending.close()
    show(
        f"Outbox: a backlog of {BACKLOG:,} events, one publisher; floor: the same messages by the bare client",
        [
            _throughput("events published", alone, floor, "≥ 3,000 per second"),
            _throughput("the same while an old transaction holds vacuum back", held, alone, "≥ 90 % of it"),
            Figure("commit to delivered", milliseconds(latencies), goal="p50 ≤ 300 ms"),
        ],
    )


def _throughput(what: str, seconds: float, floor: float, goal: str) -> Figure:
    return Figure(
        what,
        f"{BACKLOG / seconds:,.0f} per second",
        f"{BACKLOG / floor:,.0f} per second",
        f"{floor / seconds:.2f}",
        goal,
    )


@contextmanager
def _emulator() -> Iterator[None]:
    """The Pub/Sub emulator in a process of its own, as the service is; the environment points to it."""
    with tempfile.TemporaryDirectory() as folder:
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


def _bare_publish(sending: Any) -> float:
    """The floor: the official client sending as many messages of that size, with nothing before or after."""
    data = json.dumps({"event_id": str(uuid4()), "data": {"filler": "x" * 350}}).encode()
    started = time.perf_counter()
    for future in [sending.send(topics.NOTIFICATIONS, data, {"event_type": "inventory_low"}) for _ in range(BACKLOG)]:
        future.result()
    return time.perf_counter() - started


def _drain(sending: Any) -> float:
    from shared.kit.publishing import Publisher, PublishingSettings

    with transaction() as session:
        session.execute(_FILL, {"rows": BACKLOG})
    # What autovacuum does within a minute of such a load.
    with transaction() as session:
        session.execute(text("ANALYZE outbox_events"))
    publisher = Publisher(sending, CATALOGUE, PublishingSettings.current())
    started = time.perf_counter()
    while publisher.publish_batch():
        pass
    took = time.perf_counter() - started
    with read_only() as session:
        assert session.scalar(text("SELECT count(*) FROM outbox_events WHERE published_at IS NULL")) == 0
    return took


@contextmanager
def _old_transaction() -> Iterator[None]:
    """A transaction that has seen the database before the backlog, so that vacuum may remove nothing newer."""
    with engine().connect() as connection:
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        connection.execute(text("SELECT count(*) FROM outbox_events"))
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


def _latencies(sending: Any, arrivals: dict[UUID, float], *, events: int = 150) -> list[float]:
    """Seconds from commit to arrival, for single events coming at odd moments."""
    from shared.kit.publishing import Publisher, PublishingSettings

    settings = PublishingSettings(outbox_window_s=events * 0.037 + 3)
    worker = threading.Thread(target=Publisher(sending, CATALOGUE, settings).run)
    worker.start()
    committed: dict[UUID, float] = {}
    for _ in range(events):
        product = uuid4()
        with transaction() as session:
            emit(
                session,
                InventoryLow(product_id=product, vendor_store_id=product, available_qty=3, low_stock_threshold=5),
            )
        committed[product] = time.perf_counter()
        time.sleep(0.037)
    worker.join()
    return [arrivals[product] - moment for product, moment in committed.items()]
