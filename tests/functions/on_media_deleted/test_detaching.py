"""A file that goes leaves no trace in what used it; what must be kept is kept."""

import pytest
from sqlalchemy import select, update

from shared.catalog.models import Product
from shared.identity.models import Store, User
from shared.kit import redis
from shared.kit.db import read_only, transaction
from shared.media import attachments
from shared.media.models import EntityType, Media, MediaAttachment, MediaStatus
from tests.builders.media import a_media, attached
from tests.builders.products import a_product
from tests.builders.stores import a_member, a_vendor
from tests.events import audited
from tests.functions.on_media_deleted.conftest import asked_to_go, objects_of, with_renditions
from tests.media import media_now, users_of


def row_of(model, row_id):
    with read_only() as session:
        return session.get(model, row_id)


def gallery_of(product):
    with read_only() as session:
        rows = session.scalars(
            select(MediaAttachment).where(MediaAttachment.entity_id == product.id).order_by(MediaAttachment.position)
        )
        return [(row.position, row.media_id) for row in rows]


def a_picture(store, name):
    return a_media(store, status=MediaStatus.READY, thumbnail_url=f"https://pictures.example.com/{name}.webp")


@pytest.mark.parametrize(
    ("gone", "left", "thumbnail"),
    [(0, [1, 2], "b"), (1, [0, 2], "a"), (2, [0, 1], "a")],
)
def test_a_gallery_closes_its_gap_and_keeps_its_thumbnail_true(consumer, gone, left, thumbnail):
    vendor = a_vendor()
    product = a_product(vendor, thumbnail_url="https://pictures.example.com/a.webp")
    pictures = [a_picture(vendor, name) for name in "abc"]
    for place, picture in enumerate(pictures):
        attached(picture, EntityType.PRODUCT_GALLERY, product.id, place)

    acknowledged = consumer.deliver(asked_to_go(pictures[gone]))

    assert acknowledged
    assert gallery_of(product) == [(place, pictures[n].id) for place, n in enumerate(left)]
    assert row_of(Product, product.id).thumbnail_url == f"https://pictures.example.com/{thumbnail}.webp"
    assert row_of(Media, pictures[gone].id) is None


def test_every_gallery_closes_its_own_gap(consumer):
    vendor = a_vendor()
    shared, first, last = (a_media(vendor) for _ in range(3))
    one, other = a_product(vendor), a_product(vendor)
    for product, pictures in ((one, [shared, first, last]), (other, [first, shared])):
        for place, picture in enumerate(pictures):
            attached(picture, EntityType.PRODUCT_GALLERY, product.id, place)

    consumer.deliver(asked_to_go(shared))

    assert gallery_of(one) == [(0, first.id), (1, last.id)]
    assert gallery_of(other) == [(0, first.id)]


def test_the_last_picture_takes_the_thumbnail_along(consumer):
    vendor = a_vendor()
    product = a_product(vendor, thumbnail_url="https://pictures.example.com/a.webp")
    picture = a_picture(vendor, "a")
    attached(picture, EntityType.PRODUCT_GALLERY, product.id)

    consumer.deliver(asked_to_go(picture))

    assert (gallery_of(product), row_of(Product, product.id).thumbnail_url) == ([], None)


@pytest.mark.parametrize(
    ("kind", "entity_type", "model", "column"),
    [
        ("coa", EntityType.PRODUCT_COA, Product, "coa_media_id"),
        ("store", EntityType.STORE_LOGO, Store, "logo_media_id"),
        ("store", EntityType.STORE_BANNER, Store, "banner_media_id"),
        ("user", EntityType.USER_AVATAR, User, "avatar_media_id"),
    ],
)
def test_a_single_place_becomes_empty(consumer, kind, entity_type, model, column):
    vendor = a_vendor()
    entity_id = {Product: lambda: a_product(vendor), Store: lambda: vendor, User: lambda: a_member(vendor)}[model]().id
    media, other = a_media(vendor, kind), a_media(vendor, kind)
    attached(media, entity_type, entity_id)
    with transaction() as session:
        session.execute(update(model).where(model.id == entity_id).values({column: media.id}))
    unrelated = a_vendor(logo_media_id=other.id)

    consumer.deliver(asked_to_go(media))

    assert getattr(row_of(model, entity_id), column) is None
    assert row_of(Media, media.id) is None
    assert users_of(media) == []
    assert row_of(Store, unrelated.id).logo_media_id == other.id
    assert ("media.detached", media.id, None) in audited()


def test_a_place_that_shows_another_file_by_now_keeps_it(consumer):
    vendor = a_vendor()
    old, new = a_media(vendor, "store"), a_media(vendor, "store")
    attached(old, EntityType.STORE_LOGO, vendor.id)
    with transaction() as session:
        session.execute(update(Store).where(Store.id == vendor.id).values(logo_media_id=new.id))

    consumer.deliver(asked_to_go(old))

    assert row_of(Store, vendor.id).logo_media_id == new.id


@pytest.mark.parametrize(
    ("kind", "entity_type"),
    [
        ("license_doc", EntityType.LICENSE),
        ("ads", EntityType.AD_CREATIVE),
        ("manifest", EntityType.ORDER_MANIFEST),
        ("other", EntityType.ORDER_SIGNATURE),
    ],
)
def test_what_must_be_kept_since_is_kept(consumer, events, kind, entity_type):
    media = with_renditions(a_media(kind=kind, status=MediaStatus.READY))
    objects = objects_of(media)
    gallery = a_product()
    attached(media, EntityType.PRODUCT_GALLERY, gallery.id)
    delivery = asked_to_go(media)
    keeper = attached(media, entity_type)

    acknowledged = consumer.deliver(delivery)

    held = media_now(media)
    assert acknowledged
    assert (held.status, held.status_before_deletion, held.delete_requested_at) == (MediaStatus.READY, None, None)
    assert held.ready_at == media.ready_at
    assert users_of(media) == sorted([("product_gallery", gallery.id), (entity_type.value, keeper)])
    assert objects_of(media) == objects
    assert audited() == [
        ("media.deletion_refused", media.id, {"status": "ready", "kept_by": [f"{entity_type}:{keeper}"]})
    ]
    assert events.types() == ["media_deleted"]


def test_an_archived_ad_does_without_its_creative(consumer):
    media = with_renditions(a_media(kind="ads", status=MediaStatus.READY))
    archived = attached(media, EntityType.AD_CREATIVE)
    with transaction() as session:
        attachments.release(session, EntityType.AD_CREATIVE, [archived])

    acknowledged = consumer.deliver(asked_to_go(media))

    assert acknowledged
    assert (row_of(Media, media.id), users_of(media), objects_of(media)) == (None, [], [])
    assert [action for action, _, _ in audited()] == ["media.detached", "media.deleted"]


def test_a_refused_file_may_be_asked_to_go_again(consumer):
    media = with_renditions(a_media(kind="license_doc", status=MediaStatus.READY))
    delivery = asked_to_go(media)
    attached(media, EntityType.LICENSE)
    consumer.deliver(delivery)
    with transaction() as session:
        session.query(MediaAttachment).delete()

    redis.client().flushdb()
    repeated = consumer.deliver(delivery)
    kept = media_now(media).status
    consumer.deliver(asked_to_go(media))

    assert (repeated, kept) == (True, MediaStatus.READY)
    assert (row_of(Media, media.id), objects_of(media)) == (None, [])


def test_statements_do_not_grow_with_the_users(consumer, statements):
    costs = []
    for size in (1, 30):
        vendor = a_vendor()
        picture, other = a_media(vendor), a_media(vendor)
        for _ in range(size):
            product = a_product(vendor)
            attached(picture, EntityType.PRODUCT_GALLERY, product.id, 0)
            attached(other, EntityType.PRODUCT_GALLERY, product.id, 1)
        delivery = asked_to_go(picture)
        with statements() as cost:
            consumer.deliver(delivery)
        costs.append(cost.sql)

    assert costs[0] == costs[1]
