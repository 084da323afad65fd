"""The thumbnail of a product follows its gallery, also when a picture becomes ready or goes."""

from sqlalchemy import delete

from shared.catalog.gallery import refresh_thumbnails
from shared.catalog.models import Product
from shared.kit.db import read_only, transaction
from shared.media.models import EntityType, Media, MediaAttachment, MediaStatus
from tests.builders.media import a_media, attached
from tests.builders.products import a_product
from tests.builders.stores import a_vendor


def thumbnails():
    with read_only() as session:
        return {product.title: product.thumbnail_url for product in session.query(Product)}


def become_ready(media, n):
    with transaction() as session:
        held = session.get_one(Media, media.id)
        held.status, held.thumbnail_url = MediaStatus.READY, f"https://cdn.example.com/{n}.webp"
        session.flush()
        refresh_thumbnails(session, media.id)


def test_the_first_picture_that_is_ready_is_the_thumbnail():
    vendor = a_vendor()
    first, second = a_media(vendor), a_media(vendor)
    both, one = a_product(vendor, title="Both"), a_product(vendor, title="One")
    a_product(vendor, title="Other", thumbnail_url="https://cdn.example.com/other.webp")
    for position, media in enumerate((first, second)):
        attached(media, EntityType.PRODUCT_GALLERY, both.id, position)
    attached(second, EntityType.PRODUCT_GALLERY, one.id)
    others = {"Other": "https://cdn.example.com/other.webp"}

    become_ready(second, 2)
    assert thumbnails() == others | dict.fromkeys(("Both", "One"), "https://cdn.example.com/2.webp")

    become_ready(first, 1)
    assert thumbnails()["Both"] == "https://cdn.example.com/1.webp"


def test_a_picture_that_goes_leaves_its_place_to_the_next():
    vendor = a_vendor()
    pictures = [a_media(vendor), a_media(vendor)]
    product = a_product(vendor, title="Both")
    for position, media in enumerate(pictures):
        attached(media, EntityType.PRODUCT_GALLERY, product.id, position)
        become_ready(media, position)

    with transaction() as session:
        session.get_one(Media, pictures[0].id).status = MediaStatus.DELETE_REQUESTED
        session.flush()
        refresh_thumbnails(session, pictures[0].id)
        session.execute(delete(MediaAttachment).where(MediaAttachment.media_id == pictures[0].id))

    assert thumbnails() == {"Both": "https://cdn.example.com/1.webp"}
