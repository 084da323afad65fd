import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from infra.local.processes import ServerFailed, is_alive, wait_until
from infra.local.redis_server import RedisServer
from tests.patience import PATIENCE_S


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path / "redis", durable=False)
    yield server
    server.forget()


def test_a_started_server_answers_and_a_stopped_one_leaves_no_process(server: RedisServer) -> None:
    server.start()
    pid = server.pid
    assert pid is not None
    with Redis.from_url(server.url) as client:
        assert client.ping() is True

    server.stop()

    assert not is_alive(pid, "redis-server")
    assert server.pid is None
    with pytest.raises(ServerFailed, match="is not running"):
        _ = server.url


def test_it_stops_even_when_somebody_has_removed_its_files(server: RedisServer) -> None:
    server.start()
    pid = server.pid
    assert pid is not None
    shutil.rmtree(server.home)

    server.stop()

    assert not is_alive(pid, "redis-server")


def test_the_port_is_kept_when_it_is_free_and_changed_when_it_is_taken(server: RedisServer) -> None:
    server.start()
    port = server.port
    server.stop()
    server.start()
    assert server.port == port
    server.stop()

    with socket.create_server(("127.0.0.1", port)):
        server.start()

    assert server.port != port


@pytest.mark.parametrize(("durable", "kept"), [(True, b"7"), (False, None)])
def test_only_a_durable_server_remembers(tmp_path: Path, durable: bool, kept: bytes | None) -> None:
    server = RedisServer(tmp_path / "redis", durable=durable)
    server.start()
    with Redis.from_url(server.url) as client:
        client.set("jars", 7)
    server.stop()

    server.start()

    with Redis.from_url(server.url) as client:
        assert client.get("jars") == kept
    server.stop()


def test_it_ends_with_the_process_that_started_it_even_when_that_is_killed(server: RedisServer) -> None:
    start = (
        "from pathlib import Path; from infra.local.redis_server import RedisServer; "
        f"RedisServer(Path({str(server.home)!r}), durable=False).start(); print(flush=True); input()"
    )
    starter = subprocess.Popen([sys.executable, "-c", start], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with starter:
        assert starter.stdout is not None
        starter.stdout.readline()
        pid = server.pid
        assert pid is not None

        os.kill(starter.pid, signal.SIGKILL)

    assert wait_until(lambda: not is_alive(pid, "redis-server"), timeout_s=PATIENCE_S)
