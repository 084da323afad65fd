"""Every function is ready when what its manifest says that it needs answers, and asks nothing else."""

from importlib import import_module

import pytest

from infra.imports import reach
from infra.local.paths import CHECKOUT
from infra.manifest import Manifest, load_all

MANIFESTS = load_all()
every_function = pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda manifest: manifest.name)

# A service is called when a module that calls it is reached. Signing an address and naming a bucket call nothing.
CALLS = {
    "pubsub": ("shared.integrations.pubsub",),
    "square": ("shared.integrations.square",),
    "storage": tuple(f"shared.media.{name}" for name in ("cleanup", "finalize", "making", "processing", "removal")),
}


def needed(manifest: Manifest) -> set[str]:
    """The names of what a manifest needs."""
    told = {"PF_DATABASE_URL": "database", "PF_REDIS_URL": "redis"}
    return {told[name] for name in manifest.needs.settings if name in told} | set(manifest.needs.services)


@every_function
def test_readiness_asks_for_what_the_manifest_needs(manifest):
    main = import_module(f"functions.{manifest.name}.main").main

    assert set(main.health.checks) == needed(manifest)


@every_function
def test_the_manifest_names_the_services_that_the_code_calls(manifest):
    modules = reach([f"functions.{manifest.name}.main"]).modules

    called = {service for service, callers in CALLS.items() if not modules.isdisjoint(callers)}
    assert set(manifest.needs.services) == called


@every_function
def test_redis_is_needed_by_those_who_can_reach_it(manifest):
    reached = "shared.kit.redis" in reach([f"functions.{manifest.name}.main"]).modules

    assert ("redis" in needed(manifest)) == reached


def test_nobody_else_calls_the_storage_service():
    words = ("object_store().stat", ".read_head(", ".list_objects(", ".download(", ".upload(", "store.delete(")
    callers = {
        ".".join(file.relative_to(CHECKOUT).with_suffix("").parts)
        for folder in ("functions", "shared")
        for file in (CHECKOUT / folder).rglob("*.py")
        if any(word in file.read_text() for word in words)
    }

    assert callers == {*CALLS["storage"], "shared.media.storage"}
