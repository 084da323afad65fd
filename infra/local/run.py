"""Starts everything and serves a seeded marketplace until Ctrl-C: `python -m infra.local.run [FUNCTION …]`."""

import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from types import FrameType
from typing import NoReturn
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from infra.local import activity, console, emulators, stack
from infra.local.children import Child
from infra.local.clock import Clock, JobUnreachable, Schedule
from infra.local.environment import Endpoints, functions_environment, keep_secrets
from infra.local.fire import schedules
from infra.local.greeting import greet
from infra.local.packages import InstallationFailed, PackagesMissing
from infra.local.paths import LOCAL
from infra.local.processes import ServerFailed, birth_of, is_port_free
from infra.local.services import Servers
from infra.local.services import running as running_servers
from infra.manifest import Manifest, ManifestError, load, load_all
from infra.migrate import MigrationFailed, migrate

DEFAULT_PORT = 8080
_LAST_PORT = 65_535
_EVERY_MINUTE = "* * * * *"
# What other functions than the chosen ones would need is made as well: the database remembers across starts.
_SECRETS = {"PF_SQUARE_ACCESS_TOKEN", "PF_SQUARE_SIGNATURE_KEY", "PF_SENDGRID_API_KEY", "PF_MAPS_API_KEY"}


class CannotStart(RuntimeError):
    """One sentence for the person at the terminal."""


@dataclass(frozen=True)
class Up:
    """Everything that runs, and the children to look after."""

    stack: stack.Stack
    children: tuple[Child, ...]
    jobs: list[Schedule]
    marketplace: list[str]
    """What there is to know of what was seeded, line by line: how much there is, and who signs in."""


def main(names: list[str]) -> int:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    began = time.monotonic()
    try:
        with stack.sole(), ExitStack() as running:
            manifests, port = _manifests(names), _port()
            console.heading("Starting the local stack")
            up = _start(running, manifests, port)
            greet(up.stack, up.jobs, up.marketplace, took_s=time.monotonic() - began)
            _serve(running, up)
    except KeyboardInterrupt:
        console.done("Stopped; `make run` starts where this ended, `make reset` forgets.")
    except (CannotStart, ManifestError, MigrationFailed, ServerFailed, stack.AlreadyUp) as error:
        print(error, file=sys.stderr)
        return 1
    except (PackagesMissing, InstallationFailed) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _stop(_: int, __: FrameType | None) -> NoReturn:
    """Unwind from wherever we are; once is enough, and a second Ctrl-C must not leave anything behind."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _manifests(names: list[str]) -> list[Manifest]:
    return [load(name) for name in names] if names else load_all()


def _port() -> int:
    told = os.environ.get("PF_PORT", "") or str(DEFAULT_PORT)
    if not told.isdecimal() or not 0 < int(told) <= _LAST_PORT:
        raise CannotStart(f"PF_PORT is {told!r}, which is not a port.")
    if not is_port_free(int(told)):
        raise CannotStart(f"Port {told} is taken; choose another: PF_PORT={int(told) + 1} make run")
    return int(told)


def _start(running: ExitStack, manifests: list[Manifest], port: int) -> Up:
    """Bring up one thing after the other, and beside each other what may be."""
    # By number, because `localhost` may mean IPv6 to whoever calls.
    url = f"http://127.0.0.1:{port}"
    kept = keep_secrets(LOCAL / "secrets.json", _SECRETS.union(*(manifest.needs.secrets for manifest in load_all())))
    beside = emulators.start(running, manifests, url, kept)
    servers = running.enter_context(running_servers(LOCAL, say=console.done))
    with console.step("Database migrated"):
        migrate(servers.database_url)
    endpoints = beside.wait()
    environment = functions_environment(servers, endpoints, kept)
    gateway = _start_gateway(running, manifests, port, environment)
    _provision(url, manifests, environment)
    marketplace = _seed(environment)
    with console.step(f"{len(manifests)} functions served"):
        gateway.wait_until(partial(_answers, f"{url}/health/live"))
    children = (*beside.children, gateway)
    here = _described(url, servers, endpoints, children)
    return Up(here, children, schedules(here, manifests), marketplace)


def _start_gateway(running: ExitStack, manifests: list[Manifest], port: int, environment: Mapping[str, str]) -> Child:
    names = [manifest.name for manifest in manifests]
    log = stack.LOGS / "gateway.log"
    told = ("--port", str(port), *names)
    gateway = Child("The gateway", "infra.local.gateway", *told, log=log, environment=environment, heard=_tell)
    running.callback(gateway.stop)
    return gateway


def _provision(url: str, manifests: list[Manifest], environment: Mapping[str, str]) -> None:
    # Someone who waits at a terminal is not to wait for the pauses of the cloud.
    pauses = ("--minimum-backoff", "0.2", "--maximum-backoff", "5")
    told = ("--endpoint", f"{url}/_functions/{{name}}", *pauses, *(manifest.name for manifest in manifests))
    with console.step("Topics and subscriptions provisioned"):
        log = stack.LOGS / "provision.log"
        Child("Provisioning", "infra.provision", *told, log=log, environment=environment).finish()


def _seed(environment: Mapping[str, str]) -> list[str]:
    """Write the marketplace, once; its steps are told as they are done, the rest is for later."""
    rest: list[str] = []

    def hear(said: str) -> None:
        line = activity.line_of(said)
        if line is not None and line.lstrip().startswith(("✓", "✗")):
            print(line, flush=True)
        elif line is not None:
            rest.append(line)

    Child("Seeding", "infra.local.seed", log=stack.LOGS / "seed.log", environment=environment, heard=hear).finish()
    return rest


def _described(url: str, servers: Servers, endpoints: Endpoints, children: tuple[Child, ...]) -> stack.Stack:
    return stack.Stack(
        pid=os.getpid(),
        birth=birth_of(os.getpid()) or "",
        url=url,
        database_url=servers.database_url,
        redis_url=servers.redis_url,
        pubsub_host=endpoints.pubsub_host,
        pubsub_control_url=endpoints.pubsub_control_url,
        storage_url=endpoints.storage_url,
        square_url=endpoints.square_url,
        maps_url=endpoints.maps_url,
        mailbox_url=endpoints.mailbox_url,
        processes={child.name: child.pid for child in children},
    )


def _serve(running: ExitStack, up: Up) -> None:
    """Run the clock and look after the children until someone says stop. Raises ServerFailed when one ends."""
    over = threading.Event()
    running.callback(over.set)
    clock = Clock(up.jobs)
    threading.Thread(target=clock.run_forever, args=(over,), name="clock", daemon=True).start()
    for job in up.jobs:
        if job.cron == _EVERY_MINUTE:  # what should always be running need not wait for the next minute
            threading.Thread(target=_fire, args=(clock, job.name), daemon=True).start()
    stack.announce(up.stack)
    while True:
        time.sleep(0.5)
        for child in up.children:
            if child.has_ended:
                raise ServerFailed(f"{child.name} ended by itself; {child.log} says why.")


def _tell(said: str) -> None:
    line = activity.line_of(said)
    if line is not None:
        print(line, flush=True)


def _fire(clock: Clock, name: str) -> None:
    try:
        clock.fire(name)
    except JobUnreachable as error:
        console.failed(str(error))


def _answers(url: str) -> bool:
    """Whether something answers there, well or not: a function that does not start is said by the gateway."""
    try:
        with urlopen(url, timeout=5):
            return True
    except HTTPError as answer:
        answer.close()
        return True
    except (URLError, OSError):
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
