"""Square's stand-in for tests: one server per process, blank before each test.

A conftest that imports both fixtures gives its tests `square`.
"""

from collections.abc import Iterator

import pytest

from infra.local.square import StandIn, running_square
from shared.integrations.square import SquareSettings


@pytest.fixture(scope="session")
def square_server() -> Iterator[StandIn]:
    from tests.settings import TEST_SETTINGS

    with running_square(token=TEST_SETTINGS["PF_SQUARE_ACCESS_TOKEN"]) as stand_in:
        yield stand_in


@pytest.fixture(name="square")
def fresh_square(square_server: StandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """Square, as far as the code can tell."""
    square_server.reset()
    monkeypatch.setenv("PF_SQUARE_BASE_URL", square_server.url)
    SquareSettings.forget()
    yield square_server
    monkeypatch.undo()
    SquareSettings.forget()
