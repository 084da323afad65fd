"""The adapter over the official client: who signs, and what failures become."""

import base64
import io
import itertools
import json
import logging
import threading
from datetime import timedelta
from types import SimpleNamespace

import google.auth
import google.auth.transport.requests
import httpx
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from google.auth.credentials import Credentials
from google.auth.exceptions import TransportError
from google.cloud.storage._bucket_metadata_cache import BucketMetadataCache

from shared.integrations import gcs
from shared.integrations.gcs import GoogleObjectStore
from shared.kit import clock
from shared.kit.errors import DependencyDown
from tests.storage import KEY_FILE, MEDIA_BUCKET, PUBLIC_MEDIA_BUCKET

TTL = timedelta(minutes=15)


class InstanceCredentials(Credentials):
    """Credentials as a deployed function has them: a token, an email known after a refresh, no key."""

    def __init__(self) -> None:
        super().__init__()
        self.service_account_email = "default"

    def refresh(self, request) -> None:
        self.token, self.service_account_email = "an-access-token", json.loads(KEY_FILE.read_text())["client_email"]


class SigningService:
    """IAM Credentials' signBlob over a transport of google-auth, with the key that the storage knows."""

    def __init__(self) -> None:
        self.asked, self.patience, self.meeting = [], set(), None
        pem = json.loads(KEY_FILE.read_text())["private_key"].encode()
        self._key = serialization.load_pem_private_key(pem, password=None)

    def __call__(self, url, method="GET", body=None, headers=None, timeout=None, **_):
        self.asked.append((method, url, headers["authorization"]))
        self.patience.add(timeout)
        if self.meeting is not None:
            self.meeting.wait(timeout=60)
        signed = self._key.sign(base64.b64decode(json.loads(body)["payload"]), padding.PKCS1v15(), hashes.SHA256())
        return SimpleNamespace(status=200, data=json.dumps({"signedBlob": base64.b64encode(signed).decode()}).encode())


@pytest.fixture
def store(object_storage):
    store = GoogleObjectStore("packfinderz-test")
    yield store
    store.close()


@pytest.fixture
def service(monkeypatch):
    service = SigningService()
    monkeypatch.setattr(google.auth, "default", lambda scopes: (InstanceCredentials(), "packfinderz-test"))
    monkeypatch.setattr(google.auth.transport.requests, "Request", lambda session: service)
    return service


def test_no_thread_asks_for_what_nobody_wants_to_know(store, monkeypatch):
    asked = []
    monkeypatch.setattr(BucketMetadataCache, "_fetch_background", lambda _, bucket: asked.append(bucket))

    store.upload(MEDIA_BUCKET, "quiet", io.BytesIO(b"quiet"), content_type="text/plain")
    there = store.stat(MEDIA_BUCKET, "quiet")

    assert (there.size_bytes, asked) == (5, [])


def test_without_a_private_key_iam_signs_for_the_functions_own_account(store, service):
    upload = store.presign_put(MEDIA_BUCKET, "iam/a.pdf", content_type="application/pdf", max_bytes=9, ttl=TTL)
    url = store.presign_get(MEDIA_BUCKET, "iam/a.pdf", disposition="inline", ttl=TTL)

    email = json.loads(KEY_FILE.read_text())["client_email"]
    endpoint = f"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{email}:signBlob"
    assert service.asked == [("POST", endpoint, "Bearer an-access-token")] * 2
    assert service.patience == {5.0}
    assert httpx.put(upload.url, content=b"%PDF-", headers=upload.headers).status_code == 200
    assert httpx.get(url).content == b"%PDF-"


def test_iam_signs_a_page_of_a_hundred_ten_at_a_time(store, service):
    """Each waits until ten are there, so fewer at once would never end."""
    service.meeting = threading.Barrier(10)
    store.upload(MEDIA_BUCKET, "page/7.txt", io.BytesIO(b"the seventh"), content_type="text/plain")

    urls = store.presign_gets(MEDIA_BUCKET, {f"page/{n}.txt": f"inline; filename={n}" for n in range(100)}, ttl=TTL)

    read = httpx.get(urls["page/7.txt"])
    assert len(service.asked) == 100
    assert list(urls) == [f"page/{n}.txt" for n in range(100)]
    assert (read.content, read.headers["content-disposition"]) == (b"the seventh", "inline; filename=7")


def test_a_page_is_given_up_with_the_first_that_iam_does_not_sign(store, service, caplog):
    caplog.set_level(logging.CRITICAL)
    calls, first_ten, given_up = itertools.count(), threading.Barrier(10), threading.Event()

    def refuse(**_):
        if next(calls) < 10:
            first_ten.wait(timeout=60)
        else:
            given_up.wait(timeout=60)
        raise TransportError("no")

    service.meeting = SimpleNamespace(wait=refuse)

    with pytest.raises(DependencyDown):
        store.presign_gets(MEDIA_BUCKET, {f"page/{n}.txt": "inline" for n in range(100)}, ttl=TTL)
    given_up.set()
    store.close()

    assert len(service.asked) <= 20


def test_what_is_uploaded_is_known_and_read(store):
    stored = store.upload(MEDIA_BUCKET, "up/a.txt", io.BytesIO(b"hello"), content_type="text/plain", cache_control="x")

    assert (stored.size_bytes, stored.content_type, stored.md5_hash) == (5, "text/plain", "XUFAKrxLKna5cZ2REBfFkg==")
    assert store.stat(MEDIA_BUCKET, "up/a.txt") == stored
    assert store.read_head(MEDIA_BUCKET, "up/a.txt", generation=stored.generation, max_bytes=4) == b"hell"
    assert store.stat(MEDIA_BUCKET, "up/b.txt") is None
    assert store.read_head(MEDIA_BUCKET, "up/b.txt", generation=1, max_bytes=4) is None


@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.stat(MEDIA_BUCKET, "a"),
        lambda store: store.read_head(MEDIA_BUCKET, "a", generation=1, max_bytes=4),
        lambda store: store.delete(MEDIA_BUCKET, "a", generation=1),
        lambda store: store.upload(MEDIA_BUCKET, "a", io.BytesIO(b"x"), content_type="text/plain"),
    ],
)
def test_a_storage_that_does_not_answer_is_a_dependency_that_is_down(object_storage, monkeypatch, call, caplog):
    caplog.set_level(logging.CRITICAL)
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    monkeypatch.setattr(gcs, "_RETRIES_S", 0.1)
    store = GoogleObjectStore("packfinderz-test")

    with pytest.raises(DependencyDown) as down:
        call(store)
    store.close()

    assert down.value.message == "The file storage does not answer; try again shortly."


def test_the_store_is_warm_and_connected_anew_after_it_was_forgotten(object_storage):
    first = gcs.object_store()

    assert gcs.object_store() is first
    gcs.forget()
    assert gcs.object_store() is not first


def put(store, key, content, bucket=MEDIA_BUCKET):
    return store.upload(bucket, key, io.BytesIO(content), content_type="text/plain")


def test_a_generation_is_downloaded_or_is_not_there_any_more(store):
    first = put(store, "downloads/a.txt", b"first")
    second = put(store, "downloads/a.txt", b"second")
    old, new = io.BytesIO(), io.BytesIO()

    assert not store.download(MEDIA_BUCKET, "downloads/a.txt", old, generation=first.generation)
    assert store.download(MEDIA_BUCKET, "downloads/a.txt", new, generation=second.generation)
    assert (old.getvalue(), new.getvalue()) == (b"", b"second")


def test_objects_are_listed_by_prefix(store):
    kept = [put(store, f"listed/{name}", name.encode()) for name in ("b.txt", "a.txt")]
    put(store, "listed-not/c.txt", b"c")

    found = list(store.list_objects(MEDIA_BUCKET, prefix="listed/"))

    assert [listed.key for listed in found] == ["listed/a.txt", "listed/b.txt"]
    assert [listed.stored for listed in found] == [kept[1], kept[0]]
    assert all(abs(clock.now() - listed.created_at) < timedelta(minutes=1) for listed in found)


def test_a_public_object_is_read_under_its_public_address(store):
    put(store, "shown/ä b.txt", b"for everybody", bucket=PUBLIC_MEDIA_BUCKET)

    assert httpx.get(store.public_url(PUBLIC_MEDIA_BUCKET, "shown/ä b.txt")).content == b"for everybody"
