"""What the official client sees of the local storage: generations, ranges, and what outlives a restart."""

import io
import secrets
from datetime import timedelta

import httpx
import pytest

from infra.local.storage import running_storage
from shared.integrations.gcs import GoogleObjectStore
from tests.storage import KEY_FILE

NOISE = secrets.token_bytes(70_000) + b"\r\n\r--\n"


def put(store: GoogleObjectStore, content: bytes, key: str = "a/b c.mp4"):
    return store.upload("papers", key, io.BytesIO(content), content_type="video/mp4")


def test_any_bytes_come_back_as_they_were(store):
    stored = put(store, NOISE)

    assert (stored.size_bytes, stored.content_type) == (70_006, "video/mp4")
    assert store.stat("papers", "a/b c.mp4") == stored
    assert store.read_head("papers", "a/b c.mp4", generation=stored.generation, max_bytes=100_000) == NOISE
    assert store.read_head("papers", "a/b c.mp4", generation=stored.generation, max_bytes=9) == NOISE[:9]


def test_each_write_is_a_newer_generation_and_only_the_live_one_is_read(store):
    first = put(store, b"first")
    second = put(store, b"second")

    assert second.generation > first.generation
    assert store.read_head("papers", "a/b c.mp4", generation=first.generation, max_bytes=9) is None
    assert store.read_head("papers", "a/b c.mp4", generation=second.generation, max_bytes=9) == b"second"


def test_a_generation_that_is_gone_is_not_deleted_twice(store):
    first = put(store, b"first")
    second = put(store, b"second")

    store.delete("papers", "a/b c.mp4", generation=first.generation)
    kept = store.stat("papers", "a/b c.mp4")
    store.delete("papers", "a/b c.mp4", generation=second.generation)
    store.delete("papers", "a/b c.mp4", generation=second.generation)
    store.delete("papers", "a/b c.mp4")

    assert kept == second
    assert store.stat("papers", "a/b c.mp4") is None


def test_a_range_beyond_the_end_is_refused(store):
    put(store, b"0123456789")
    url = store.presign_get("papers", "a/b c.mp4", disposition="inline", ttl=timedelta(minutes=1))

    tail = httpx.get(url, headers={"Range": "bytes=8-"})
    beyond = httpx.get(url, headers={"Range": "bytes=10-"})

    assert (tail.status_code, tail.content) == (206, b"89")
    assert (beyond.status_code, "<Code>InvalidRange</Code>" in beyond.text) == (416, True)


def test_objects_outlive_a_restart(tmp_path, monkeypatch):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(KEY_FILE))
    told = []
    for _ in range(2):
        with running_storage(data=tmp_path / "objects", buckets=["papers"], key_file=KEY_FILE) as storage:
            monkeypatch.setenv("STORAGE_EMULATOR_HOST", storage.url)
            store = GoogleObjectStore("packfinderz-test")
            told.append(store.stat("papers", "a/b c.mp4") or put(store, NOISE))
            read = store.read_head("papers", "a/b c.mp4", generation=told[-1].generation, max_bytes=100_000)
            store.close()
            assert read == NOISE

    assert told[0] == told[1]
    assert list(tmp_path.rglob("*.draft")) == []


@pytest.mark.parametrize(
    ("origin", "method", "allowed"),
    [
        ("https://shop.example", "PUT", True),
        ("https://shop.example", "DELETE", False),
        ("https://evil.example", "PUT", False),
    ],
)
def test_pages_of_known_origins_may_upload(store, origin, method, allowed):
    upload = store.presign_put("papers", "a.pdf", content_type="application/pdf", max_bytes=9, ttl=timedelta(minutes=1))

    preflight = httpx.options(upload.url, headers={"Origin": origin, "Access-Control-Request-Method": method})
    put = httpx.put(upload.url, content=b"x", headers=upload.headers | {"Origin": origin})

    assert (preflight.status_code, put.status_code) == (200, 200)
    assert preflight.headers.get("Access-Control-Allow-Origin") == (origin if allowed else None)
    assert preflight.headers.get("Access-Control-Allow-Headers") == (
        "Content-Type, x-goog-content-length-range, ETag, x-goog-hash" if allowed else None
    )
    assert preflight.headers.get("Access-Control-Allow-Methods") == ("GET, HEAD, PUT" if allowed else None)
    assert ("Access-Control-Allow-Origin" in put.headers) == (origin == "https://shop.example")


def test_a_refusal_can_be_read_by_the_page_as_well(storage):
    answer = httpx.get(f"{storage.url}/papers/a.pdf", headers={"Origin": "https://shop.example"})

    assert answer.status_code == 403
    assert answer.headers["Access-Control-Allow-Origin"] == "https://shop.example"
