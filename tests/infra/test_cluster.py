import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.postgres import PostgresCluster
from tests.cluster import SharedCluster

_ANOTHER = """
from pathlib import Path
from tests.cluster import SharedCluster
shared = SharedCluster(Path({home!r}))
shared.join()
print("joined", flush=True)
if input() == "leave":
    shared.leave()
"""


@pytest.fixture
def another(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another test run that has joined the same cluster; it ends when told so by a line."""
    code = _ANOTHER.format(home=str(tmp_path / "postgres"))
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        while process.stdout.readline() != "joined\n":
            assert process.poll() is None
        yield process
        process.kill()


def test_the_last_to_leave_stops_the_cluster(
    tmp_path: Path, cluster: PostgresCluster, another: subprocess.Popen[str]
) -> None:
    shared = SharedCluster(tmp_path / "postgres")
    shared.join()
    pid = cluster.pid

    shared.leave()
    assert cluster.pid == pid
    another.communicate("leave\n")

    assert pid is not None
    assert cluster.pid is None


def test_one_that_died_does_not_count(tmp_path: Path, cluster: PostgresCluster, another: subprocess.Popen[str]) -> None:
    shared = SharedCluster(tmp_path / "postgres")
    shared.join()
    another.kill()
    another.wait()

    shared.leave()

    assert cluster.pid is None


def test_what_the_dead_left_is_dropped_by_the_next(
    tmp_path: Path, cluster: PostgresCluster, another: subprocess.Popen[str]
) -> None:
    cluster.create_database(f"test_{another.pid}_0")
    cluster.create_database("template_kept")
    another.kill()
    another.wait()
    shared = SharedCluster(tmp_path / "postgres")

    server = shared.join()

    assert server.databases() == ["postgres", "template0", "template1", "template_kept"]
    shared.leave()


def test_a_neighbours_database_is_left_alone(
    tmp_path: Path, cluster: PostgresCluster, another: subprocess.Popen[str]
) -> None:
    cluster.create_database(f"test_{another.pid}_0")
    shared = SharedCluster(tmp_path / "postgres")

    server = shared.join()

    assert f"test_{another.pid}_0" in server.databases()
    shared.leave()
    another.communicate("leave\n")
