"""The object storage of one test process: started when a test first asks for it, reached as Cloud Storage is."""

import os
from collections.abc import Iterator

import pytest

from infra.local.paths import LOCAL
from infra.local.storage import LocalStorage, running_storage
from shared.integrations import gcs
from tests.settings import TEST_SETTINGS

MEDIA_BUCKET = TEST_SETTINGS["PF_MEDIA_BUCKET"]
PUBLIC_MEDIA_BUCKET = TEST_SETTINGS["PF_PUBLIC_MEDIA_BUCKET"]
KEY_FILE = LOCAL / "test-service-account.json"


@pytest.fixture(scope="session")
def object_storage() -> Iterator[LocalStorage]:
    """A storage with our two buckets; the official client and its signing find it by their own variables."""
    with running_storage(buckets=[MEDIA_BUCKET], public_buckets=[PUBLIC_MEDIA_BUCKET], key_file=KEY_FILE) as storage:
        os.environ["STORAGE_EMULATOR_HOST"] = storage.url
        os.environ["GOOGLE_APPLICATION_CREDENTIALS"] = str(storage.key_file)
        yield storage
        gcs.forget()
        del os.environ["STORAGE_EMULATOR_HOST"], os.environ["GOOGLE_APPLICATION_CREDENTIALS"]
