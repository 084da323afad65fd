"""`make run`, `make demo`, `make fire` and `make reset` as a person uses them, on a stack of the test's own."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.local.paths import CHECKOUT
from infra.local.processes import birth_of, free_port, wait_until
from tests.patience import PATIENCE_S


@dataclass
class OwnStack:
    """A home and a port of its own, and the commands run there."""

    home: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen([*_python("run")], env=self._environment, cwd=CHECKOUT, text=True, **_PIPES)
        wait_until(lambda: self._is_ready or self.process.poll() is not None, timeout_s=PATIENCE_S)
        assert self._is_ready, self.process.stdout.read()

    def stop(self) -> tuple[int, str]:
        """Ctrl-C; exit code and everything that was said."""
        self.process.send_signal(signal.SIGINT)
        said, _ = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, said

    def command(self, name: str, *arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            _python(name, *arguments),
            env=self._environment,
            cwd=CHECKOUT,
            text=True,
            check=False,
            timeout=PATIENCE_S,
            **_PIPES,
        )
        return done.returncode, done.stdout

    @property
    def file(self) -> Path:
        return self.home / "stack.json"

    @property
    def told(self) -> dict[str, Any]:
        return json.loads(self.file.read_text())

    @property
    def _is_ready(self) -> bool:
        return self.file.exists() and self.told["pid"] == self.process.pid

    @property
    def _environment(self) -> dict[str, str]:
        # What other tests of this process started is theirs; the stack would take it for what a person named.
        theirs = ("PF_", "PUBSUB_", "STORAGE_", "GOOGLE_")
        ours = {name: value for name, value in os.environ.items() if not name.startswith(theirs)}
        return ours | {"PF_LOCAL_HOME": str(self.home), "PF_PORT": str(self.port)}


_PIPES: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}


def _python(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", f"infra.local.{name}", *arguments]


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[OwnStack]:
    stack = OwnStack(tmp_path / "local")
    yield stack
    if stack.process is not None and stack.process.poll() is None:
        stack.stop()
    stack.command("reset")


def test_the_stack_through_its_life(stack):
    _before_there_is_a_stack(stack)
    _a_demo_starts_one_and_leaves_none(stack)
    stack.start()
    _while_it_is_up(stack)
    _stopped_it_leaves_no_process(stack)
    _killed_outright_it_takes_its_processes_along_and_starts_again(stack)


def _before_there_is_a_stack(stack: OwnStack) -> None:
    assert stack.command("fire", "cron_order_ttl") == (1, "The local stack is not up; start it with `make run`.\n")
    assert not stack.file.exists()


def _a_demo_starts_one_and_leaves_none(stack: OwnStack) -> None:
    status, said = stack.command("demo")

    assert status == 0, said
    assert said.startswith("The local stack is not up; starting it for the demo.\n")
    assert not stack.file.exists()
    assert not _answers(f"http://127.0.0.1:{stack.port}/health/live")


def _while_it_is_up(stack: OwnStack) -> None:
    told = stack.told
    ready = _ready(told["url"])
    second = stack.command("run")
    status, said = stack.command("demo")
    fired, unknown = stack.command("fire", "cron_order_ttl"), stack.command("fire", "cron_nothing")

    assert (ready.status_code, set(ready.json()["data"]["functions"].values())) == (200, {"ok"})
    assert second == (
        1,
        f"The local stack is already up at {told['url']} (process {told['pid']}); stop it with Ctrl-C there.\n",
    )
    assert (status, said.splitlines()[-1].endswith("and the books agree.")) == (0, True), said
    assert (fired[0], fired[1].startswith("cron_order_ttl answered 200 after ")) == (0, True)
    assert (unknown[0], unknown[1].startswith("There is no job 'cron_nothing'; there are cron_")) == (2, True)


def _stopped_it_leaves_no_process(stack: OwnStack) -> None:
    told = stack.told
    births = {pid: birth_of(pid) for pid in (told["pid"], *told["processes"].values())}

    status, said = stack.stop()

    assert (status, said.splitlines()[-1]) == (
        0,
        "  ✓ Stopped; `make run` starts where this ended, `make reset` forgets.",
    )
    assert "Sign in with the password" in said
    assert [pid for pid, birth in births.items() if birth is None or birth_of(pid) == birth] == []
    assert not stack.file.exists()


def _killed_outright_it_takes_its_processes_along_and_starts_again(stack: OwnStack) -> None:
    stack.start()
    births = {pid: birth_of(pid) for pid in stack.told["processes"].values()}

    stack.process.kill()
    stack.process.communicate()

    assert wait_until(lambda: all(birth_of(pid) != birth for pid, birth in births.items()), timeout_s=PATIENCE_S)
    stack.start()
    assert _ready(stack.told["url"]).status_code == 200


def test_a_port_that_does_not_exist_is_one_sentence(stack):
    stack.port = 65_536

    assert stack.command("run") == (1, "PF_PORT is '65536', which is not a port.\n")


def test_a_taken_port_is_one_sentence(stack):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", stack.port))
        taken.listen()
        answer = stack.command("run")

    assert answer == (
        1,
        f"Port {stack.port} is taken; choose another: PF_PORT={stack.port + 1} make run\n",
    )


def _ready(url: str) -> httpx.Response:
    """What the functions say; on a busy machine one may take longer for its answer than a probe waits."""
    answers: list[httpx.Response] = []

    def ask() -> bool:
        answers.append(httpx.get(f"{url}/health/ready", timeout=PATIENCE_S))
        return answers[-1].status_code == 200

    wait_until(ask, timeout_s=PATIENCE_S)
    return answers[-1]


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False
