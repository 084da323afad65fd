"""One's picture: a file that was uploaded for the store one acts for."""

from sqlalchemy import select

from shared.identity.models import User
from shared.kit.db import read_only
from shared.media.kinds import MediaKind
from shared.media.models import EntityType, MediaAttachment
from tests.builders.media import a_media
from tests.builders.stores import a_buyer, a_member, a_user


def attached(user: User) -> list[tuple]:
    with read_only() as session:
        rows = session.scalars(select(MediaAttachment).where(MediaAttachment.entity_id == user.id))
        return [(row.entity_type, row.media_id) for row in rows]


def test_a_file_of_the_active_store_becomes_ones_picture_and_goes_again(api):
    store = a_buyer()
    rosa = a_member(store)
    picture = a_media(store, MediaKind.USER)
    caller = api.as_member(store, user_id=rosa.id)

    shown = caller.patch("/me", {"avatar_media_id": str(picture.id)})
    after = attached(rosa)
    gone = caller.patch("/me", {"avatar_media_id": None})

    assert (shown.status, shown.data["avatar_media_id"]) == (200, str(picture.id))
    assert after == [(EntityType.USER_AVATAR, picture.id)]
    assert gone.data["avatar_media_id"] is None
    assert attached(rosa) == []


def test_the_file_of_another_store_is_not_there(api):
    store = a_buyer()
    rosa = a_member(store)
    foreign = a_media(a_buyer(), MediaKind.USER)

    reply = api.as_member(store, user_id=rosa.id).patch("/me", {"avatar_media_id": str(foreign.id)})

    assert (reply.status, reply.error.code) == (404, "NOT_FOUND")
    assert attached(rosa) == []


def test_who_acts_for_no_store_has_no_files_but_may_take_the_picture_away(api):
    picture = a_media(a_buyer(), MediaKind.USER)
    rosa = a_user(avatar_media_id=picture.id)

    refused = api.as_user(rosa).patch("/me", {"avatar_media_id": str(picture.id)})
    removed = api.as_user(rosa).patch("/me", {"avatar_media_id": None})

    assert (refused.status, refused.error.reason) == (403, "no_active_store")
    assert (removed.status, removed.data["avatar_media_id"]) == (200, None)
