"""What the backbone runs on here: servers that can be struck, Pub/Sub, and functions as processes of their own."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from infra.local.children import Child, ReadyFile
from infra.local.console import step
from infra.local.mailbox import StandIn, running_mailbox
from infra.local.paths import CHECKOUT
from infra.local.postgres import PostgresCluster
from infra.local.processes import free_port, wait_until
from infra.local.redis_server import RedisServer
from infra.manifest import Manifest, load
from infra.migrate import migrate
from infra.provision.pubsub import Clients, Delivery, plan
from infra.provision.steps import carry_out
from shared.kit import config, db, redis
from tests import settings
from tests.chaos import ledger

PROJECT = settings.TEST_SETTINGS["PF_GCP_PROJECT"]
FUNCTIONS = ("on_event_notify", "on_order_ready", "on_dead_letter", "cron_order_ttl")
PUBLISHERS = 2
_MOST_UNDER_WAY = 100

# As many deliveries of a message as Pub/Sub allows: they take four minutes then, and everybody is back sooner from
# whatever strikes them, on any machine.
_MOST_DELIVERIES = 100
_PAUSES = {"minimum_backoff_s": 0.2, "maximum_backoff_s": 2.5}
# Pub/Sub's longest patience with one delivery.
_PATIENCE_S = 600
_SETTINGS = {
    "PF_EMAIL_SENDER": "sendgrid",
    "PF_OUTBOX_WINDOW_S": "3",
    # An outage of minutes squeezed into seconds: as many attempts as it takes, and never far apart.
    "PF_OUTBOX_BACKOFF_S": "0.3",
    "PF_OUTBOX_BACKOFF_MAX_S": "2",
    "PF_OUTBOX_MAX_ATTEMPTS": "100",
    # What fails here fails for what struck it, and not because the machine is slow.
    "PF_STATEMENT_TIMEOUT_MS": "60000",
    "PF_LOCK_TIMEOUT_MS": "60000",
    "PF_REDIS_TIMEOUT_S": "60",
    "PF_DATABASE_POOL_WAIT_S": "60",
    # The witness takes two connections for an event.
    "PF_DATABASE_POOL_SIZE": "20",
}


class Stage:
    """Everything that runs. The strikes reach for its parts."""

    refusals = 12
    """How many calls in a row Pub/Sub refuses when it does: the client overcomes some, the rows what is left."""

    def __init__(self, home: Path, mailbox: StandIn, postgres: PostgresCluster, redis_server: RedisServer) -> None:
        self.home, self.mailbox, self.postgres, self.redis = home, mailbox, postgres, redis_server
        self.pubsub_control = ""
        self.functions: Child
        self.witness: Child
        self.publishers: list[Child] = []
        self.publisher_urls: list[str] = []
        self.functions_url = self.witness_url = ""
        self.answered_runs = 0
        self.is_behind = False

    def stats(self) -> dict[str, dict[str, int]]:
        """What became of the deliveries of each subscription."""
        told = httpx.get(f"{self.pubsub_control}/stats", timeout=60).json()["subscriptions"]
        return {path.rpartition("/")[2]: counts for path, counts in told.items()}

    def trouble(self, **faults: Any) -> None:
        """Have Pub/Sub refuse, duplicate or reorder."""
        httpx.post(f"{self.pubsub_control}/faults", json=faults, timeout=60).raise_for_status()

    def have_the_witness_heard(self, deliveries: int) -> None:
        """Give up on a message to the witness after so many deliveries."""
        clients = Clients(PROJECT)
        carry_out(plan(clients, [_witness_manifest()], _to(self.witness_url, deliveries)), say=lambda _: None)
        clients.close()

    def worker_of(self, child: Child) -> int:
        """The process of gunicorn that answers for this function: its keeper replaces it when it is killed."""
        children = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
        return int(children[0])

    def restart_publisher(self, number: int) -> None:
        """Kill a publisher where it stands and start another in its place."""
        os.killpg(self.publishers[number].pid, signal.SIGKILL)
        self.publishers[number].stop()
        self.publishers[number] = self._start_publisher(number)

    def odd_publisher(self, *what: str) -> int:
        """Run a publisher on which something goes wrong; how many rows it had in hand."""
        command = [sys.executable, "tests/chaos/odd_publisher.py", *what]
        environment = os.environ | {"PYTHONPATH": str(CHECKOUT)}
        done = subprocess.run(
            command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False, timeout=300
        )
        told = [line for line in done.stdout.splitlines() if line.startswith("in hand ")]
        return int(told[-1].removeprefix("in hand ")) if told else 0

    def fire(self, job: str) -> int:
        """Start a scheduled function; the status that it answers."""
        return httpx.post(f"{self.functions_url}/{job}", timeout=300).status_code

    def _start_publisher(self, number: int) -> Child:
        port = int(self.publisher_urls[number].rpartition(":")[2])
        return self._serve(f"publisher-{number + 1}", CHECKOUT / "functions/cron_publish_outbox/main.py", port)

    def _serve(self, name: str, source: Path, port: int) -> Child:
        told = ("--target=main", f"--source={source}", f"--port={port}", "--host=127.0.0.1")
        log = self.home / "logs" / f"{name}.log"
        return Child(name, "functions_framework", *told, log=log, environment={"THREADS": "8"})

    def _keep_watching(self, over: threading.Event) -> None:
        """Whether more deliveries are under way than can be done soon."""
        while not over.wait(0.3):
            with suppress(httpx.HTTPError):
                self.is_behind = under_way(self.stats()) > _MOST_UNDER_WAY

    def _keep_publishing(self, number: int, over: threading.Event) -> None:
        """Cloud Scheduler: a run after the other, whatever becomes of them."""
        while not over.is_set():
            try:
                httpx.post(self.publisher_urls[number], timeout=60)
                self.answered_runs += 1
            except httpx.HTTPError:
                over.wait(0.2)


@contextmanager
def raised(home: Path) -> Iterator[Stage]:
    """The whole stage for the length of the block; the environment of this process points to it."""
    os.environ.update(settings.TEST_SETTINGS | _SETTINGS)
    with ExitStack() as running:
        postgres, redis_server = PostgresCluster(home / "postgres", say=lambda _: None), RedisServer(home / "redis")
        with step("PostgreSQL and Redis of our own, with every migration"):
            _start_servers(running, postgres, redis_server)
        mailbox = running.enter_context(running_mailbox(home / "mails", key=os.environ["PF_SENDGRID_API_KEY"]))
        os.environ["PF_SENDGRID_BASE_URL"] = mailbox.url
        stage = Stage(home, mailbox, postgres, redis_server)
        with step(f"Pub/Sub, {len(FUNCTIONS)} functions, a witness and {PUBLISHERS} publishers, each a process"):
            _start_processes(running, stage)
        yield stage


def _start_servers(running: ExitStack, postgres: PostgresCluster, redis_server: RedisServer) -> None:
    running.callback(postgres.forget)
    running.callback(redis_server.forget)
    running.callback(db.forget)
    running.callback(redis.forget)
    postgres.start()
    redis_server.start()
    postgres.create_database("chaos")
    os.environ["PF_DATABASE_URL"], os.environ["PF_REDIS_URL"] = postgres.url("chaos"), redis_server.url
    for group in config.Settings.known:
        group.forget()
    migrate(os.environ["PF_DATABASE_URL"])
    with postgres.server.cursor("chaos") as cursor:
        cursor.execute(ledger.TABLES)


def _start_processes(running: ExitStack, stage: Stage) -> None:
    ready = ReadyFile(stage.home / "pubsub.json")
    logs = stage.home / "logs"
    pub_sub = Child("Pub/Sub", "infra.local.pubsub", "--ready-file", str(ready.path), log=logs / "pubsub.log")
    running.callback(pub_sub.stop)
    pub_sub.wait_until(ready.is_there)
    stage.pubsub_control = f"http://127.0.0.1:{ready.fields()['control_port']}"
    os.environ["PUBSUB_EMULATOR_HOST"] = f"127.0.0.1:{ready.fields()['port']}"

    port, witness_port = free_port(), free_port()
    stage.functions_url = f"http://127.0.0.1:{port}/_functions"
    served = ("--port", str(port), "--workers", "1", "--bundles", str(stage.home / "bundles"), *FUNCTIONS)
    here = {"PYTHONPATH": str(CHECKOUT / "tests/chaos")}
    stage.functions = Child("functions", "short_claims", *served, log=logs / "functions.log", environment=here)
    running.callback(stage.functions.stop)
    stage.witness = stage._serve("witness", CHECKOUT / "tests/chaos/witness.py", witness_port)
    stage.witness_url = f"http://127.0.0.1:{witness_port}/"
    running.callback(stage.witness.stop)
    stage.publisher_urls = [f"http://127.0.0.1:{free_port()}" for _ in range(PUBLISHERS)]
    running.callback(lambda: [child.stop() for child in stage.publishers])
    stage.publishers = [stage._start_publisher(number) for number in range(PUBLISHERS)]
    _provision(stage)
    stage.functions.wait_until(partial(_answers, f"{stage.functions_url}/on_event_notify/health/live"))
    stage.witness.wait_until(partial(_answers, f"{stage.witness_url}health/live"))
    for url, child in zip(stage.publisher_urls, stage.publishers, strict=True):
        child.wait_until(partial(_answers, f"{url}/health/live"))
    over = threading.Event()
    running.callback(over.set)
    threading.Thread(target=stage._keep_watching, args=(over,), daemon=True).start()
    for number in range(PUBLISHERS):
        threading.Thread(target=stage._keep_publishing, args=(number, over), daemon=True).start()


def _provision(stage: Stage) -> None:
    clients = Clients(PROJECT)
    ours = [load(name) for name in FUNCTIONS]
    carry_out(plan(clients, ours, _to(f"{stage.functions_url}/{{name}}", _MOST_DELIVERIES)), say=lambda _: None)
    clients.close()
    stage.have_the_witness_heard(_MOST_DELIVERIES)


def _to(endpoint: str, deliveries: int) -> Delivery:
    return Delivery(endpoint=endpoint, attempts=deliveries, **_PAUSES)


def _witness_manifest() -> Manifest:
    like = load("on_order_ready").model_dump(by_alias=True)
    its_own = {
        "name": ledger.NAME,
        "trigger": {"kind": "topic", "topic": "analytics"},
        "run": {**like["run"], "timeout_s": _PATIENCE_S},
    }
    return Manifest.model_validate({**like, **its_own})


def under_way(stats: dict[str, dict[str, int]]) -> int:
    """How many deliveries are neither done nor given up."""
    return sum(counts["outstanding"] + counts["waiting"] for counts in stats.values())


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def until(condition: Any, *, timeout_s: float) -> bool:
    """Wait for a condition that may fail to be asked for a while, as when the database restarts."""

    def holds() -> bool:
        try:
            return bool(condition())
        except Exception:
            return False

    return wait_until(holds, timeout_s=timeout_s)
