"""A store sees its own files, and reads those whose bytes are what they claim to be."""

from datetime import timedelta
from uuid import uuid4

import httpx
import pytest

from shared.identity.permissions import Role
from shared.kit import clock
from shared.media.kinds import MediaKind
from shared.media.models import USABLE, MediaStatus
from tests.builders.media import a_media
from tests.builders.stores import a_buyer, a_vendor
from tests.media import uploaded_bytes

SHOWN = [status for status in MediaStatus if status is not MediaStatus.DELETED]


@pytest.mark.parametrize("status", SHOWN)
def test_only_a_usable_file_has_an_address(api, status):
    media = a_media(status=status)
    caller = api.as_member(_store_of(media), Role.VIEWER)

    reply = caller.get(f"/{media.id}")
    (listed,) = caller.get().data

    assert (reply.status, reply.data["status"]) == (200, status)
    assert (reply.data["url"] is not None) == (status in USABLE)
    assert (listed["url"] is not None) == (status in USABLE)
    assert (reply.data["url_expires_at"] is not None) == (status in USABLE)


def _store_of(media):
    from shared.identity.models import Store
    from shared.kit.db import read_only

    with read_only() as session:
        return session.get(Store, media.store_id)


def test_the_address_reads_the_very_bytes_under_the_files_name(api, freeze):
    store = a_buyer()
    media = a_media(store, MediaKind.LICENSE_DOC, file_name='Lizenz "Grün".pdf')
    uploaded_bytes(media, b"%PDF-1.7 the license")
    freeze(clock.now())

    reply = api.as_member(store).get(f"/{media.id}")
    read = httpx.get(reply.data["url"])

    assert reply.data == {
        "id": str(media.id),
        "kind": "license_doc",
        "status": "uploaded",
        "mime_type": "application/pdf",
        "file_name": 'Lizenz "Grün".pdf',
        "size_bytes": 1_234,
        "sha256": None,
        "url": reply.data["url"],
        "url_expires_at": (clock.now() + timedelta(minutes=10)).isoformat().replace("+00:00", "Z"),
        "public_url": None,
        "thumbnail_url": None,
        "failure_reason": None,
        "created_at": reply.data["created_at"],
        "uploaded_at": reply.data["uploaded_at"],
        "processing_at": None,
        "ready_at": None,
        "failed_at": None,
        "delete_requested_at": None,
    }
    assert (read.status_code, read.content) == (200, b"%PDF-1.7 the license")
    assert read.headers["Content-Disposition"] == "inline; filename*=UTF-8''Lizenz%20%22Gr%C3%BCn%22.pdf"
    assert "X-Goog-Expires=600" in reply.data["url"]


def test_another_stores_file_is_not_there(api):
    media = a_media()
    stranger = api.as_member(a_vendor())

    replies = [
        stranger.get(f"/{media.id}"),
        stranger.delete(f"/{media.id}"),
        stranger.get(f"/{uuid4()}"),
    ]

    assert [(reply.status, reply.error.code, reply.error.message) for reply in replies] == [
        (404, "NOT_FOUND", "There is no such media here.")
    ] * 3
    assert stranger.get().data == []
    assert api.as_member(_store_of(media)).get(f"/{media.id}").data["status"] == "uploaded"


def test_filters_narrow_the_list(api):
    store = a_vendor()
    picture = a_media(store, MediaKind.PRODUCT, mime_type="image/webp", file_name="Blue Dream 100%.webp")
    film = a_media(store, MediaKind.PRODUCT, mime_type="video/mp4", status=MediaStatus.READY, file_name="Tour.mp4")
    paper = a_media(store, MediaKind.COA, status=MediaStatus.FAILED, file_name="blue_dream coa.pdf")
    caller = api.as_member(store)

    def found(**query):
        return {row["id"] for row in caller.get(**query).data}

    ids = {media: str(media.id) for media in (picture, film, paper)}
    assert found() == set(ids.values())
    assert found(kind="product") == {ids[picture], ids[film]}
    assert found(kind="product,coa", status="uploaded,failed") == {ids[picture], ids[paper]}
    assert found(mime_type="video/mp4,application/pdf") == {ids[film], ids[paper]}
    assert found(search="BLUE") == {ids[picture], ids[paper]}
    assert found(search="0%") == {ids[picture]}
    assert found(search="e_d") == {ids[paper]}
    assert caller.get(kind="avatar").error.fields == ["kind[0]"]
    assert caller.get(owner="me").error.fields == ["owner"]


def test_pages_come_newest_first_and_cost_one_statement(api, statements):
    store = a_vendor()
    newest_first = [str(a_media(store).id) for _ in range(7)][::-1]
    caller = api.as_member(store)

    with statements() as cost:
        first = caller.get(limit=3)
    rest = caller.get(limit=100, cursor=first.page["next"])

    assert [row["id"] for row in first.data] == newest_first[:3]
    assert [row["id"] for row in rest.data] == newest_first[3:]
    assert (rest.page["next"], cost.sql) == (None, 1)
    assert caller.get(limit=3, cursor=first.page["next"], kind="coa").error.fields == ["cursor"]
