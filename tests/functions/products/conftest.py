import pytest

from tests.api import Client


@pytest.fixture
def function(object_storage: None) -> Client:
    # Imported here, because a function reads its settings when it is imported, and the servers come first.
    from functions.products.main import main

    return Client.of(main)


@pytest.fixture
def grid(function: Client) -> Client:
    return function.under("/api/v1/products")


@pytest.fixture
def shelf(function: Client) -> Client:
    return function.under("/api/v1/vendor/products")


@pytest.fixture
def inventory(function: Client) -> Client:
    return function.under("/api/v1/inventory")


@pytest.fixture
def promos(function: Client) -> Client:
    return function.under("/api/v1/vendor/promos")
