"""The emulator as a process of its own."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.paths import CHECKOUT
from infra.local.processes import wait_until
from tests.infra.pubsub.clients import clients_of_this_environment
from tests.patience import PATIENCE_S


@pytest.mark.parametrize("order", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_is_serves_and_leaves_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: signal.Signals
) -> None:
    ready_file = tmp_path / "pubsub.json"
    process = subprocess.Popen(
        [sys.executable, "-m", "infra.local.pubsub", "--ready-file", str(ready_file)],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert wait_until(ready_file.exists, timeout_s=PATIENCE_S)
        ready = json.loads(ready_file.read_text())
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{ready['port']}")
        with clients_of_this_environment() as clients:
            topic = clients.create_topic("orders")
            found = clients.publisher.get_topic(topic=topic).name
    finally:
        process.send_signal(order)
        output, _ = process.communicate(timeout=PATIENCE_S)

    assert ready["pid"] == process.pid
    assert found == topic
    assert output == (f"Pub/Sub at 127.0.0.1:{ready['port']}, control at http://127.0.0.1:{ready['control_port']}\n")
    assert process.returncode == 0
    assert list(tmp_path.iterdir()) == [ready_file]
