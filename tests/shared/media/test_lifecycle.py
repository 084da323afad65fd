"""A file moves between its statuses along the table, and every move has its moment."""

import itertools

import pytest

from shared.events.media import MediaDeleted, MediaUploaded
from shared.kit import clock
from shared.media.models import TRANSITIONS, MediaCannotMove, MediaStatus
from tests.builders.media import a_media

VERBS = {
    MediaStatus.UPLOADED: lambda media: media.confirm_upload(generation=2, md5_hash="x"),
    MediaStatus.FAILED: lambda media: media.refuse_upload(generation=2, reason="It is odd."),
    MediaStatus.DELETE_REQUESTED: lambda media: media.request_deletion(),
}


@pytest.mark.parametrize(("before", "after"), list(itertools.product(MediaStatus, VERBS)))
def test_a_verb_moves_along_the_table_or_refuses(freeze, before, after):
    media = a_media(status=before)
    freeze(clock.now())

    if after in TRANSITIONS[before]:
        VERBS[after](media)
        assert (media.status, getattr(media, f"{after}_at")) == (after, clock.now())
    else:
        with pytest.raises(MediaCannotMove) as refused:
            VERBS[after](media)
        assert refused.value.details == {"reason": f"media_{before}"}
        assert media.status is before


def test_the_table_knows_every_status():
    assert set(TRANSITIONS) == set(MediaStatus)
    assert TRANSITIONS[MediaStatus.DELETED] == frozenset()


def test_verbs_tell_what_happened():
    media = a_media(status=MediaStatus.PENDING)

    confirmed = media.confirm_upload(generation=7, md5_hash="aGFzaA==")
    requested = media.request_deletion()

    about = {"media_id": media.id, "store_id": media.store_id, "kind": "product"}
    assert (confirmed, requested) == (MediaUploaded(**about, generation=7), MediaDeleted(**about))
    assert media.status_before_deletion is MediaStatus.UPLOADED
