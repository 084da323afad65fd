from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.postgres import PostgresCluster


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[PostgresCluster]:
    """A cluster of the test's own, not yet started, gone afterwards."""
    cluster = PostgresCluster(tmp_path / "postgres", durable=False)
    yield cluster
    cluster.forget()
