"""Each generation is processed once, whatever is repeated, comes late, or stops half way."""

import threading

import pytest
from sqlalchemy.orm import Session

from shared.catalog.models import Product
from shared.events.media import MediaProcessed
from shared.integrations import gcs
from shared.integrations.gcs import GoogleObjectStore
from shared.kit import redis
from shared.kit.db import read_only, transaction
from shared.media import deletion, processing
from shared.media.models import EntityType, Media, MediaStatus
from tests.builders.media import attached
from tests.builders.products import a_product
from tests.builders.stores import a_vendor
from tests.functions.on_media_uploaded import files
from tests.functions.on_media_uploaded.conftest import announced, confirmed, renditions_of, uploaded
from tests.media import media_now, uploaded_bytes

PICTURE = files.encoded(files.picture(), "PNG")
OTHER = files.encoded(files.picture(32, 24), "PNG")


class Killed(BaseException):
    """The instance ends here, without a word."""


def thumbnail_of(product):
    with read_only() as session:
        return session.get_one(Product, product.id).thumbnail_url


def test_a_repeat_changes_nothing(consumer, events):
    media = uploaded(PICTURE, "image/png")
    delivery = announced(media)

    consumer.deliver(delivery)
    before, made = media_now(media), renditions_of(media)
    redis.client().flushdb()
    answers = [consumer.deliver(delivery), consumer.deliver(announced(media))]

    assert answers == [True, True]
    assert (media_now(media).ready_at, renditions_of(media)) == (before.ready_at, made)
    assert len(events.emitted(MediaProcessed)) == 1


def test_an_older_generation_is_left_alone(consumer, events):
    media = uploaded(PICTURE, "image/png")
    late = announced(media)
    newer = confirmed(media, OTHER)

    consumer.deliver(announced(newer))
    consumer.deliver(late)

    (processed,) = events.emitted(MediaProcessed)
    assert processed.generation == newer.generation
    assert {name.split("/")[0] for name in renditions_of(media)} == {f"public:{newer.generation}"}


def test_bytes_replaced_before_they_are_read_wait_for_their_own_event(consumer, events):
    media = uploaded(PICTURE, "image/png")
    delivery = announced(media)
    uploaded_bytes(media, OTHER)
    acknowledged = consumer.deliver(delivery)

    assert acknowledged
    assert (media_now(media).status, renditions_of(media)) == (MediaStatus.PROCESSING, {})
    assert events.emitted(MediaProcessed) == []


def test_a_file_that_was_asked_to_go_is_not_brought_back(consumer, events):
    media = uploaded(PICTURE, "image/png")
    delivery = announced(media)
    with transaction() as session:
        deletion.request_deletion(session, media.store_id, media.id)

    assert consumer.deliver(delivery)
    assert (media_now(media).status, renditions_of(media)) == (MediaStatus.DELETE_REQUESTED, {})


def test_renditions_of_a_file_that_was_removed_meanwhile_follow_it(consumer, monkeypatch):
    media = uploaded(PICTURE, "image/png")
    delivery = announced(media)
    real = processing.render

    def remove_meanwhile(*arguments):
        with transaction() as session:
            session.delete(session.get_one(Media, media.id))
        return real(*arguments)

    monkeypatch.setattr(processing, "render", remove_meanwhile)

    assert consumer.deliver(delivery)
    assert renditions_of(media) == {}


@pytest.mark.parametrize("older", [PICTURE, PICTURE[:500]], ids=["fit", "unfit"])
def test_bytes_replaced_while_they_are_opened_decide_nothing_for_their_successor(consumer, monkeypatch, older):
    media = uploaded(older, "image/png")
    delivery = announced(media)
    real = processing.render

    def replace_meanwhile(*arguments):
        newer = confirmed(media, OTHER)
        with transaction() as session:
            processing.begin(session, media.id, newer.generation)
        return real(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(processing, "render", replace_meanwhile)
        consumer.deliver(delivery)
    between, made = media_now(media), renditions_of(media)
    consumer.deliver(announced(between))

    now = media_now(media)
    assert (between.status, between.failure_reason, made) == (MediaStatus.PROCESSING, None, {})
    assert (now.status, {name.split("/")[0] for name in renditions_of(media)}) == (
        MediaStatus.READY,
        {f"public:{now.generation}"},
    )


def test_while_the_storage_is_down_the_delivery_is_asked_for_again(consumer, monkeypatch):
    media = uploaded(PICTURE, "image/png")
    delivery = announced(media)
    gcs.forget()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    monkeypatch.setattr(gcs, "_RETRIES_S", 0.1)
    refused = consumer.deliver(delivery)
    between = media_now(media).status
    gcs.forget()
    monkeypatch.undo()

    accepted = consumer.deliver(delivery)

    assert (refused, between, accepted) == (False, MediaStatus.PROCESSING, True)
    assert media_now(media).status is MediaStatus.READY


# Commits: begun, settled, thumbnails. Storage: one download, two uploads. Each has a before and an after.
STEPS = 2 * (3 + 1 + 2)


@pytest.mark.parametrize("at", range(STEPS))
def test_killed_at_any_step_it_ends_ready(consumer, events, monkeypatch, at):
    vendor = a_vendor()
    product = a_product(vendor)
    media = uploaded(PICTURE, "image/png", store=vendor)
    attached(media, EntityType.PRODUCT_GALLERY, product.id)
    delivery = announced(media)
    left = [at]

    def step():
        left[0] -= 1
        if left[0] == -1:
            raise Killed

    def around(patched, owner, name):
        real = getattr(owner, name)

        def stepping(*args, **kwargs):
            step()
            answer = real(*args, **kwargs)
            step()
            return answer

        patched.setattr(owner, name, stepping)

    with monkeypatch.context() as patched:
        around(patched, Session, "commit")
        around(patched, GoogleObjectStore, "download")
        around(patched, GoogleObjectStore, "upload")
        with pytest.raises(Killed):
            consumer.deliver(delivery)

    # A killed instance leaves its lease behind until it ends.
    redis.client().flushdb()
    again = consumer.deliver(delivery)

    now = media_now(media)
    assert (again, now.status) == (True, MediaStatus.READY)
    assert thumbnail_of(product) == now.thumbnail_url
    assert len(renditions_of(media)) == 2
    assert len(events.emitted(MediaProcessed)) == 1


def test_of_rival_deliveries_one_is_announced(committed_database, consumer, events):
    media = uploaded(PICTURE, "image/png")
    deliveries = [announced(media) for _ in range(3)]
    rivals = [threading.Thread(target=consumer.deliver, args=(delivery,)) for delivery in deliveries]

    for rival in rivals:
        rival.start()
    for rival in rivals:
        rival.join()

    assert media_now(media).status is MediaStatus.READY
    assert len(events.emitted(MediaProcessed)) == 1
    assert len(renditions_of(media)) == 2


@pytest.mark.parametrize(("position", "shown"), [(0, True), (1, False)])
def test_the_first_picture_of_a_gallery_is_the_thumbnail_once_it_is_ready(consumer, position, shown):
    vendor = a_vendor()
    product = a_product(vendor)
    first = uploaded(PICTURE, "image/png", store=vendor)
    media = uploaded(PICTURE, "image/png", store=vendor)
    attached(first, EntityType.PRODUCT_GALLERY, product.id, 1 - position)
    attached(media, EntityType.PRODUCT_GALLERY, product.id, position)

    consumer.deliver(announced(media))
    alone = thumbnail_of(product)
    consumer.deliver(announced(first))

    assert alone == media_now(media).thumbnail_url
    assert (thumbnail_of(product) == media_now(media).thumbnail_url) is shown
