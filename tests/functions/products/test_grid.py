"""The buyers' grid: what it shows of a product, whose products are in it, its pages and what they cost."""

from datetime import timedelta
from decimal import Decimal
from itertools import chain
from uuid import uuid4

import pytest

from shared.catalog.models import Classification, Product, PromoKind
from shared.identity.models import KycStatus, Store
from shared.identity.permissions import Role
from shared.kit import clock
from shared.kit.db import transaction
from shared.media.kinds import MediaKind
from shared.media.models import MediaStatus
from tests.builders.media import a_media
from tests.builders.products import a_product, a_promo
from tests.builders.stores import OKLAHOMA_CITY, TULSA, a_buyer, a_vendor
from tests.cost import counting

HIDDEN = [
    ({}, {"is_active": False}),
    ({}, {"deleted_at": clock.now()}),
    ({"deleted_at": clock.now()}, {}),
    ({"kyc_status": KycStatus.SUSPENDED}, {}),
    ({"kyc_status": KycStatus.EXPIRED}, {}),
    ({"subscription_active": False}, {}),
    ({"state": "NM"}, {}),
    ({"delivery_radius_meters": 157_285, **TULSA}, {}),
]


@pytest.fixture
def buyer(grid):
    return grid.as_member(a_buyer(), Role.VIEWER)


def titles(reply):
    return [row["title"] for row in reply.data]


def pages_of(caller, limit, **query):
    """All titles from the first page to the last, following `next`; and the way back, following `prev`."""
    there, back, reply = [], [], caller.get(limit=limit, **query)
    while True:
        there.append(titles(reply))
        if reply.page["next"] is None:
            break
        reply = caller.get(limit=limit, cursor=reply.page["next"], **query)
    while reply.page["prev"] is not None:
        reply = caller.get(limit=limit, cursor=reply.page["prev"], **query)
        back.insert(0, titles(reply))
    return there, [*back, there[-1]]


def test_a_row_shows_the_product_and_who_sells_it(buyer, freeze):
    freeze(clock.now())
    vendor = a_vendor(company_name="Red River Farms LLC", dba_name="Red River", slug="red-river", city="Tulsa", **TULSA)
    product = a_product(
        vendor,
        sku="BD-35",
        title="Blue Dream, indoor",
        subtitle="Small batch",
        moq=8,
        max_qty=80,
        compare_at_price_cents=3_000,
        feelings=["happy"],
        flavors=["sweet"],
        usage=["sleep"],
        tags=["new"],
        is_featured=True,
        thumbnail_url="https://cdn.example.com/1.webp",
        rating_count=3,
        rating_sum=14,
        tiers={10: "5"},
    )

    (row,) = buyer.get().data

    assert row == {
        "id": str(product.id),
        "sku": "BD-35",
        "title": "Blue Dream, indoor",
        "subtitle": "Small batch",
        "category": "flower",
        "classification": "hybrid",
        "strain": "Blue Dream",
        "unit": "eighth",
        "moq": 8,
        "max_qty": 80,
        "price_cents": 2_500,
        "compare_at_price_cents": 3_000,
        "thc_percent": "21.50",
        "cbd_percent": "0.10",
        "feelings": ["happy"],
        "flavors": ["sweet"],
        "usage": ["sleep"],
        "tags": ["new"],
        "is_featured": True,
        "has_promo": True,
        "thumbnail_url": "https://cdn.example.com/1.webp",
        "availability": "in_stock",
        "rating": {"count": 3, "average": "4.67"},
        "vendor": {
            "id": str(vendor.id),
            "name": "Red River",
            "slug": "red-river",
            "city": "Tulsa",
            "logo_url": None,
            "distance_meters": 157_285,
        },
        "created_at": clock.now().isoformat().replace("+00:00", "Z"),
    }


def test_a_logo_is_shown_once_it_is_ready(buyer):
    vendor = a_vendor()
    logo = a_media(vendor, MediaKind.STORE, status=MediaStatus.READY, public_url="https://cdn.example.com/logo.webp")
    a_product(a_vendor(logo_media_id=logo.id), title="Ready")
    waiting = a_media(vendor, MediaKind.STORE, public_url="https://cdn.example.com/early.webp")
    a_product(a_vendor(logo_media_id=waiting.id), title="Waiting")

    shown = {row["title"]: row["vendor"]["logo_url"] for row in buyer.get().data}

    assert shown == {"Ready": "https://cdn.example.com/logo.webp", "Waiting": None}


@pytest.mark.parametrize(
    ("available_qty", "threshold", "band"), [(7, 0, "out"), (8, 8, "low"), (9, 8, "in_stock"), (0, 0, "out")]
)
def test_availability_is_a_band(buyer, available_qty, threshold, band):
    a_product(moq=8, available_qty=available_qty, low_stock_threshold=threshold)

    assert [row["availability"] for row in buyer.get().data] == [band]


@pytest.mark.parametrize(("vendor", "product"), HIDDEN)
def test_what_is_hidden_is_in_no_list_and_answers_as_if_it_were_not_there(buyer, vendor, product):
    hidden = a_product(a_vendor(**vendor), **product)
    a_product(title="Seen")

    listed = buyer.get(include_total="true", facets="category")
    searched = buyer.get(q="blue dream")
    shown = buyer.get(f"/{hidden.id}")
    unknown = buyer.get(f"/{uuid4()}")

    assert (titles(listed), listed.json["total"]) == (["Seen"], 1)
    assert listed.json["facets"]["category"] == [{"value": "flower", "label": "flower", "count": 1}]
    assert titles(searched) == ["Seen"]
    assert (shown.status, shown.error.code, shown.error.message) == (404, "NOT_FOUND", unknown.error.message)


def test_each_buyer_sees_the_vendors_around(grid):
    a_product(a_vendor(delivery_radius_meters=50_000), title="City")
    a_product(a_vendor(delivery_radius_meters=50_000, **TULSA), title="Tulsa")
    a_product(a_vendor(state="NM"), title="New Mexico")

    seen = [titles(grid.as_member(a_buyer(**place)).get()) for place in (OKLAHOMA_CITY, TULSA, {"state": "NM"})]

    assert seen == [["City"], ["Tulsa"], ["New Mexico"]]


def test_a_vendor_that_loses_its_license_disappears_at_once(buyer, grid):
    product = a_product()
    assert titles(buyer.get()) == [product.title]

    with transaction() as session:
        session.get_one(Store, product.vendor_store_id).kyc_status = KycStatus.EXPIRED

    assert titles(buyer.get()) == []


SORTS = {
    "newest": lambda p: (-p["n"],),
    "price": lambda p: (p["price_cents"], p["n"]),
    "-price": lambda p: (-p["price_cents"], -p["n"]),
    "thc": lambda p: (-(p["thc_percent"] or 0), -p["n"]),
    "distance": lambda p: (p["far"], p["n"]),
}


def a_dozen_and_more():
    """15 products of two vendors with repeated prices and potencies, in order of creation."""
    near, far = a_vendor(), a_vendor(**TULSA)
    made = []
    for n in range(15):
        fields = {"price_cents": 1_000 + n % 3 * 100, "thc_percent": None if n % 5 == 0 else Decimal(n % 4)}
        created_at = clock.now() + timedelta(seconds=n // 2)
        a_product(far if n % 3 == 0 else near, title=f"Product {n:02}", created_at=created_at, **fields)
        made.append({"n": n, "title": f"Product {n:02}", "far": n % 3 == 0, **fields})
    return made


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("words", [{}, {"q": "blue"}])
def test_pages_are_total_in_every_order_there_and_back(buyer, sort, words):
    made = a_dozen_and_more()

    there, back = pages_of(buyer, 4, sort=sort, **words)

    assert list(chain(*there)) == [p["title"] for p in sorted(made, key=SORTS[sort])]
    assert [len(page) for page in there] == [4, 4, 4, 3]
    assert back == there


def test_rows_added_meanwhile_neither_repeat_nor_displace_any(buyer):
    for n in range(6):
        a_product(title=f"Old {n}")
    first = buyer.get(limit=3)
    a_product(title="New")

    second = buyer.get(limit=3, cursor=first.page["next"])

    assert titles(first) + titles(second) == [f"Old {n}" for n in (5, 4, 3, 2, 1, 0)]


def test_a_cursor_keeps_its_place_when_the_row_it_stands_on_moves_or_goes(buyer):
    made = [a_product(title=f"For {cents}", price_cents=cents) for cents in (100, 200, 300, 400)]
    cursor = buyer.get(limit=2, sort="price").page["next"]
    with transaction() as session:
        session.get_one(Product, made[1].id).price_cents = 350
    moved = buyer.get(limit=2, sort="price", cursor=cursor)
    with transaction() as session:
        session.get_one(Product, made[1].id).deleted_at = clock.now()

    gone = buyer.get(limit=2, sort="price", cursor=cursor)

    assert titles(moved) == ["For 300", "For 200"]
    assert titles(gone) == ["For 300", "For 400"]


def test_a_cursor_is_good_for_its_own_filters_only(buyer):
    for n in range(3):
        a_product(title=f"Product {n}")
    cursor = buyer.get(limit=1).page["next"]

    other_filter = buyer.get(limit=1, cursor=cursor, category="edible")
    other_sort = buyer.get(limit=1, cursor=cursor, sort="price")
    tampered = buyer.get(limit=1, cursor=cursor[:-2] + "AA")

    assert [(r.status, r.error.fields) for r in (other_filter, other_sort, tampered)] == [(400, ["cursor"])] * 3


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"q": "blue dream", "facets": "category,strain,vendor_store_id", "include_total": "true"},
        {"sort": "distance", "has_promo": "true", "include_total": "true"},
        {"facets": "category,classification,strain,feelings,flavors,usage,vendor_store_id", "in_stock": "true"},
    ],
)
def test_a_page_costs_two_statements_whatever_is_asked_for(buyer, query):
    vendor = a_vendor()
    a_promo(vendor)
    costs = []
    for more in (1, 9):
        for _ in range(more):
            a_product(vendor, tiers={5: "3"})
        with counting() as cost:
            assert len(buyer.get(**query).data) == (1 if more == 1 else 10)
        costs.append((cost.sql, cost.redis))

    assert costs == [(2, 2), (2, 2)]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"color": "green"}, "color"),
        ({"category": "flower,shoes"}, "category[1]"),
        ({"sort": "cheapest"}, "sort"),
        ({"sort": "relevance"}, "sort"),
        ({"limit": "101"}, "limit"),
        ({"price_min_cents": "-1"}, "price_min_cents"),
        ({"thc_min": "101"}, "thc_min"),
        ({"thc_min": "1e-20000"}, "thc_min"),
        ({"q": "x" * 10_000}, "q"),
        ({"q": ""}, "q"),
        ({"facets": "price"}, "facets[0]"),
        ({"vendor_store_id": "42"}, "vendor_store_id[0]"),
        ({"cursor": "nonsense"}, "cursor"),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(buyer, query, field):
    reply = buyer.get(**query)

    assert (reply.status, reply.error.code, reply.error.fields) == (400, "VALIDATION_ERROR", [field])


def test_only_buyers_browse(grid):
    product = a_product()

    for path in ("", f"/{product.id}"):
        stranger, vendor = grid.get(path), grid.as_member(a_vendor()).get(path)
        assert (stranger.status, stranger.error.code) == (401, "UNAUTHORIZED")
        assert (vendor.status, vendor.error.code, vendor.error.reason) == (403, "FORBIDDEN", "store_type")


def test_a_fixed_promo_counts_as_a_promo_while_it_is_good(buyer, freeze):
    now = clock.now()
    freeze(now)
    used_up = {"max_redemptions": 1, "redeemed_count": 1}
    for title, fields in {
        "Good": {"kind": PromoKind.FIXED, "value": Decimal(500)},
        "Off": {"is_active": False},
        "From now on": {"starts_at": now},
        "Not yet over": {"ends_at": now + timedelta(microseconds=1)},
        "Over": {"ends_at": now},
        "Early": {"starts_at": now + timedelta(microseconds=1)},
        "Used up": used_up,
    }.items():
        vendor = a_vendor()
        a_product(vendor, title=title, classification=Classification.INDICA)
        a_promo(vendor, **fields)

    assert {row["title"]: row["has_promo"] for row in buyer.get().data} == {
        "Good": True,
        "From now on": True,
        "Not yet over": True,
        "Off": False,
        "Over": False,
        "Early": False,
        "Used up": False,
    }
