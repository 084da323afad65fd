"""Signed URLs end to end: our adapter signs with the official library, the storage verifies."""

import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from infra.local.storage.credentials import signer_of
from infra.local.storage.refusals import Refused
from infra.local.storage.signatures import SignedRequest, verify
from shared.integrations.gcs import GoogleObjectStore, SignedUpload
from tests.storage import KEY_FILE

PAPER = b"%PDF-1.7\n" + b"license " * 40
TTL = timedelta(minutes=15)


def code_of(answer: httpx.Response) -> str:
    assert answer.headers["Content-Type"] == "application/xml; charset=UTF-8"
    found = re.search(r"<Error><Code>(\w+)</Code>", answer.text)
    return found[1] if found else answer.text


def leave_to_put(store: GoogleObjectStore, **changes) -> SignedUpload:
    wanted = {"content_type": "application/pdf", "max_bytes": 1_000, "ttl": TTL} | changes
    return store.presign_put("papers", "store 1/license_doc/ä~b.pdf", **wanted)


def test_what_is_put_by_a_signed_url_is_read_by_another(store):
    upload = leave_to_put(store)

    put = httpx.put(upload.url, content=PAPER, headers=upload.headers)
    url = store.presign_get(
        "papers", "store 1/license_doc/ä~b.pdf", disposition="inline; filename*=UTF-8''a%20b.pdf", ttl=TTL
    )
    got = httpx.get(url)
    part = httpx.get(url, headers={"Range": "bytes=0-7"})

    assert upload.headers == {"Content-Type": "application/pdf", "x-goog-content-length-range": "1,1000"}
    assert (put.status_code, put.content) == (200, b"")
    assert (got.status_code, got.content) == (200, PAPER)
    assert got.headers["Content-Type"] == "application/pdf"
    assert got.headers["Content-Disposition"] == "inline; filename*=UTF-8''a%20b.pdf"
    assert (part.status_code, part.content, part.headers["Content-Range"]) == (206, b"%PDF-1.7", "bytes 0-7/329")


def test_an_upload_in_chunks_without_a_length_is_measured_as_well(store):
    upload = leave_to_put(store, max_bytes=len(PAPER))

    whole = httpx.put(upload.url, content=iter([PAPER[:100], PAPER[100:]]), headers=upload.headers)
    over = httpx.put(upload.url, content=iter([PAPER, b"!"]), headers=upload.headers)

    assert (whole.status_code, over.status_code, code_of(over)) == (200, 400, "EntityTooLarge")
    assert store.stat("papers", "store 1/license_doc/ä~b.pdf").size_bytes == len(PAPER)


@pytest.mark.parametrize(
    ("size", "status", "code"), [(0, 400, "EntityTooSmall"), (1_001, 400, "EntityTooLarge"), (1_000, 200, None)]
)
def test_the_size_is_held_to_the_signed_range(store, size, status, code):
    upload = leave_to_put(store)

    answer = httpx.put(upload.url, content=b"x" * size, headers=upload.headers)

    assert answer.status_code == status
    assert code is None or code_of(answer) == code
    assert (store.stat("papers", "store 1/license_doc/ä~b.pdf") is None) == (status != 200)


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"Content-Type": "text/html"}, 403, "SignatureDoesNotMatch"),
        ({"Content-Type": None}, 400, "MalformedSecurityHeader"),
        ({"x-goog-content-length-range": "1,100000"}, 403, "SignatureDoesNotMatch"),
        ({"x-goog-content-length-range": None}, 400, "MalformedSecurityHeader"),
        ({"x-goog-acl": "public-read"}, 400, "MalformedSecurityHeader"),
        ({"x-goog-meta-owner": "me"}, 400, "MalformedSecurityHeader"),
        ({"Host": "elsewhere.example"}, 403, "SignatureDoesNotMatch"),
    ],
)
def test_other_headers_than_the_signed_ones_are_refused(store, changed, status, code):
    upload = leave_to_put(store)
    headers = {name: value for name, value in (upload.headers | changed).items() if value is not None}

    answer = httpx.put(upload.url, content=PAPER, headers=headers)

    assert (answer.status_code, code_of(answer)) == (status, code)
    assert store.stat("papers", "store 1/license_doc/ä~b.pdf") is None


@pytest.mark.parametrize(
    ("pattern", "replacement", "status", "code"),
    [
        (r"%C3%A4~b\.pdf", "other.pdf", 403, "SignatureDoesNotMatch"),
        (r"/papers/", "/shop-window/", 403, "SignatureDoesNotMatch"),
        (r"X-Goog-Expires=900", "X-Goog-Expires=901", 403, "SignatureDoesNotMatch"),
        (r"X-Goog-Expires=900", "X-Goog-Expires=604801", 400, "MalformedSecurityHeader"),
        (r"X-Goog-Expires=900", "X-Goog-Expires=soon", 400, "MalformedSecurityHeader"),
        (r"X-Goog-Date=\d{8}T\d{6}Z", "X-Goog-Date=yesterday", 400, "MalformedSecurityHeader"),
        (r"X-Goog-Date=\d{4}", "X-Goog-Date=2001", 400, "MalformedSecurityHeader"),
        (r"X-Goog-Credential=signer", "X-Goog-Credential=mallory", 403, "SignatureDoesNotMatch"),
        (r"X-Goog-Signature=..", "X-Goog-Signature=00", 403, "SignatureDoesNotMatch"),
        (r"X-Goog-Signature=\w+", "X-Goog-Signature=nonsense", 403, "SignatureDoesNotMatch"),
        (r"X-Goog-Algorithm=GOOG4-RSA-SHA256", "X-Goog-Algorithm=none", 400, "MalformedSecurityHeader"),
        (r"X-Goog-Algorithm=[^&]+&", "", 400, "MalformedSecurityHeader"),
        (r"content-type%3Bhost%3B", "host%3B", 403, "SignatureDoesNotMatch"),
        (r"%3Bhost%3B", "%3B", 400, "MalformedSecurityHeader"),
        (r"$", "&generation=1", 403, "SignatureDoesNotMatch"),
        (r"\?.*", "", 403, "AccessDenied"),
    ],
)
def test_a_url_that_was_touched_is_refused(store, pattern, replacement, status, code):
    upload = leave_to_put(store)
    touched = re.sub(pattern, replacement, upload.url, count=1)

    answer = httpx.put(touched, content=PAPER, headers=upload.headers)

    assert touched != upload.url
    assert (answer.status_code, code_of(answer)) == (status, code)
    assert store.stat("papers", "store 1/license_doc/ä~b.pdf") is None


def test_a_leave_to_put_is_no_leave_to_read_nor_to_delete(store):
    upload = leave_to_put(store)
    httpx.put(upload.url, content=PAPER, headers=upload.headers)

    read = httpx.get(upload.url, headers=upload.headers)
    deleted = httpx.delete(upload.url, headers=upload.headers)

    assert (read.status_code, deleted.status_code) == (403, 403)
    assert store.stat("papers", "store 1/license_doc/ä~b.pdf").size_bytes == len(PAPER)


def test_a_leave_to_read_is_no_leave_to_put_by_another_header(store):
    upload = leave_to_put(store)
    httpx.put(upload.url, content=PAPER, headers=upload.headers)
    url = store.presign_get("papers", "store 1/license_doc/ä~b.pdf", disposition="inline", ttl=TTL)

    answer = httpx.request("GET", url, content=b"forged", headers={"X-HTTP-Method-Override": "PUT"})

    assert (answer.status_code, answer.content) == (200, PAPER)
    assert store.stat("papers", "store 1/license_doc/ä~b.pdf").size_bytes == len(PAPER)


def test_a_url_that_expired_is_refused(store):
    upload = leave_to_put(store, ttl=timedelta(0))

    answer = httpx.put(upload.url, content=PAPER, headers=upload.headers)

    assert (answer.status_code, code_of(answer)) == (400, "ExpiredToken")


@pytest.mark.parametrize(
    ("later", "code"),
    [
        (timedelta(seconds=-16 * 60), "RequestTimeTooSkewed"),
        (timedelta(seconds=-5), None),
        (timedelta(minutes=14, seconds=50), None),
        (timedelta(minutes=15, seconds=5), "ExpiredToken"),
        (timedelta(days=30), "ExpiredToken"),
    ],
)
def test_a_signature_is_good_for_its_time_only(store, later, code):
    upload = leave_to_put(store)
    url = httpx.URL(upload.url)
    headers = {name.lower(): value for name, value in upload.headers.items()} | {"host": f"{url.host}:{url.port}"}
    request = SignedRequest("PUT", url.raw_path.decode(), headers)
    email, public_key = signer_of(KEY_FILE)

    refused = None
    try:
        verify(request, {email: public_key}, now=datetime.now(UTC) + later)
    except Refused as refusal:
        refused = refusal.code

    assert refused == code


def test_strangers_read_public_buckets_and_nothing_else(store, storage):
    store.presign_put("papers", "a.pdf", content_type="application/pdf", max_bytes=9, ttl=TTL)
    upload = store.presign_put("shop-window", "a.webp", content_type="image/webp", max_bytes=9, ttl=TTL)
    httpx.put(upload.url, content=b"picture", headers=upload.headers)

    shown = httpx.get(f"{storage.url}/shop-window/a.webp")
    answers = {
        what: httpx.request(method, storage.url + path)
        for what, method, path in (
            ("private", "GET", "/papers/a.pdf"),
            ("missing", "GET", "/shop-window/b.webp"),
            ("written", "PUT", "/shop-window/a.webp"),
            ("deleted", "DELETE", "/shop-window/a.webp"),
            ("json by the back door", "DELETE", "/b/shop-window/o/a.webp"),
            ("wiped", "GET", "/wipe"),
            ("climbed", "GET", "/shop-window/%2e%2e/papers/a.pdf"),
        )
    }

    assert (shown.status_code, shown.content, shown.headers["Content-Type"]) == (200, b"picture", "image/webp")
    assert {what: (answer.status_code, code_of(answer)) for what, answer in answers.items()} == {
        "private": (403, "AccessDenied"),
        "missing": (404, "NoSuchKey"),
        "written": (403, "AccessDenied"),
        "deleted": (403, "AccessDenied"),
        "json by the back door": (403, "AccessDenied"),
        "wiped": (404, "NoSuchKey"),
        "climbed": (404, "NoSuchKey"),
    }
    assert store.stat("shop-window", "a.webp").size_bytes == 7


def test_a_signature_for_a_bucket_that_is_not_there_finds_none(store):
    upload = store.presign_put("nowhere", "a.pdf", content_type="application/pdf", max_bytes=9, ttl=TTL)

    answer = httpx.put(upload.url, content=b"x", headers=upload.headers)

    assert (answer.status_code, code_of(answer)) == (404, "NoSuchBucket")
