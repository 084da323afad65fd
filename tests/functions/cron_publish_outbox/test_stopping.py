"""The function as a process of its own, told to end in the middle of a run."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from infra.local.paths import CHECKOUT
from infra.local.processes import free_port, wait_until
from tests.builders.outbox import a_nudge, emitted, waiting
from tests.functions.cron_publish_outbox.conftest import PubSub
from tests.patience import PATIENCE_S


@pytest.fixture
def function(pub_sub: PubSub, committed_database: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The function served by functions-framework, one request at a time as its manifest says; URL and process."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "functions_framework", "--target=main", f"--port={port}", "--host=127.0.0.1"],
        cwd=CHECKOUT,
        env=os.environ | {"FUNCTION_SOURCE": "functions/cron_publish_outbox/main.py", "THREADS": "1"},
        stdout=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    assert wait_until(lambda: _answers(url), timeout_s=PATIENCE_S)
    yield url, process
    process.kill()
    process.wait()


def test_told_to_end_it_finishes_its_batch_answers_and_is_gone(function):
    url, process = function
    emitted(*(a_nudge() for _ in range(3)))
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(httpx.post, url, timeout=PATIENCE_S)
        assert wait_until(lambda: waiting() == [], timeout_s=PATIENCE_S)
        process.terminate()
        answer = running.result(timeout=PATIENCE_S)  # of a window of 58 s
    process.wait(timeout=PATIENCE_S)

    assert (answer.status_code, answer.json()) == (200, {"data": {"published": 3, "retried": 0, "dead": 0}})
    assert process.returncode == 0


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/live").status_code == 200
    except httpx.TransportError:
        return False
