"""Every filter and facet of the grid against the same question asked of plain Python values."""

import random
from collections import Counter
from decimal import Decimal

import pytest

from shared.catalog.models import Category, Classification, Feeling, Flavor, Usage
from tests.builders.products import a_product, a_promo
from tests.builders.stores import a_buyer, a_vendor

STRAINS = ["Blue Dream", "Sour Diesel", "Wedding Cake", None]


def some(rng, kind):
    return [value.value for value in rng.sample(list(kind), rng.randint(0, 3))]


@pytest.fixture
def offers(database):
    """48 products of three vendors, one of which has a live promo; drawn by lot, always the same."""
    rng = random.Random(7)
    vendors = [a_vendor(), a_vendor(), a_vendor()]
    a_promo(vendors[2])
    drawn = []
    for n in range(48):
        offer = {
            "title": f"Offer {n:02}",
            "category": rng.choice(list(Category)[:4]),
            "classification": rng.choice([*list(Classification)[:3], None]),
            "strain": rng.choice(STRAINS),
            "price_cents": rng.choice([500, 1_000, 1_500, 2_000]),
            "thc_percent": rng.choice([None, Decimal("5.00"), Decimal("12.50"), Decimal("28.00")]),
            "cbd_percent": rng.choice([None, Decimal("0.10"), Decimal("8.00")]),
            "feelings": some(rng, Feeling),
            "flavors": some(rng, Flavor),
            "usage": some(rng, Usage),
            "moq": rng.choice([1, 10]),
        }
        vendor, available, tiers = rng.choice(vendors), rng.choice([0, 5, 50]), rng.choice([{}, {}, {10: "5"}])
        a_product(vendor, available_qty=available, tiers=tiers, **offer)
        drawn.append(offer | {"vendor": vendor, "available": available, "promo": bool(tiers) or vendor is vendors[2]})
    return drawn


@pytest.fixture
def buyer(grid, offers):
    return grid.as_member(a_buyer())


FILTERS = [
    ({"category": "flower"}, lambda o: o["category"] == "flower"),
    ({"category": "flower,edible"}, lambda o: o["category"] in ("flower", "edible")),
    ({"classification": "indica"}, lambda o: o["classification"] == "indica"),
    ({"strain": "sour diesel,WEDDING CAKE"}, lambda o: o["strain"] in ("Sour Diesel", "Wedding Cake")),
    ({"price_min_cents": 1_000}, lambda o: o["price_cents"] >= 1_000),
    ({"price_max_cents": 1_000}, lambda o: o["price_cents"] <= 1_000),
    ({"price_min_cents": 1_000, "price_max_cents": 1_500}, lambda o: 1_000 <= o["price_cents"] <= 1_500),
    ({"thc_min": "12.5"}, lambda o: o["thc_percent"] is not None and o["thc_percent"] >= Decimal("12.5")),
    ({"thc_max": "12.5"}, lambda o: o["thc_percent"] is not None and o["thc_percent"] <= Decimal("12.5")),
    ({"cbd_min": 1}, lambda o: o["cbd_percent"] is not None and o["cbd_percent"] >= 1),
    ({"cbd_max": 1}, lambda o: o["cbd_percent"] is not None and o["cbd_percent"] <= 1),
    ({"has_promo": "true"}, lambda o: o["promo"]),
    ({"has_promo": "false"}, lambda o: not o["promo"]),
    ({"feelings": "relaxed,happy"}, lambda o: {"relaxed", "happy"} & set(o["feelings"])),
    ({"flavors": "citrus"}, lambda o: "citrus" in o["flavors"]),
    ({"usage": "sleep,anxiety"}, lambda o: {"sleep", "anxiety"} & set(o["usage"])),
    ({"in_stock": "true"}, lambda o: o["available"] >= o["moq"]),
    ({"in_stock": "false"}, lambda o: o["available"] < o["moq"]),
    (
        {"category": "flower,cart", "in_stock": "true", "thc_min": 5, "sort": "price"},
        lambda o: o["category"] in ("flower", "cart") and o["available"] >= o["moq"] and (o["thc_percent"] or 0) >= 5,
    ),
]


@pytest.mark.parametrize(("query", "holds"), FILTERS)
@pytest.mark.parametrize("words", [{}, {"q": "offer"}])
def test_a_filter_leaves_what_plain_python_leaves(buyer, offers, query, holds, words):
    reply = buyer.get(limit=100, include_total="true", **query, **words)

    wanted = sorted(offer["title"] for offer in offers if holds(offer))
    assert 0 < len(wanted) < len(offers)
    assert sorted(row["title"] for row in reply.data) == wanted
    assert reply.json["total"] == len(wanted)


def test_products_of_chosen_vendors(buyer, offers):
    chosen = [offers[0]["vendor"], next(o["vendor"] for o in offers if o["vendor"] is not offers[0]["vendor"])]

    reply = buyer.get(limit=100, vendor_store_id=",".join(str(vendor.id) for vendor in chosen))

    assert len(reply.data) == sum(offer["vendor"] in chosen for offer in offers)


def test_facets_count_what_could_be_chosen(buyer, offers):
    reply = buyer.get(
        limit=1,
        category="flower",
        price_max_cents=1_500,
        facets="category,classification,strain,feelings,vendor_store_id",
        include_total="true",
    )

    cheap = [offer for offer in offers if offer["price_cents"] <= 1_500]
    flowers = [offer for offer in cheap if offer["category"] == "flower"]
    vendors = Counter((str(offer["vendor"].id), offer["vendor"].name) for offer in flowers)
    assert reply.json["total"] == len(flowers)
    assert reply.json["facets"] == {
        "category": facet(offer["category"].value for offer in cheap),
        "classification": facet(offer["classification"].value for offer in flowers if offer["classification"]),
        "strain": facet(offer["strain"] for offer in flowers if offer["strain"]),
        "feelings": facet(feeling for offer in flowers for feeling in offer["feelings"]),
        "vendor_store_id": [
            {"value": value, "label": label, "count": count}
            for (value, label), count in sorted(vendors.items(), key=lambda item: (-item[1], item[0][0]))
        ],
    }


def facet(values):
    counted = sorted(Counter(values).items(), key=lambda item: (-item[1], item[0]))
    return [{"value": value, "label": value, "count": count} for value, count in counted]


@pytest.mark.parametrize("strain", ["İstanbul Kush", "ΟΔΟΣ", "Straße 9", "O'Reilly's \\ 100%"])
def test_what_a_facet_of_strains_tells_can_be_chosen(buyer, strain):
    a_product(strain=strain)

    told = [value["value"] for value in buyer.get(facets="strain").json["facets"]["strain"]]
    chosen = buyer.get(strain=strain, include_total="true")

    assert strain in told
    assert ([row["strain"] for row in chosen.data], chosen.json["total"]) == ([strain], 1)


def test_facets_and_totals_follow_the_words(buyer):
    a_product(title="Grape Soda", category=Category.BEVERAGE, strain=None)

    reply = buyer.get(q="grape", facets="category", include_total="true")
    nothing = buyer.get(q="xylophone", facets="category,feelings", include_total="true")

    assert (reply.json["total"], reply.json["facets"]) == (1, {"category": facet(["beverage"])})
    assert (nothing.data, nothing.json["total"]) == ([], 0)
    assert nothing.json["facets"] == {"category": [], "feelings": []}
