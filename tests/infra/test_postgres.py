import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from infra.local.postgres import PostgresCluster
from infra.local.processes import ServerFailed, is_alive, wait_until
from tests.patience import PATIENCE_S


def _scalar(url: str, statement: str) -> object:
    engine = create_engine(url)
    with engine.begin() as connection:
        answer = connection.execute(text(statement))
        value = answer.scalar() if answer.returns_rows else None
    engine.dispose()
    return value


def test_a_started_cluster_answers_and_a_stopped_one_leaves_no_process(cluster: PostgresCluster) -> None:
    cluster.start()
    pid = cluster.pid
    assert pid is not None
    assert _scalar(cluster.url("postgres"), "SELECT current_user || ' ' || getdatabaseencoding()") == "packfinderz UTF8"
    assert _scalar(cluster.url("postgres"), "SHOW listen_addresses") == "127.0.0.1"

    cluster.stop()

    assert not is_alive(pid, "postgres")
    assert cluster.pid is None
    with pytest.raises(ServerFailed, match="is not running"):
        _ = cluster.port


def test_starting_twice_is_starting_once(cluster: PostgresCluster) -> None:
    cluster.start()
    before = cluster.pid, cluster.port

    PostgresCluster(cluster.home, durable=False).start()

    assert (cluster.pid, cluster.port) == before


def test_the_port_is_kept_when_it_is_free_and_changed_when_it_is_taken(cluster: PostgresCluster) -> None:
    cluster.start()
    port = cluster.port
    cluster.stop()
    cluster.start()
    assert cluster.port == port
    cluster.stop()

    with socket.create_server(("127.0.0.1", port)):
        cluster.start()

    assert cluster.port != port
    assert _scalar(cluster.url("postgres"), "SELECT 1") == 1


def test_a_killed_cluster_starts_again_with_its_data(cluster: PostgresCluster) -> None:
    cluster = PostgresCluster(cluster.home)
    cluster.start()
    cluster.create_database("kept")
    _scalar(cluster.url("kept"), "CREATE TABLE shelf AS SELECT 7 AS jars")
    killed = cluster.pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    assert wait_until(lambda: not is_alive(killed, "postgres"), timeout_s=PATIENCE_S)

    cluster.start()

    assert cluster.pid not in (None, killed)
    assert _scalar(cluster.url("kept"), "SELECT jars FROM shelf") == 7


def test_a_pid_file_whose_number_is_now_another_program_is_survived(cluster: PostgresCluster) -> None:
    cluster.start()
    cluster.stop()
    (cluster.data / "postmaster.pid").write_text(f"{os.getpid()}\n{cluster.data}\n1700000000\n5432\n\n127.0.0.1\n")

    cluster.start()

    assert _scalar(cluster.url("postgres"), "SELECT 1") == 1


def test_a_database_is_copied_from_a_template_and_dropped_with_who_is_in_it(cluster: PostgresCluster) -> None:
    cluster.start()
    cluster.create_database("mould")
    _scalar(cluster.url("mould"), "CREATE TABLE shelf AS SELECT 7 AS jars")

    cluster.create_database("cast", template="mould")
    assert _scalar(cluster.url("cast"), "SELECT jars FROM shelf") == 7
    with _somebody_in("cast", cluster):
        cluster.drop_database("cast")

    assert cluster.server.databases() == ["mould", "postgres", "template0", "template1"]


@contextmanager
def _somebody_in(database: str, cluster: PostgresCluster) -> Iterator[None]:
    connect = (
        f"import pg8000.native as p; p.Connection('packfinderz', host='127.0.0.1', port={cluster.port}, "
        f"database={database!r}); print(flush=True); input()"
    )
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", connect], stdin=pipe, stdout=pipe) as somebody:
        assert somebody.stdout is not None
        assert somebody.stdout.readline() == b"\n"
        yield
        somebody.kill()


@pytest.mark.parametrize(("durable", "fsync"), [(True, "on"), (False, "off")])
def test_only_a_durable_cluster_waits_for_the_disk(cluster: PostgresCluster, durable: bool, fsync: str) -> None:
    same = PostgresCluster(cluster.home, durable=durable)

    same.start()

    assert _scalar(same.url("postgres"), "SHOW fsync") == fsync


def test_forgetting_a_running_cluster_stops_it_and_removes_its_files(cluster: PostgresCluster) -> None:
    cluster.start()
    pid = cluster.pid
    assert pid is not None

    cluster.forget()

    assert not is_alive(pid, "postgres")
    assert not cluster.home.exists()


def test_root_keeps_the_cluster_where_its_account_can_go(tmp_path: Path) -> None:
    """As root, pytest's folders are closed to the account that runs PostgreSQL; as anybody else nothing moves."""
    said: list[str] = []

    cluster = PostgresCluster(tmp_path / "postgres", durable=False, say=said.append)

    if os.geteuid() == 0:
        assert cluster.home.parent.parent == Path("/var/tmp")  # noqa: S108 - the place that is promised
        assert cluster.home.parent.name.startswith("packfinderz-")
        assert said == [
            f"PostgreSQL does not run as root and its account cannot enter {tmp_path}: using {cluster.home}"
        ]
    else:
        assert cluster.home == tmp_path / "postgres"
        assert said == []
    cluster.forget()
    assert not cluster.home.parent.exists() or cluster.home.parent == tmp_path
