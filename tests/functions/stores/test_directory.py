"""The vendor directory: whom a buyer finds, how far away, in which order, and what it costs."""

import math
from contextlib import contextmanager
from itertools import chain
from random import Random
from uuid import uuid4

import pytest
from sqlalchemy import Engine, event, text

from shared.identity.models import KycStatus
from shared.identity.permissions import Role
from shared.kit import clock
from shared.kit.db import transaction
from shared.media.kinds import MediaKind
from shared.media.models import MediaStatus
from tests.builders.media import a_media
from tests.builders.stores import OKLAHOMA_CITY, TULSA, a_buyer, a_vendor
from tests.cost import counting

HIDDEN = [
    {"deleted_at": clock.now()},
    {"kyc_status": KycStatus.SUSPENDED},
    {"kyc_status": KycStatus.PENDING_VERIFICATION},
    {"kyc_status": KycStatus.REJECTED},
    {"kyc_status": KycStatus.EXPIRED},
    {"subscription_active": False},
    {"state": "NM"},
    {"delivery_radius_meters": 157_285, **TULSA},
]


@pytest.fixture
def directory(api):
    return api.under("/api/v1/stores/vendors")


@pytest.fixture
def buyer(directory):
    return directory.as_member(a_buyer(), Role.VIEWER)


def names(reply):
    return [row["name"] for row in reply.data]


def pages_of(caller, limit, **query):
    """The names of all pages from the first to the last, and those of the way back."""
    there, back, reply = [], [], caller.get(limit=limit, **query)
    while True:
        there.append(names(reply))
        if reply.page["next"] is None:
            break
        reply = caller.get(limit=limit, cursor=reply.page["next"], **query)
    while reply.page["prev"] is not None:
        reply = caller.get(limit=limit, cursor=reply.page["prev"], **query)
        back.insert(0, names(reply))
    return there, [*back, there[-1]]


def haversine_meters(one, other):
    """The distance on a sphere of the earth's mean radius."""
    lat1, lng1, lat2, lng2 = (math.radians(p[k]) for p in (one, other) for k in ("lat", "lng"))
    a = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lng2 - lng1) / 2) ** 2
    return 2 * 6_371_008.8 * math.asin(math.sqrt(a))


def test_a_row_shows_the_vendor_and_how_far_it_is(buyer):
    vendor = a_vendor(
        company_name="Red River Farms LLC",
        dba_name="Red River",
        slug="red-river",
        city="Tulsa",
        categories=["flower", "pre_roll"],
        rating_count=3,
        rating_sum=14,
        **TULSA,
    )

    reply = buyer.get()

    assert reply.status == 200
    assert reply.data == [
        {
            "id": str(vendor.id),
            "name": "Red River",
            "slug": "red-river",
            "logo_url": None,
            "banner_url": None,
            "city": "Tulsa",
            "state": "OK",
            "categories": ["flower", "pre_roll"],
            "distance_meters": 157_285,
            "rating": {"count": 3, "average": "4.67"},
        }
    ]


def test_pictures_are_shown_once_they_are_ready(buyer):
    owner = a_vendor()
    ready = a_media(owner, MediaKind.STORE, status=MediaStatus.READY, public_url="https://cdn.example.com/a.webp")
    early = a_media(owner, MediaKind.STORE, public_url="https://cdn.example.com/b.webp")
    a_vendor(company_name="Ready", logo_media_id=ready.id, banner_media_id=ready.id)
    a_vendor(company_name="Early", logo_media_id=early.id, banner_media_id=early.id)

    shown = {row["name"]: (row["logo_url"], row["banner_url"]) for row in buyer.get(q="r").data}

    assert shown["Ready"] == ("https://cdn.example.com/a.webp", "https://cdn.example.com/a.webp")
    assert shown["Early"] == (None, None)


@pytest.mark.parametrize("origin", [{}, {"lat": 34.6036, "lng": -98.3959}])
def test_the_nearest_come_first_as_a_plain_calculation_says(buyer, origin):
    rng = Random(1907)
    places = {}
    for _ in range(40):
        place = {"lat": round(rng.uniform(33.7, 36.9), 4), "lng": round(rng.uniform(-102.9, -94.5), 4)}
        places[a_vendor(**place).name] = place
    here = origin or OKLAHOMA_CITY

    reply = buyer.get(limit=100, **origin)

    assert names(reply) == sorted(places, key=lambda name: haversine_meters(here, places[name]))
    for row in reply.data:
        # The earth is no sphere: its radius differs by a third of a percent.
        assert row["distance_meters"] == pytest.approx(haversine_meters(here, places[row["name"]]), rel=0.004)


@pytest.mark.parametrize(("radius", "found"), [(157_285, ["City"]), (157_286, ["City", "Tulsa"])])
def test_the_radius_ends_where_it_says(buyer, radius, found):
    # 157,285.1 m, by Vincenty's formula.
    a_vendor(company_name="Tulsa", **TULSA)
    a_vendor(company_name="City")

    assert names(buyer.get(radius_m=radius)) == found


def test_a_given_position_measures_and_hides_nobody(buyer):
    a_vendor(company_name="City", delivery_radius_meters=1_000)
    a_vendor(company_name="Tulsa", **TULSA)
    a_vendor(company_name="Tulsa only", delivery_radius_meters=1_000, **TULSA)

    from_tulsa = buyer.get(**TULSA)
    around_tulsa = buyer.get(radius_m=10_000, **TULSA)

    assert [(row["name"], row["distance_meters"]) for row in from_tulsa.data] == [("Tulsa", 0), ("City", 157_285)]
    assert names(around_tulsa) == ["Tulsa"]


def test_vendors_are_narrowed_by_category_name_and_city(buyer):
    a_vendor(company_name="Red River 100% LLC", categories=["flower", "edible"], city="Norman")
    a_vendor(company_name="Legal name LLC", dba_name="Blue Stem", categories=["vape"], city="Moore")
    a_vendor(company_name="Nothing yet", categories=[])

    found = {
        query: names(buyer.get(sort="name", **dict([query.split("=")])))
        for query in (
            *("categories=flower", "categories=vape,edible", "categories=seed", "q=RED RIV"),
            *("q=blue", "q=legal", "q=norm", "q=%", "q=_"),
        )
    }

    assert found == {
        "categories=flower": ["Red River 100% LLC"],
        "categories=vape,edible": ["Blue Stem", "Red River 100% LLC"],
        "categories=seed": [],
        "q=RED RIV": ["Red River 100% LLC"],
        "q=blue": ["Blue Stem"],
        "q=legal": [],
        "q=norm": ["Red River 100% LLC"],
        "q=%": ["Red River 100% LLC"],
        "q=_": [],
    }


SORTS = {
    "distance": lambda v: (v["far"], v["n"]),
    "rating": lambda v: (
        -(v["rating_sum"] / v["rating_count"] if v["rating_count"] else 0),
        -v["rating_count"],
        -v["n"],
    ),
    "name": lambda v: (v["name"].lower(), v["n"]),
}


def some_vendors():
    """15 vendors with repeated names, ratings and places, in order of creation."""
    made = []
    for n in range(15):
        count = n % 4
        fields = {"rating_count": count, "rating_sum": count * (n % 3 + 2) + (count > 2)}
        name = f"{'red' if n % 2 else 'Red'} River {n % 5}"
        a_vendor(company_name=name, **fields, **(TULSA if n % 3 == 0 else {}))
        made.append({"n": n, "name": name, "far": n % 3 == 0, **fields})
    return made


@pytest.mark.parametrize("sort", SORTS)
def test_pages_are_total_in_every_order_there_and_back(buyer, sort):
    made = some_vendors()

    there, back = pages_of(buyer, 4, sort=sort)

    assert list(chain(*there)) == [v["name"] for v in sorted(made, key=SORTS[sort])]
    assert [len(page) for page in there] == [4, 4, 4, 3]
    assert back == there


@pytest.mark.parametrize("sort", SORTS)
def test_no_vendor_repeats_or_vanishes_while_others_are_added(buyer, sort):
    made = [a_vendor(company_name=f"Old {n}", rating_count=2, rating_sum=6) for n in range(9)]
    seen, reply = [], buyer.get(sort=sort, limit=2)
    for n in range(20):
        seen += names(reply)
        if reply.page["next"] is None:
            break
        # One that sorts first, one that sorts last, one in between.
        a_vendor(company_name=f"A new {n}", rating_count=9, rating_sum=45)
        a_vendor(company_name=f"Z new {n}", **TULSA)
        a_vendor(company_name=f"Old 4 new {n}", rating_count=2, rating_sum=6)
        reply = buyer.get(sort=sort, limit=2, cursor=reply.page["next"])

    old = {vendor.name for vendor in made}
    assert sorted(name for name in seen if name in old) == sorted(old)
    assert len(seen) == len(set(seen))


def test_a_cursor_is_good_for_its_own_question_only(buyer):
    some_vendors()
    cursor = buyer.get(limit=1).page["next"]

    others = [
        buyer.get(limit=1, cursor=cursor, **query)
        for query in ({"sort": "name"}, {"radius_m": 5}, {"q": "red"}, TULSA, {"categories": "vape"})
    ]

    assert [(r.status, r.error.fields) for r in others] == [(400, ["cursor"])] * 5


@pytest.mark.parametrize("fields", HIDDEN)
def test_a_hidden_vendor_is_in_no_list_and_has_no_storefront(buyer, fields):
    hidden = a_vendor(slug="hidden", **fields)
    a_vendor(company_name="Seen")

    listed = buyer.get(include_total="true")
    heads = [buyer.get(f"/{key}") for key in (hidden.id, "hidden", uuid4(), "%00")]
    grid = buyer.get(f"/api/v1/stores/{hidden.id}/products")

    assert (names(listed), listed.json["total"]) == (["Seen"], 1)
    assert {(r.status, r.error.code, r.error.message) for r in (*heads, grid)} == {
        (404, "NOT_FOUND", "There is no such thing here.")
    }


def test_a_buyer_is_no_vendor(buyer):
    other = a_buyer(subscription_active=True)

    assert names(buyer.get()) == []
    assert buyer.get(f"/{other.id}").status == 404


def test_the_head_of_a_storefront_by_id_and_by_slug(buyer):
    logo = a_media(a_vendor(), MediaKind.STORE, status=MediaStatus.READY, public_url="https://cdn.example.com/l.webp")
    vendor = a_vendor(
        company_name="Red River Farms",
        slug="red-river",
        description="Small-batch flower.",
        social_links={"website": "https://redriver.example.com"},
        categories=["flower"],
        delivery_radius_meters=200_000,
        logo_media_id=logo.id,
        phone="+14055550111",
        **TULSA,
    )

    by_id, by_slug = buyer.get(f"/{vendor.id}"), buyer.get("/red-river")

    assert (
        by_id.data
        == by_slug.data
        == {
            "id": str(vendor.id),
            "name": "Red River Farms",
            "slug": "red-river",
            "logo_url": "https://cdn.example.com/l.webp",
            "banner_url": None,
            "city": "Oklahoma City",
            "state": "OK",
            "categories": ["flower"],
            "distance_meters": 157_285,
            "rating": {"count": 0, "average": None},
            "description": "Small-batch flower.",
            "social_links": {
                **dict.fromkeys(("instagram", "facebook", "x", "linkedin", "youtube")),
                "website": "https://redriver.example.com",
            },
            "delivery_radius_meters": 200_000,
            "delivers": True,
        }
    )


def test_whether_a_vendor_delivers_to_another_place(buyer):
    vendor = a_vendor(delivery_radius_meters=50_000)

    told = [buyer.get(f"/{vendor.id}", **place).data for place in ({}, TULSA)]

    assert [(one["delivers"], one["distance_meters"]) for one in told] == [(True, 0), (False, 157_285)]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"lat": "35"}, "lng"),
        ({"lng": "-97"}, "lat"),
        ({"lat": "91", "lng": "0"}, "lat"),
        ({"lat": "nan", "lng": "0"}, "lat"),
        ({"lat": "0", "lng": "181"}, "lng"),
        ({"radius_m": "0"}, "radius_m"),
        ({"radius_m": "1000001"}, "radius_m"),
        ({"categories": "shoes"}, "categories[0]"),
        ({"sort": "newest"}, "sort"),
        ({"q": ""}, "q"),
        ({"color": "green"}, "color"),
        ({"cursor": "nonsense"}, "cursor"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(buyer, query, field):
    a_vendor()

    reply = buyer.get(**query)

    assert (reply.status, reply.error.code, reply.error.fields) == (400, "VALIDATION_ERROR", [field])


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"sort": "rating", "include_total": "true"},
        {"sort": "name", "q": "red", "categories": "flower", "radius_m": "9000", "include_total": "true", **TULSA},
        {"include_total": "true", "radius_m": "9000", "q": "red", "categories": "flower"},
    ],
)
def test_a_page_costs_two_statements_however_many_vendors(buyer, query):
    costs = []
    for more in (1, 9):
        for _ in range(more):
            a_vendor(categories=["flower"], **({k: v for k, v in query.items() if k in TULSA}))
        with counting() as cost:
            assert len(buyer.get(**query).data) == (1 if more == 1 else 10)
        costs.append((cost.sql, cost.redis))

    assert costs == [(2, 2), (2, 2)]


def test_a_head_costs_two_statements(buyer):
    vendor = a_vendor()

    with counting() as cost:
        assert buyer.get(f"/{vendor.slug}").status == 200

    assert cost.sql == 2


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ({"radius_m": 30_000}, "ix_stores_geom"),
        ({"sort": "name"}, "ix_stores_by_name"),
        ({"sort": "rating"}, "ix_stores_by_rating"),
    ],
)
def test_among_thousands_of_vendors_an_index_leads_to_the_page(buyer, query, index):
    thousands_of_vendors()
    first = buyer.get(**query)

    for cursor in ({}, {"cursor": first.page["next"]}):
        with explained() as plans:
            assert len(buyer.get(**query, **cursor).data) == 25
        assert index in plans[-1]
        assert "Seq Scan on stores" not in plans[-1]


def thousands_of_vendors():
    """5,000 in a grid over Oklahoma, and as many buyers."""
    with transaction() as session:
        session.execute(
            text(
                "INSERT INTO stores (id, type, company_name, slug, kyc_status, subscription_active, line1, city, state,"
                " postal_code, lat, lng, rating_count, rating_sum, created_at)"
                " SELECT gen_random_uuid(), kind, 'Farm ' || n, kind || '-of-many-' || n, 'verified', kind = 'vendor',"
                " 'Road', 'Moore', 'OK', '73160', 33.7 + (n % 71) * 0.045, -99 + (n / 71) * 0.06, n % 90, n % 90 * 4,"
                " now() FROM generate_series(1, 5000) AS n, unnest('{buyer,vendor}'::store_type[]) AS kind"
            )
        )
        session.execute(text("ANALYZE stores"))


@contextmanager
def explained():
    """The plan of each statement that reads within the block."""
    plans = []

    def explain(connection, cursor, statement, parameters, context, many):
        if statement.startswith("SELECT"):
            cursor.execute(f"EXPLAIN {statement}", parameters)
            plans.append("\n".join(line for (line,) in cursor.fetchall()))

    event.listen(Engine, "before_cursor_execute", explain)
    try:
        yield plans
    finally:
        event.remove(Engine, "before_cursor_execute", explain)


def test_only_buyers_look_for_vendors(directory):
    vendor = a_vendor()

    for path in ("", f"/{vendor.id}"):
        stranger, seller, admin = (
            caller.get(path) for caller in (directory, directory.as_member(vendor), directory.as_admin())
        )
        assert (stranger.status, seller.status, admin.status) == (401, 403, 403)
        assert seller.error.reason == "store_type"
