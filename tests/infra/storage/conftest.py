"""A storage of the test's own, and our adapter pointed at it."""

from collections.abc import Iterator

import pytest

from infra.local.storage import LocalStorage, running_storage
from shared.integrations.gcs import GoogleObjectStore
from tests.storage import KEY_FILE


@pytest.fixture
def storage() -> Iterator[LocalStorage]:
    with running_storage(
        buckets=["papers"],
        public_buckets=["shop-window"],
        key_file=KEY_FILE,
        origins=["https://shop.example"],
    ) as storage:
        yield storage


@pytest.fixture
def store(storage: LocalStorage, monkeypatch: pytest.MonkeyPatch) -> Iterator[GoogleObjectStore]:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", storage.url)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(storage.key_file))
    store = GoogleObjectStore("packfinderz-test")
    yield store
    store.close()
