import pytest

from tests.api import Client
from tests.maps import fresh_maps, maps_server  # noqa: F401 - fixtures


@pytest.fixture
def api(maps) -> Client:
    # Imported here, because a function reads its settings when it is imported, and the servers come first.
    from functions.address.main import main

    return Client.of(main, "/api/v1/address")
