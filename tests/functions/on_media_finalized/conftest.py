import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Request
from werkzeug.test import EnvironBuilder

from shared.integrations.gcs import StoredObject
from shared.media.models import Media
from tests.storage import MEDIA_BUCKET

Tell = Callable[..., int]


@pytest.fixture
def main(object_storage: None) -> Any:
    # Imported here, because a function reads its settings when it is imported, and the servers come first.
    from functions.on_media_finalized.main import main

    return main


@pytest.fixture
def send(main: Any) -> Callable[..., Any]:
    """Send the function a request and get its response."""

    def send(path: str = "/", *, method: str = "POST", **parts: Any) -> Any:
        return main(Request(EnvironBuilder(path, method=method, **parts).get_environ()))

    return send


@pytest.fixture
def tell(send: Callable[..., Any]) -> Tell:
    """Tell the function that an object was finalized; `changes` are to the event's data. The status answered."""

    def tell(media: Media, stored: StoredObject, **changes: Any) -> int:
        data = {
            "bucket": MEDIA_BUCKET,
            "name": media.object_key,
            "generation": str(stored.generation),
            "size": str(stored.size_bytes),
            "contentType": stored.content_type,
            "md5Hash": stored.md5_hash,
        } | changes
        headers = {"ce-id": "8214", "ce-type": "google.cloud.storage.object.v1.finalized", "ce-specversion": "1.0"}
        status: int = send(data=json.dumps(data), headers=headers, content_type="application/json").status_code
        return status

    return tell
