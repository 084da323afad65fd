"""Square's stand-in for tests: one server per process, blank before each test."""

from collections.abc import Iterator

import pytest

from infra.local.square import StandIn, running_square
from shared.integrations.square import SquareSettings


@pytest.fixture(scope="session")
def _square() -> Iterator[StandIn]:
    from tests.settings import TEST_SETTINGS

    with running_square(token=TEST_SETTINGS["PF_SQUARE_ACCESS_TOKEN"]) as stand_in:
        yield stand_in


@pytest.fixture
def square(_square: StandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """Square, as far as the code can tell."""
    _square.reset()
    monkeypatch.setenv("PF_SQUARE_BASE_URL", _square.url)
    SquareSettings.forget()
    yield _square
    monkeypatch.undo()
    SquareSettings.forget()
