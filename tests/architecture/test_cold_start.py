"""A function pays at its start only for what it uses, and has all that it needs without another one's imports."""

import json
import os
import subprocess
import sys

import pytest

from infra.local.paths import CHECKOUT
from infra.manifest import load_all
from tests.patience import PATIENCE_S

# Heavy libraries that are imported when they are first used, by the functions that use them.
# `google.cloud.functions` is functions-framework's own.
LATE = (
    "google.api_core",
    "google.cloud.bigquery",
    "google.cloud.pubsub",
    "google.cloud.sql",
    "google.cloud.storage",
    "google.pubsub",
    "grpc",
    "square",
    "googlemaps",
    "openai",
    "flask_openapi3",
    "alembic",
)

# Without the table that a foreign key refers to, the first flush of an instance fails.
ALONE = """
import functions.{name}.main, json, sys
from shared.kit.tables import Table

tables = Table.metadata.tables
referred = {{key.target_fullname.rpartition(".")[0] for table in tables.values() for key in table.foreign_keys}}
print(json.dumps({{"modules": sorted(sys.modules), "unknown_tables": sorted(referred - set(tables))}}))
"""


@pytest.mark.parametrize("name", [manifest.name for manifest in load_all()])
def test_importing_a_function_imports_the_tables_it_refers_to_and_no_outside_sdk(name):
    told = subprocess.run(
        [sys.executable, "-c", ALONE.format(name=name)],
        cwd=CHECKOUT,
        env=os.environ,
        check=True,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )

    alone = json.loads(told.stdout.splitlines()[-1])  # after the log lines of its start
    assert [module for module in alone["modules"] if module.startswith(LATE)] == []
    assert f"functions.{name}.main" in alone["modules"]
    assert alone["unknown_tables"] == []
