"""A function pays at its start only for what it uses, and has all that it needs without another one's imports."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from infra.local.paths import CHECKOUT
from infra.manifest import load_all

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

# Each function is imported by a process that forks off from one which has what all of them have: a start each, without
# the second that it takes to import these. Whether one needs another's imports shows all the same.
NURSERY = """
import importlib, json, os, sys
import flask, functions_framework, pydantic, sqlalchemy.orm, structlog

def tell(name):
    importlib.import_module(f"functions.{name}.main")
    from shared.kit.tables import Table
    # Without the table that a foreign key refers to, the first flush of an instance fails.
    tables = Table.metadata.tables
    referred = {key.target_fullname.rpartition(".")[0] for table in tables.values() for key in table.foreign_keys}
    told = {"modules": sorted(sys.modules), "unknown_tables": sorted(referred - set(tables))}
    print("TOLD", json.dumps(told), flush=True)

for name in sys.stdin:
    if os.fork() == 0:
        try:
            tell(name.strip())
        finally:
            os._exit(0)
    os.wait()
    print("NEXT", flush=True)
"""


@pytest.fixture(scope="module")
def nursery() -> Iterator[subprocess.Popen[str]]:
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", NURSERY], cwd=CHECKOUT, env=os.environ, stdin=pipe, stdout=pipe, text=True
    ) as process:
        yield process
        process.stdin.close()


def alone(name: str, nursery: subprocess.Popen[str]) -> dict[str, list[str]]:
    """What a process has that imports nothing but this function."""
    nursery.stdin.write(f"{name}\n")
    nursery.stdin.flush()
    said = list(iter(nursery.stdout.readline, "NEXT\n"))
    return json.loads(said[-1].removeprefix("TOLD "))


@pytest.mark.parametrize("name", [manifest.name for manifest in load_all()])
def test_importing_a_function_imports_the_tables_it_refers_to_and_no_outside_sdk(name, nursery):
    told = alone(name, nursery)

    assert [module for module in told["modules"] if module.startswith(LATE)] == []
    assert f"functions.{name}.main" in told["modules"]
    assert told["unknown_tables"] == []
