import pytest

from tests.api import Client


@pytest.fixture
def api() -> Client:
    # Imported here, because a function reads its settings when it is imported, and the servers come first.
    from functions.wishlist.main import main

    return Client.of(main, "/api/v1/wishlist")
