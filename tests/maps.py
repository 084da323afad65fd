"""Google Maps' stand-in for tests: one server per process, blank before each test.

A conftest that imports both fixtures gives its tests `maps`.
"""

from collections.abc import Iterator

import pytest

from infra.local.maps import StandIn, running_maps
from infra.local.maps.atlas import search
from shared.integrations.maps import MapsSettings


@pytest.fixture(scope="session")
def maps_server() -> Iterator[StandIn]:
    from tests.settings import TEST_SETTINGS

    with running_maps(key=TEST_SETTINGS["PF_MAPS_API_KEY"]) as stand_in:
        yield stand_in


@pytest.fixture(name="maps")
def fresh_maps(maps_server: StandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """Google Maps, as far as the code can tell."""
    maps_server.reset()
    monkeypatch.setenv("PF_MAPS_BASE_URL", maps_server.url)
    MapsSettings.forget()
    yield maps_server
    monkeypatch.undo()
    MapsSettings.forget()


def place_id(text: str, country: str = "US") -> str:
    """The id of the first place that the map has for these words."""
    return search(text, frozenset({country}), most=1)[0].id
