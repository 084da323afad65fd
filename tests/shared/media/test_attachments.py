"""Attachments are brought to what they should be, by media that may be attached only."""

import itertools
import threading
from uuid import uuid4

import pytest

from shared.kit.db import read_only, transaction
from shared.kit.errors import InvalidRequest
from shared.kit.ids import new_id
from shared.media import deletion
from shared.media.attachments import RULES, Changes, MediaNotAttachable, is_used, reconcile
from shared.media.kinds import MediaKind
from shared.media.models import USABLE, EntityType, MediaNotFound, MediaStatus
from tests.builders.media import a_media, attached
from tests.builders.stores import a_vendor
from tests.media import media_now, users_of
from tests.rivals import wait_for_lock

GALLERY = EntityType.PRODUCT_GALLERY
# The fitting kinds of the specification.
FITTING = {
    EntityType.LICENSE: {MediaKind.LICENSE_DOC},
    EntityType.PRODUCT_GALLERY: {MediaKind.PRODUCT},
    EntityType.PRODUCT_COA: {MediaKind.COA},
    EntityType.STORE_LOGO: {MediaKind.STORE},
    EntityType.STORE_BANNER: {MediaKind.STORE},
    EntityType.USER_AVATAR: {MediaKind.USER},
    EntityType.AD_CREATIVE: {MediaKind.ADS},
    EntityType.ORDER_MANIFEST: {MediaKind.MANIFEST, MediaKind.PDF},
    EntityType.ORDER_SIGNATURE: {MediaKind.PDF, MediaKind.OTHER},
}


def bring(store, entity_type, entity_id, wanted) -> Changes:
    with transaction() as session:
        return reconcile(session, store.id, entity_type, entity_id, [media.id for media in wanted])


def places_of(entity_id):
    from sqlalchemy import select

    from shared.media.models import MediaAttachment

    with read_only() as session:
        rows = session.scalars(select(MediaAttachment).where(MediaAttachment.entity_id == entity_id))
        return {row.position: row.media_id for row in rows}


def test_a_gallery_follows_its_list():
    store, product_id = a_vendor(), new_id()
    a, b, c, d = (a_media(store) for _ in range(4))

    steps = [bring(store, GALLERY, product_id, wanted) for wanted in ([a, b, c], [c, a], [c, a], [d, c, a], [])]

    assert steps == [
        Changes((a.id, b.id, c.id), ()),
        Changes((), (b.id,)),
        Changes((), ()),
        Changes((d.id,), ()),
        Changes((), (d.id, c.id, a.id)),
    ]
    assert places_of(product_id) == {}


@pytest.mark.parametrize("wanted", [list(order) for n in range(4) for order in itertools.permutations(range(3), n)])
def test_places_are_those_of_the_list(wanted):
    store, product_id = a_vendor(), new_id()
    media = [a_media(store) for _ in range(3)]
    bring(store, GALLERY, product_id, media)

    bring(store, GALLERY, product_id, [media[n] for n in wanted])

    assert places_of(product_id) == {place: media[n].id for place, n in enumerate(wanted)}


def test_a_thing_leaves_the_media_of_others_alone():
    store, product_id = a_vendor(), new_id()
    media = a_media(store)
    others = [attached(media, GALLERY), attached(media, EntityType.PRODUCT_COA, product_id)]
    bring(store, GALLERY, product_id, [media])

    bring(store, GALLERY, product_id, [])

    assert users_of(media) == [("product_coa", others[1]), ("product_gallery", others[0])]


def test_the_number_of_statements_does_not_depend_on_the_list():
    from shared.kit.context import Work, working

    store, product_id = a_vendor(), new_id()
    media = [a_media(store) for _ in range(30)]
    costs = []
    for wanted in (media[:2], media, media[::-1], media[::-1], media[:1]):
        with working(Work(function="test", request_id="test")) as work:
            bring(store, GALLERY, product_id, wanted)
            costs.append(work.sql_statements)

    assert costs == [3, 3, 2, 1, 3]


@pytest.mark.parametrize("status", MediaStatus)
def test_only_a_usable_media_is_attached(status):
    store, product_id = a_vendor(), new_id()
    media = a_media(store, status=status)

    if status in USABLE:
        assert bring(store, GALLERY, product_id, [media]).added == (media.id,)
    else:
        with pytest.raises(MediaNotAttachable) as refused:
            bring(store, GALLERY, product_id, [media])
        assert refused.value.details == {"reason": f"media_{status}", "media_id": str(media.id)}
        assert users_of(media) == []


@pytest.mark.parametrize("entity_type", EntityType)
@pytest.mark.parametrize("kind", MediaKind)
def test_only_fitting_kinds_are_attached(entity_type, kind):
    store, entity_id = a_vendor(), new_id()
    media = a_media(store, kind)

    if kind in FITTING[entity_type]:
        bring(store, entity_type, entity_id, [media])
        assert users_of(media) == [(entity_type, entity_id)]
    else:
        with pytest.raises(InvalidRequest):
            bring(store, entity_type, entity_id, [media])
        assert users_of(media) == []


def test_every_entity_type_has_its_rule():
    assert {entity_type: set(rule.kinds) for entity_type, rule in RULES.items()} == FITTING
    assert {entity_type for entity_type, rule in RULES.items() if rule.is_protected} == {
        EntityType.LICENSE,
        EntityType.AD_CREATIVE,
        EntityType.ORDER_MANIFEST,
        EntityType.ORDER_SIGNATURE,
    }


def test_another_stores_media_is_not_there():
    store, product_id = a_vendor(), new_id()
    mine, foreign = a_media(store), a_media()

    with pytest.raises(MediaNotFound) as refused:
        bring(store, GALLERY, product_id, [mine, foreign])
    with pytest.raises(MediaNotFound), transaction() as session:
        reconcile(session, store.id, GALLERY, product_id, [uuid4()])

    assert refused.value.details == {"media_id": str(foreign.id)}
    assert places_of(product_id) == {}


def test_an_odd_list_is_refused():
    store = a_vendor()
    picture, paper, other_paper = a_media(store), a_media(store, MediaKind.COA), a_media(store, MediaKind.COA)

    with pytest.raises(InvalidRequest) as repeated:
        bring(store, GALLERY, new_id(), [picture, picture])
    with pytest.raises(InvalidRequest) as too_many:
        bring(store, EntityType.PRODUCT_COA, new_id(), [paper, other_paper])

    assert repeated.value.details == {"fields": [{"path": "media_ids", "message": "A file is listed twice."}]}
    assert too_many.value.details == {"fields": [{"path": "media_id", "message": "Only one file fits here."}]}


def test_media_that_was_attached_before_stays_whatever_became_of_it():
    store, product_id = a_vendor(), new_id()
    going, fresh = a_media(store, status=MediaStatus.DELETE_REQUESTED), a_media(store)
    attached(going, GALLERY, product_id)

    changes = bring(store, GALLERY, product_id, [fresh, going])

    assert changes == Changes((fresh.id,), ())
    assert places_of(product_id) == {0: fresh.id, 1: going.id}


def test_whether_anything_uses_a_media():
    used, unused = a_media(), a_media()
    attached(used, GALLERY)

    with read_only() as session:
        assert (is_used(session, used.id), is_used(session, unused.id)) == (True, False)


@pytest.mark.usefixtures("committed_database")
def test_of_attaching_and_deleting_at_once_the_first_wins():
    """The license's attachment holds the media; the rival deletion waits, sees it and is refused."""
    store, license_id = a_vendor(), new_id()
    media = a_media(store, MediaKind.LICENSE_DOC)
    attached_now, refused = threading.Event(), []

    def ask_for_deletion():
        attached_now.wait()
        try:
            with transaction() as session:
                deletion.request_deletion(session, store.id, media.id)
        except deletion.MediaInUse as error:
            refused.append(error.details["attachments"])

    rival = threading.Thread(target=ask_for_deletion)
    rival.start()
    with transaction() as session:
        reconcile(session, store.id, EntityType.LICENSE, license_id, [media.id])
        attached_now.set()
        wait_for_lock(session)
    rival.join()

    assert refused == [[{"entity_type": "license", "entity_id": str(license_id)}]]
    assert media_now(media).status is MediaStatus.UPLOADED


@pytest.mark.usefixtures("committed_database")
def test_of_deleting_and_attaching_at_once_the_first_wins():
    store, license_id = a_vendor(), new_id()
    media = a_media(store, MediaKind.LICENSE_DOC)
    requested, refused = threading.Event(), []

    def attach():
        requested.wait()
        try:
            bring(store, EntityType.LICENSE, license_id, [media])
        except MediaNotAttachable as error:
            refused.append(error.details["reason"])

    rival = threading.Thread(target=attach)
    rival.start()
    with transaction() as session:
        deletion.request_deletion(session, store.id, media.id)
        requested.set()
        wait_for_lock(session)
    rival.join()

    assert (refused, users_of(media)) == (["media_delete_requested"], [])
