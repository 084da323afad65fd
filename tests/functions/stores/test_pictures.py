"""Logo and banner: uploaded files of the store's own, of the kind for it."""

import pytest
from sqlalchemy import select

from shared.kit.db import read_only
from shared.kit.ids import new_id
from shared.media.kinds import MediaKind
from shared.media.models import EntityType, MediaAttachment, MediaStatus
from tests.builders.media import a_media
from tests.builders.stores import a_vendor

FIELDS = {"logo_media_id": EntityType.STORE_LOGO, "banner_media_id": EntityType.STORE_BANNER}


def attached(store) -> list[tuple]:
    with read_only() as session:
        rows = session.scalars(select(MediaAttachment).where(MediaAttachment.entity_id == store.id))
        return sorted((row.entity_type, row.media_id) for row in rows)


@pytest.mark.parametrize("field", FIELDS)
def test_a_file_of_the_store_becomes_its_picture(api, field):
    farm = a_vendor()
    picture = a_media(farm, MediaKind.STORE)

    reply = api.as_member(farm).patch("/me", {field: str(picture.id)})

    assert reply.status == 200
    assert reply.data[field] == str(picture.id)
    assert attached(farm) == [(FIELDS[field], picture.id)]


def test_another_file_takes_its_place_and_null_takes_it_away(api):
    farm = a_vendor()
    first, second = a_media(farm, MediaKind.STORE), a_media(farm, MediaKind.STORE)
    owner = api.as_member(farm)
    owner.patch("/me", {"logo_media_id": str(first.id)})

    replaced = owner.patch("/me", {"logo_media_id": str(second.id)})
    after = attached(farm)
    removed = owner.patch("/me", {"logo_media_id": None})

    assert replaced.data["logo_media_id"] == str(second.id)
    assert after == [(EntityType.STORE_LOGO, second.id)]
    assert removed.data["logo_media_id"] is None
    assert attached(farm) == []


def test_other_fields_leave_the_picture_alone(api):
    farm = a_vendor()
    picture = a_media(farm, MediaKind.STORE)
    api.as_member(farm).patch("/me", {"logo_media_id": str(picture.id)})

    reply = api.as_member(farm).patch("/me", {"description": "Small-batch flower."})

    assert reply.data["logo_media_id"] == str(picture.id)


def test_the_file_of_another_store_is_as_unknown_as_any(api):
    farm = a_vendor()
    foreign = a_media(a_vendor(), MediaKind.STORE)

    theirs = api.as_member(farm).patch("/me", {"logo_media_id": str(foreign.id), "description": "Changed"})
    nobodys = api.as_member(farm).patch("/me", {"logo_media_id": str(new_id())})

    assert (theirs.status, theirs.error.message) == (nobodys.status, nobodys.error.message)
    assert theirs.status == 404
    assert api.as_member(farm).get("/me").data["description"] is None
    assert attached(farm) == []


def test_a_file_of_another_kind_or_not_uploaded_yet_does_not_fit(api):
    farm = a_vendor()
    product = a_media(farm, MediaKind.PRODUCT)
    pending = a_media(farm, MediaKind.STORE, status=MediaStatus.PENDING)

    unfit = api.as_member(farm).patch("/me", {"logo_media_id": str(product.id)})
    early = api.as_member(farm).patch("/me", {"logo_media_id": str(pending.id)})

    assert (unfit.status, unfit.error.code) == (400, "VALIDATION_ERROR")
    assert (early.status, early.error.reason) == (422, "media_pending")
    assert attached(farm) == []
