import pytest


@pytest.fixture(autouse=True)
def _isolated(database: None, object_storage) -> None:
    """Each test has the database to itself, and functions that ask for storage find it."""
