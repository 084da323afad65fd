"""Functions are told of every finalized object, again when they refuse."""

import base64
import hashlib
import io
from datetime import timedelta

import httpx
import pytest

from infra.local.processes import free_port
from infra.local.storage import notices
from tests.infra.endpoint import serving
from tests.patience import PATIENCE_S


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "RETRY_AFTER_S", (0.01, 0.02))


def test_an_upload_is_told_as_google_tells_it(store, storage):
    with serving() as endpoint:
        storage.notices.send_to("papers", f"{endpoint.url}/on_media_finalized")
        upload = store.presign_put(
            "papers", "s/coa/é.pdf", content_type="application/pdf", max_bytes=99, ttl=timedelta(minutes=1)
        )
        httpx.put(upload.url, content=b"%PDF-", headers=upload.headers)
        (told,) = endpoint.wait_for(1)
    stored = store.stat("papers", "s/coa/é.pdf")

    assert told.path == "/on_media_finalized"
    assert {name: told.headers[name] for name in ("ce-type", "ce-specversion", "ce-source", "content-type")} == {
        "ce-type": "google.cloud.storage.object.v1.finalized",
        "ce-specversion": "1.0",
        "ce-source": "//storage.googleapis.com/projects/_/buckets/papers",
        "content-type": "application/json",
    }
    assert int(told.headers["ce-id"]) > 0
    assert {name: told.json[name] for name in ("bucket", "name", "size", "contentType", "md5Hash", "generation")} == {
        "bucket": "papers",
        "name": "s/coa/é.pdf",
        "size": "5",
        "contentType": "application/pdf",
        "md5Hash": base64.b64encode(hashlib.md5(b"%PDF-").digest()).decode(),  # noqa: S324 - what Google tells
        "generation": str(stored.generation),
    }


def test_every_way_to_write_is_told_and_other_buckets_are_not(store, storage):
    with serving() as endpoint:
        storage.notices.send_to("papers", endpoint.url)
        for bucket in ("shop-window", "papers"):
            store.upload(bucket, "a.pdf", io.BytesIO(b"x"), content_type="application/pdf")
        store.upload("papers", "big.pdf", io.BytesIO(b"x" * 9_000_000), content_type="application/pdf")
        store.delete("papers", "a.pdf")
        assert storage.notices.wait_until_quiet(timeout_s=PATIENCE_S)
        told = [request.json["name"] for request in endpoint.requests]

    assert told == ["a.pdf", "big.pdf"]


def test_a_refused_notice_comes_again_under_the_same_id(store, storage):
    with serving() as endpoint:
        endpoint.statuses = [500, 503]
        storage.notices.send_to("papers", endpoint.url)
        store.upload("papers", "a.pdf", io.BytesIO(b"x"), content_type="application/pdf")
        told = endpoint.wait_for(3)
        assert storage.notices.wait_until_quiet(timeout_s=PATIENCE_S)

    assert len({request.headers["ce-id"] for request in told}) == 1
    assert len({request.body for request in told}) == 1


def test_a_notice_nobody_takes_is_given_up_and_said_so(store, storage, capfd):
    with serving() as endpoint:
        endpoint.statuses = [500] * 9
        storage.notices.send_to("papers", endpoint.url)
        store.upload("papers", "a.pdf", io.BytesIO(b"x"), content_type="application/pdf")
        assert storage.notices.wait_until_quiet(timeout_s=PATIENCE_S)

    assert len(endpoint.requests) == 3
    assert "Nobody took the notice of papers/a.pdf/" in capfd.readouterr().out


def test_an_endpoint_that_is_not_there_yet_is_tried_again(store, storage, monkeypatch):
    monkeypatch.setattr(notices, "RETRY_AFTER_S", (0.02,) * 10_000)
    port = free_port()
    storage.notices.send_to("papers", f"http://127.0.0.1:{port}")
    store.upload("papers", "a.pdf", io.BytesIO(b"x"), content_type="application/pdf")

    with serving(port) as endpoint:
        assert storage.notices.wait_until_quiet(timeout_s=PATIENCE_S)

    assert [request.json["name"] for request in endpoint.requests] == ["a.pdf"]
