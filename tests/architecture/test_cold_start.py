"""A function pays at its start only for what it uses."""

import os
import subprocess
import sys

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


@pytest.mark.parametrize("name", [manifest.name for manifest in load_all()])
def test_importing_a_function_imports_no_outside_sdk(name):
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import functions.{name}.main, sys; print(*sorted(sys.modules), sep='\\n')",
        ],
        cwd=CHECKOUT,
        env=os.environ,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )

    modules = told.stdout.split()
    assert [module for module in modules if module.startswith(LATE)] == []
    assert f"functions.{name}.main" in modules
