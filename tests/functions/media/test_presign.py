"""Leave to upload: every kind takes its own types up to its own sizes."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import select

from shared.identity.permissions import Role
from shared.integrations.gcs import object_store
from shared.kit import clock
from shared.kit.db import read_only
from shared.media.kinds import EXTENSIONS, RULES, MediaKind
from shared.media.models import Media, MediaStatus
from tests.builders.stores import a_buyer, a_vendor
from tests.storage import MEDIA_BUCKET

MB = 1_000_000
PHOTOS = {"image/png": 10 * MB, "image/jpeg": 10 * MB, "image/webp": 10 * MB}
SHOWN = dict.fromkeys(("image/png", "image/jpeg", "image/webp", "image/gif"), 20 * MB) | dict.fromkeys(
    ("video/mp4", "video/webm"), 200 * MB
)
PAPER = {"application/pdf": 20 * MB}
# The table of the specification.
TAKEN = {
    "product": SHOWN,
    "ads": SHOWN,
    "store": PHOTOS,
    "user": PHOTOS,
    "license_doc": {"application/pdf": 20 * MB, "image/png": 20 * MB, "image/jpeg": 20 * MB},
    "coa": PAPER,
    "manifest": PAPER,
    "pdf": PAPER,
    "other": dict.fromkeys(EXTENSIONS, 20 * MB),
}
TYPES = (*EXTENSIONS, "image/svg+xml", "text/html", "application/zip", "image/jpg", "IMAGE/PNG")


def body(kind="license_doc", mime_type="application/pdf", size_bytes=482_133, **more):
    return {"kind": kind, "mime_type": mime_type, "file_name": "My license.pdf", "size_bytes": size_bytes} | more


def all_media():
    with read_only() as session:
        return list(session.scalars(select(Media)))


def test_leave_to_upload_is_a_pending_row_and_a_signed_address(api, freeze, events):
    store = a_vendor()
    caller = api.as_member(store, Role.STAFF)
    freeze(clock.now())

    reply = caller.post("/presign", body(sha256="ab" * 32))

    (media,) = all_media()
    assert reply.status == 201
    assert reply.data == {
        "media_id": str(media.id),
        "upload_url": reply.data["upload_url"],
        "headers": {"Content-Type": "application/pdf", "x-goog-content-length-range": "1,482133"},
        "expires_at": (clock.now() + timedelta(minutes=15)).isoformat().replace("+00:00", "Z"),
    }
    asked = parse_qs(urlsplit(reply.data["upload_url"]).query)
    assert asked["X-Goog-Expires"] == ["900"]
    assert asked["X-Goog-SignedHeaders"] == ["content-type;host;x-goog-content-length-range"]
    assert (media.status, media.store_id, media.kind) == (MediaStatus.PENDING, store.id, MediaKind.LICENSE_DOC)
    assert (media.file_name, media.size_bytes, media.sha256) == ("My license.pdf", 482_133, "ab" * 32)
    assert media.object_key == f"{store.id}/license_doc/{media.id}.pdf"
    assert (media.generation, media.uploaded_at, media.created_at) == (None, None, clock.now())
    assert media.uploaded_by is not None
    assert events.emitted() == []


def test_the_address_takes_the_bytes(api):
    reply = api.as_member(a_buyer()).post("/presign", body(size_bytes=9))

    put = httpx.put(reply.data["upload_url"], content=b"%PDF-1.7\n", headers=reply.data["headers"])
    over = httpx.put(reply.data["upload_url"], content=b"%PDF-1.7\n!", headers=reply.data["headers"])

    (media,) = all_media()
    assert (put.status_code, over.status_code) == (200, 400)
    assert object_store().stat(MEDIA_BUCKET, media.object_key).size_bytes == 9


@pytest.mark.parametrize("kind", TAKEN)
def test_every_kind_takes_its_types_and_no_others(api, kind):
    caller = api.as_member(a_vendor())

    replies = {mime_type: caller.post("/presign", body(kind, mime_type, size_bytes=1)) for mime_type in TYPES}

    assert {mime_type for mime_type, reply in replies.items() if reply.status == 201} == set(TAKEN[kind])
    refused = [reply for reply in replies.values() if reply.status != 201]
    assert {(reply.status, reply.error.code, *reply.error.fields) for reply in refused} == {
        (400, "VALIDATION_ERROR", "mime_type")
    }
    assert sorted(media.mime_type for media in all_media()) == sorted(TAKEN[kind])


@pytest.mark.parametrize(
    ("kind", "mime_type", "limit"), [(kind, *limit) for kind, limits in TAKEN.items() for limit in limits.items()]
)
def test_the_largest_size_is_the_kinds(api, kind, mime_type, limit):
    caller = api.as_member(a_vendor())

    most = caller.post("/presign", body(kind, mime_type, size_bytes=limit))
    over = caller.post("/presign", body(kind, mime_type, size_bytes=limit + 1))

    assert most.status == 201
    assert (over.status, over.error.code, over.error.fields) == (400, "VALIDATION_ERROR", ["size_bytes"])
    assert [media.size_bytes for media in all_media()] == [limit]


def test_the_code_knows_no_other_kinds_than_the_specification():
    assert {kind.value: dict(rule.max_bytes) for kind, rule in RULES.items()} == TAKEN
    assert {kind.value for kind, rule in RULES.items() if rule.is_public} == {"product", "ads", "store", "user"}


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"kind": "avatar"}, "kind"),
        ({"size_bytes": 0}, "size_bytes"),
        ({"size_bytes": -1}, "size_bytes"),
        ({"file_name": ""}, "file_name"),
        ({"file_name": "a/../b.pdf"}, "file_name"),
        ({"file_name": "a\r\nX: y"}, "file_name"),
        ({"file_name": "a\x07.pdf"}, "file_name"),
        ({"file_name": "a\x85.pdf"}, "file_name"),
        ({"file_name": "a\u2028.pdf"}, "file_name"),
        ({"file_name": "\u202efdp.exe"}, "file_name"),
        ({"file_name": "x" * 256}, "file_name"),
        ({"sha256": "ab"}, "sha256"),
        ({"store_id": "01980000-0000-7000-8000-000000000001"}, "store_id"),
    ],
)
def test_an_odd_request_writes_nothing(api, changed, field):
    reply = api.as_member(a_vendor()).post("/presign", body() | changed)

    assert (reply.status, reply.error.fields) == (400, [field])
    assert all_media() == []


@pytest.mark.parametrize("role", Role)
def test_who_may_upload(api, role):
    for store in (a_buyer(), a_vendor()):
        reply = api.as_member(store, role).post("/presign", body())

        assert reply.status == (403 if role is Role.VIEWER else 201)


def test_a_repeat_gets_the_same_leave(api):
    caller = api.as_member(a_vendor())

    first, again = (caller.post("/presign", body(), key="upload-1") for _ in range(2))

    assert first.raw == again.raw
    assert len(all_media()) == 1


def test_without_storage_nothing_is_written(api, monkeypatch):
    from shared.integrations import gcs

    gcs.forget()
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")
    reply = api.as_member(a_vendor()).post("/presign", body())
    gcs.forget()

    assert (reply.status, reply.error.code) == (503, "DEPENDENCY_ERROR")
    assert all_media() == []
