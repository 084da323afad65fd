"""An emulator for each test, and official clients that find it through PUBSUB_EMULATOR_HOST.

With PUBSUB_CONTRACT_HOST (the address of Google's emulator, `gcloud beta emulators pubsub start`) every test that
uses `clients` runs a second time, against Google's.
"""

import os
from collections.abc import Iterator

import pytest

from infra.local.pubsub import Emulator, running_emulator
from tests.infra.endpoint import Endpoint, serving
from tests.infra.pubsub.clients import Clients, clients_of_this_environment

_GOOGLES = os.environ.get("PUBSUB_CONTRACT_HOST")


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serving() as endpoint:
        yield endpoint


@pytest.fixture
def emulator(endpoint: Endpoint) -> Iterator[Emulator]:
    """Ours. It asks for the endpoint so that it stops pushing before the endpoint is gone."""
    with running_emulator() as emulator:
        yield emulator


@pytest.fixture
def local(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clients]:
    """Clients of our emulator, for what only ours does."""
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", emulator.host)
    with clients_of_this_environment() as clients:
        yield clients


@pytest.fixture(params=["ours", "googles"] if _GOOGLES else ["ours"])
def clients(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clients]:
    """Clients of every emulator that must keep the contract."""
    if request.param == "ours":
        yield request.getfixturevalue("local")
        return
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", str(_GOOGLES))
    with clients_of_this_environment() as clients:
        yield clients
