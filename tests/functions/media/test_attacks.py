"""What somebody may try with a leave to upload, and with files that are another store's."""

import httpx
import pytest
from sqlalchemy import select

from shared.integrations.gcs import object_store
from shared.kit.db import read_only
from shared.media.kinds import MediaKind
from shared.media.models import Media, MediaStatus
from tests.builders.media import a_media
from tests.builders.stores import a_vendor
from tests.media import media_now, stored, uploaded_bytes
from tests.storage import MEDIA_BUCKET

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
PAGE = b"<html><script>alert(document.domain)</script></html>"


def leave(caller, **changed):
    told = {"kind": "product", "mime_type": "image/png", "file_name": "a.png", "size_bytes": len(PNG)} | changed
    return caller.post("/presign", told)


def keys_in_bucket() -> set[str]:
    return {listed.key for listed in object_store().list_objects(MEDIA_BUCKET)}


@pytest.mark.parametrize(
    "file_name",
    ["../../etc/passwd", "..\\..\\boot.ini", "/etc/passwd", "a.png\x00.exe", "a.png\r\nX-Injected: yes"],
)
def test_a_name_that_could_go_elsewhere_is_refused(api, file_name):
    reply = leave(api.as_member(a_vendor()), file_name=file_name)

    with read_only() as session:
        assert (reply.status, reply.error.code, session.scalar(select(Media))) == (400, "VALIDATION_ERROR", None)


@pytest.mark.parametrize("file_name", ["..", "%2e%2e%2fpasswd", "a.png?x=1#y", "a';DROP TABLE media;--.png", "<b>.png"])
def test_a_name_is_no_part_of_where_the_bytes_go(api, file_name):
    store = a_vendor()

    reply = leave(api.as_member(store), file_name=file_name)

    with read_only() as session:
        media = session.scalars(select(Media)).one()
    assert (reply.status, media.file_name) == (201, file_name)
    assert media.object_key == f"{store.id}/product/{media.id}.png"


@pytest.mark.parametrize(
    "mime_type",
    ["image/svg+xml", "text/html", "application/xhtml+xml", "image/png; charset=x", "image/png\r\nX-A: b", "image/PNG"],
)
def test_a_type_that_a_browser_would_run_is_refused(api, mime_type):
    reply = leave(api.as_member(a_vendor()), mime_type=mime_type)

    assert (reply.status, reply.error.fields) == (400, ["mime_type"])


@pytest.mark.parametrize(
    "change",
    [
        {"Content-Type": "text/html"},
        {"Content-Type": "image/svg+xml"},
        {"x-goog-content-length-range": "1,999999999"},
        {"x-goog-acl": "public-read"},
        {"x-goog-copy-source": "/packfinderz-test-media/another"},
        {"x-goog-meta-owner": "me"},
    ],
)
def test_a_leave_is_good_for_its_headers_only(api, change):
    before = keys_in_bucket()
    given = leave(api.as_member(a_vendor())).data

    answer = httpx.put(given["upload_url"], content=PAGE, headers=given["headers"] | change)

    assert answer.status_code in (400, 403)
    assert keys_in_bucket() == before


def test_a_leave_is_good_for_its_own_key_only(api):
    victim = a_media(kind=MediaKind.LICENSE_DOC)
    uploaded_bytes(victim, b"%PDF- the license")
    given = leave(api.as_member(a_vendor())).data
    with read_only() as session:
        own = session.get_one(Media, given["media_id"])
    assert own.object_key in given["upload_url"]

    elsewhere = given["upload_url"].replace(own.object_key, victim.object_key)
    climbing = given["upload_url"].replace(own.object_key, f"{own.store_id}/../{victim.object_key}")
    answers = [httpx.put(url, content=PNG, headers=given["headers"]) for url in (elsewhere, climbing)]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert stored(victim).size_bytes == len(b"%PDF- the license")


def test_a_guessed_key_is_read_by_nobody(api, object_storage):
    victim = a_media(kind=MediaKind.LICENSE_DOC)
    uploaded_bytes(victim, b"%PDF- the license")
    url = api.as_member(_store_of(victim)).get(f"/{victim.id}").data["url"]

    guessed = [
        f"{object_storage.url}/{MEDIA_BUCKET}/{victim.object_key}",
        url.partition("?")[0],
        url.replace("X-Goog-Expires=600", "X-Goog-Expires=604800"),
        url.replace(str(victim.id), str(a_media(kind=MediaKind.LICENSE_DOC).id)),
        url.replace("inline", "attachment"),
    ]

    assert httpx.get(url).content == b"%PDF- the license"
    assert [httpx.get(each).status_code for each in guessed] == [403] * len(guessed)


@pytest.mark.parametrize("status", MediaStatus)
def test_another_stores_file_is_neither_read_nor_moved(api, events, status):
    victim = a_media(status=status)
    stranger = api.as_member(a_vendor())

    replies = [stranger.get(f"/{victim.id}"), stranger.delete(f"/{victim.id}")]

    assert [(reply.status, reply.error.code) for reply in replies] == [(404, "NOT_FOUND")] * 2
    assert str(victim.store_id).encode() not in replies[0].raw
    assert (media_now(victim).status, events.emitted()) == (status, [])


@pytest.mark.parametrize("size_bytes", [0, -1, 1.5, "1e3", 10**18, None])
def test_a_size_is_a_size(api, size_bytes):
    reply = leave(api.as_member(a_vendor()), size_bytes=size_bytes)

    assert (reply.status, reply.error.fields) == (400, ["size_bytes"])


def _store_of(media):
    from shared.identity.models import Store

    with read_only() as session:
        return session.get_one(Store, media.store_id)
