"""A file is asked to go, unless something must keep it."""

import pytest

from shared.events.media import MediaDeleted
from shared.identity.permissions import Role
from shared.kit import clock
from shared.kit.db import transaction
from shared.media import attachments
from shared.media.kinds import MediaKind
from shared.media.models import EntityType, MediaStatus
from tests.builders.media import a_license, a_media, attached
from tests.builders.stores import a_vendor
from tests.media import media_now, users_of

PROTECTED = {EntityType.LICENSE, EntityType.AD_CREATIVE, EntityType.ORDER_MANIFEST, EntityType.ORDER_SIGNATURE}
DELETABLE = {
    MediaStatus.PENDING,
    MediaStatus.UPLOADED,
    MediaStatus.PROCESSING,
    MediaStatus.READY,
    MediaStatus.FAILED,
    MediaStatus.DELETE_FAILED,
}


def deleted(media):
    return MediaDeleted(media_id=media.id, store_id=media.store_id, kind=media.kind)


@pytest.mark.parametrize("status", sorted(DELETABLE))
def test_a_file_is_taken_out_of_use_and_its_deletion_announced(api, events, freeze, status):
    store = a_vendor()
    media = a_media(store, status=status)
    freeze(clock.now())

    reply = api.as_member(store, Role.STAFF).delete(f"/{media.id}")

    now = media_now(media)
    assert (reply.status, reply.data) == (202, {"id": str(media.id), "status": "delete_requested"})
    assert (now.status, now.delete_requested_at) == (MediaStatus.DELETE_REQUESTED, clock.now())
    assert now.status_before_deletion == (None if status is MediaStatus.DELETE_FAILED else status)
    assert events.emitted() == [deleted(media)]


def test_asking_again_changes_nothing(api, events):
    store = a_vendor()
    media = a_media(store)

    replies = [api.as_member(store).delete(f"/{media.id}") for _ in range(3)]

    assert [reply.status for reply in replies] == [202, 202, 202]
    assert events.emitted() == [deleted(media)]


@pytest.mark.parametrize("entity_type", EntityType)
def test_who_keeps_a_file(api, events, entity_type):
    store = a_vendor()
    media = a_media(store)
    entity_id = attached(media, entity_type)

    reply = api.as_member(store).delete(f"/{media.id}")

    assert users_of(media) == [(entity_type, entity_id)]
    if entity_type in PROTECTED:
        assert (reply.status, reply.error.code) == (409, "CONFLICT")
        assert reply.error.details == {
            "reason": "media_in_use",
            "attachments": [{"entity_type": entity_type, "entity_id": str(entity_id)}],
        }
        assert media_now(media).status is MediaStatus.UPLOADED
        assert events.emitted() == []
    else:
        assert reply.status == 202
        assert events.emitted() == [deleted(media)]


def test_every_protecting_use_is_named(api):
    store = a_vendor()
    media = a_media(store)
    used_by = [attached(media, EntityType.ORDER_MANIFEST), attached(media, EntityType.AD_CREATIVE)]
    attached(media, EntityType.PRODUCT_GALLERY)

    reply = api.as_member(store).delete(f"/{media.id}")

    assert reply.status == 409
    assert {named["entity_id"] for named in reply.error.details["attachments"]} == {str(held) for held in used_by}


def test_an_ad_keeps_its_creative_until_it_is_archived(api, events):
    store = a_vendor()
    media = a_media(store, MediaKind.ADS)
    running, archived = attached(media, EntityType.AD_CREATIVE), attached(media, EntityType.AD_CREATIVE)
    caller = api.as_member(store)

    with transaction() as session:
        attachments.release(session, EntityType.AD_CREATIVE, [archived])
    while_one_runs = caller.delete(f"/{media.id}")
    with transaction() as session:
        attachments.release(session, EntityType.AD_CREATIVE, [running])
    after = caller.delete(f"/{media.id}")

    assert while_one_runs.status == 409
    assert while_one_runs.error.details["attachments"] == [{"entity_type": "ad_creative", "entity_id": str(running)}]
    assert (after.status, events.emitted()) == (202, [deleted(media)])
    assert users_of(media) == sorted([("ad_creative", running), ("ad_creative", archived)])


@pytest.mark.parametrize("status", MediaStatus)
def test_a_license_document_goes_only_when_it_is_not_on_its_way(api, events, status):
    store = a_vendor()
    media = a_media(store, MediaKind.LICENSE_DOC, status=status)

    reply = api.as_member(store).delete(f"/{media.id}")

    expected = {MediaStatus.PENDING: 422, MediaStatus.PROCESSING: 422, MediaStatus.DELETED: 404}
    assert reply.status == expected.get(status, 202)
    if reply.status == 422:
        assert (reply.error.code, reply.error.reason) == ("STATE_CONFLICT", f"media_{status}")
        assert events.emitted() == []
    assert media_now(media).status == (MediaStatus.DELETE_REQUESTED if reply.status == 202 else status)


def test_a_submitted_license_keeps_its_document(api, events):
    store = a_vendor()
    license = a_license(store)

    reply = api.as_member(store).delete(f"/{license.media_id}")

    assert reply.status == 409
    assert reply.error.details["attachments"] == [{"entity_type": "license", "entity_id": str(license.id)}]
    assert events.emitted() == []


def test_a_viewer_deletes_nothing(api):
    store = a_vendor()
    media = a_media(store)

    reply = api.as_member(store, Role.VIEWER).delete(f"/{media.id}")

    assert (reply.status, media_now(media).status) == (403, MediaStatus.UPLOADED)
