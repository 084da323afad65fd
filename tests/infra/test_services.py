from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import create_engine, text

from infra.local import services
from infra.local.postgres import PostgresCluster
from infra.local.redis_server import RedisServer


def test_private_servers_run_for_the_length_of_the_block(
    tmp_path: Path, cluster: PostgresCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PF_DATABASE_URL")
    monkeypatch.delenv("PF_REDIS_URL")
    said: list[str] = []

    with services.running(tmp_path, durable=False, say=said.append) as servers:
        engine = create_engine(servers.database_url)
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT current_database()")) == "packfinderz"
        engine.dispose()
        with Redis.from_url(servers.redis_url) as client:
            assert client.ping() is True
        assert [line.split(" (")[0] for line in said[-2:]] == [
            f"PostgreSQL listens on 127.0.0.1:{cluster.port}",
            f"Redis listens on {servers.redis_url.removeprefix('redis://').removesuffix('/0')}",
        ]

    assert cluster.pid is None
    assert RedisServer(tmp_path / "redis").pid is None


def test_servers_that_the_environment_names_are_taken_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PF_DATABASE_URL", "postgresql+pg8000://someone@db.test:5432/theirs")
    monkeypatch.setenv("PF_REDIS_URL", "redis://cache.test:6379/3")
    said: list[str] = []

    with services.running(tmp_path, say=said.append) as servers:
        assert servers.database_url == "postgresql+pg8000://someone@db.test:5432/theirs"
        assert servers.redis_url == "redis://cache.test:6379/3"

    assert said == []
    assert list(tmp_path.iterdir()) == []
