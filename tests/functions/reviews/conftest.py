import pytest

from tests.api import Client


@pytest.fixture
def api() -> Client:
    # Imported here, because a function reads its settings when it is imported, and the servers come first.
    from functions.reviews.main import main

    return Client.of(main, "/api/v1/reviews")


@pytest.fixture
def stores() -> Client:
    from functions.stores.main import main

    return Client.of(main, "/api/v1/stores")


@pytest.fixture
def products(object_storage: None) -> Client:
    from functions.products.main import main

    return Client.of(main, "/api/v1/products")


@pytest.fixture
def moderation(api: Client) -> Client:
    return api.under("/api/v1/admin/reviews")
