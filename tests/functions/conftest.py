import pytest


@pytest.fixture(autouse=True)
def _isolated(database: None) -> None:
    """Each test has the database to itself."""
