"""One product as a buyer sees it."""

from io import BytesIO

import httpx
import pytest

from shared.identity.permissions import Role
from shared.integrations.gcs import object_store
from shared.kit.db import transaction
from shared.media.kinds import MediaKind
from shared.media.models import EntityType, MediaStatus
from shared.media.storage import MediaSettings
from tests.builders.media import a_media, attached
from tests.builders.products import a_product
from tests.builders.stores import a_buyer, a_vendor
from tests.cost import counting
from tests.patience import PATIENCE_S


@pytest.fixture
def buyer(grid):
    return grid.as_member(a_buyer(), Role.VIEWER)


def a_picture(vendor, n, **fields):
    return a_media(
        vendor,
        status=MediaStatus.READY,
        public_url=f"https://cdn.example.com/{n}.webp",
        thumbnail_url=f"https://cdn.example.com/{n}-480.webp",
        **fields,
    )


def test_the_detail_tells_more_than_the_grid(buyer):
    product = a_product(body_html="<p>Dense buds.</p>", tiers={32: "7.5", 8: "2.25"})
    row = buyer.get().data[0]

    shown = buyer.get(f"/{product.id}").data

    assert shown == row | {
        "body_html": "<p>Dense buds.</p>",
        "volume_discounts": [
            {"min_qty": 8, "discount_percent": "2.2500"},
            {"min_qty": 32, "discount_percent": "7.5000"},
        ],
        "gallery": [],
        "coa_url": None,
        "is_wishlisted": False,
    }


def test_the_gallery_shows_what_is_ready_in_its_order(buyer):
    vendor = a_vendor()
    product = a_product(vendor)
    first, second = a_picture(vendor, 1), a_picture(vendor, 2)
    waiting = a_media(vendor, status=MediaStatus.PROCESSING)
    for position, media in enumerate((second, waiting, first)):
        attached(media, EntityType.PRODUCT_GALLERY, product.id, position)

    shown = buyer.get(f"/{product.id}").data

    assert shown["gallery"] == [
        {
            "media_id": str(media.id),
            "mime_type": media.mime_type,
            "url": f"https://cdn.example.com/{n}.webp",
            "thumbnail_url": f"https://cdn.example.com/{n}-480.webp",
        }
        for media, n in ((second, 2), (first, 1))
    ]


def test_the_lab_report_is_read_by_a_signed_link(buyer):
    vendor = a_vendor()
    coa = a_media(vendor, MediaKind.COA)
    product = a_product(vendor, coa_media_id=coa.id)
    bucket = MediaSettings.current().media_bucket
    object_store().upload(bucket, coa.object_key, BytesIO(b"%PDF-1.7"), content_type="application/pdf")

    url = buyer.get(f"/{product.id}").data["coa_url"]

    assert httpx.get(url, timeout=PATIENCE_S).content == b"%PDF-1.7"


def test_a_lab_report_on_its_way_out_is_not_linked(buyer):
    vendor = a_vendor()
    coa = a_media(vendor, MediaKind.COA, status=MediaStatus.DELETE_REQUESTED)
    product = a_product(vendor, coa_media_id=coa.id)

    assert buyer.get(f"/{product.id}").data["coa_url"] is None


def test_a_detail_costs_the_same_however_much_there_is_to_it(buyer):
    vendor = a_vendor()
    bare, rich = a_product(vendor), a_product(vendor, tiers=dict.fromkeys(range(2, 12), "1"))
    for position in range(5):
        attached(a_picture(vendor, position), EntityType.PRODUCT_GALLERY, rich.id, position)

    costs = []
    for product in (bare, rich):
        with counting() as cost:
            buyer.get(f"/{product.id}")
        costs.append(cost.sql)

    assert costs == [3, 3]


def test_no_parameters_are_taken(buyer):
    product = a_product()

    reply = buyer.get(f"/{product.id}", full="true")

    assert (reply.status, reply.error.fields) == (400, ["full"])


def test_a_store_that_is_gone_sees_nothing(grid):
    from shared.identity.models import Store
    from shared.kit import clock

    store, product = a_buyer(), a_product()
    caller = grid.as_member(store)
    with transaction() as session:
        session.get_one(Store, store.id).deleted_at = clock.now()

    assert [caller.get().status, caller.get(f"/{product.id}").status] == [404, 404]
