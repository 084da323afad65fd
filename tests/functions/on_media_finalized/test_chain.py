"""The whole way of an upload: leave, PUT, the storage's word, and a file that can be read. Rivals on the way."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from flask import Flask
from flask import request as flask_request
from sqlalchemy import select
from werkzeug.serving import make_server

from infra.local.storage.notices import Notices
from shared.events.media import MediaUploaded
from shared.kit.db import read_only
from shared.media.models import Media, MediaStatus
from tests.api import Client
from tests.builders.stores import a_vendor
from tests.media import media_now, stored
from tests.patience import PATIENCE_S
from tests.samples import sample
from tests.storage import MEDIA_BUCKET

pytestmark = pytest.mark.usefixtures("committed_database")


@contextmanager
def serving(main) -> Iterator[str]:
    """The function behind a real HTTP server, as it is when deployed."""
    app = Flask("on_media_finalized")
    app.add_url_rule("/", "main", lambda: main(flask_request), methods=["POST"])
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def told(main, object_storage) -> Iterator[Notices]:
    """The storage tells the function of every upload."""
    with serving(main) as url:
        object_storage.notices.send_to(MEDIA_BUCKET, url)
        yield object_storage.notices
        object_storage.notices.send_to(MEDIA_BUCKET, None)


@pytest.fixture
def media_api(object_storage) -> Client:
    from functions.media.main import main

    return Client.of(main, "/api/v1/media")


def upload(caller, content, mime_type="application/pdf"):
    leave = caller.post(
        "/presign",
        {"kind": "license_doc", "mime_type": mime_type, "file_name": "a.pdf", "size_bytes": len(content)},
    ).data
    return leave, httpx.put(leave["upload_url"], content=content, headers=leave["headers"])


def test_from_leave_to_reading(told, media_api, events):
    caller = media_api.as_member(a_vendor())
    content = sample("application/pdf")

    leave, put = upload(caller, content)
    assert told.wait_until_quiet(timeout_s=PATIENCE_S)
    file = caller.get(f"/{leave['media_id']}").data
    with read_only() as session:
        media = session.scalar(select(Media))

    assert put.status_code == 200
    assert (file["status"], file["size_bytes"]) == ("uploaded", len(content))
    assert httpx.get(file["url"]).content == content
    assert events.emitted() == [
        MediaUploaded(
            media_id=media.id, store_id=media.store_id, kind="license_doc", generation=stored(media).generation
        )
    ]


def test_a_disguised_file_fails_on_the_whole_way(told, media_api, events):
    caller = media_api.as_member(a_vendor())

    leave, put = upload(caller, sample("video/mp4"))
    assert told.wait_until_quiet(timeout_s=PATIENCE_S)
    file = caller.get(f"/{leave['media_id']}").data

    assert (put.status_code, file["status"], file["url"]) == (200, "failed", None)
    assert file["failure_reason"] == "Its content is video/mp4 instead of application/pdf."
    assert events.emitted() == []


def test_of_rival_deliveries_one_is_done(main, tell, events):
    from tests.builders.media import a_media
    from tests.media import uploaded_bytes

    content = sample("application/pdf")
    media = a_media(kind="coa", status=MediaStatus.PENDING, size_bytes=len(content))
    put = uploaded_bytes(media, content)
    together = threading.Barrier(6)
    answers = []

    def deliver():
        together.wait()
        answers.append(tell(media, put))

    rivals = [threading.Thread(target=deliver) for _ in range(6)]
    for rival in rivals:
        rival.start()
    for rival in rivals:
        rival.join()

    assert answers == [204] * 6
    assert media_now(media).status is MediaStatus.UPLOADED
    assert len(events.emitted()) == 1
