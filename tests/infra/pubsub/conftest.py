"""An emulator for each test, and official clients that find it through PUBSUB_EMULATOR_HOST.

Every test that uses `clients` runs a second time against Google's emulator: where it is installed
(`gcloud components install pubsub-emulator`) one is started, and PUBSUB_CONTRACT_HOST names one that runs already.
"""

from collections.abc import Iterator

import pytest

from infra.local.pubsub import Emulator, running_emulator
from tests.infra.endpoint import Endpoint, serving
from tests.infra.pubsub import googles
from tests.infra.pubsub.clients import Clients, clients_of_this_environment


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


@pytest.fixture(scope="session")
def googles_host() -> Iterator[str]:
    """Where Google's emulator listens; one for the whole run, as each test has a project of its own."""
    with googles.running() as host:
        yield host


@pytest.fixture(params=["ours", "googles"] if googles.is_there() else ["ours"])
def clients(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clients]:
    """Clients of every emulator that must keep the contract."""
    if request.param == "ours":
        yield request.getfixturevalue("local")
        return
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", request.getfixturevalue("googles_host"))
    with clients_of_this_environment() as clients:
        yield clients
