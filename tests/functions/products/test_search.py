"""Finding products by words: in which fields, in which order, misspelled, and among many."""

import pytest

from shared.catalog import search
from shared.identity.models import Store
from shared.kit.db import transaction
from tests.builders.products import a_product
from tests.builders.stores import a_buyer, a_vendor


@pytest.fixture
def buyer(grid):
    return grid.as_member(a_buyer())


@pytest.fixture(params=[search.WINDOW_ROWS, 3], ids=["within the window", "beyond the window"])
def window(request, monkeypatch):
    monkeypatch.setattr(search, "WINDOW_ROWS", request.param)


def found(buyer, q, **query):
    return [row["title"] for row in buyer.get(q=q, **query).data]


def a_named(title, **fields):
    return a_product(fields.pop("vendor", None), **{"title": title, "strain": None, "sku": title[:30], **fields})


@pytest.mark.parametrize(
    ("q", "titles"),
    [
        ("gelato", ["Gelato Cart"]),
        ("GELATO cart", ["Gelato Cart"]),
        ("zkittlez", ["Mystery Jar"]),
        ("RX-7781", ["Plain Balm"]),
        ("sparkling", ["Lemon Seltzer"]),
        ("arbuckle", ["Plain Balm"]),
        ("arbuckle balm", ["Plain Balm"]),
        ("carts", ["Gelato Cart"]),
        ("gelato balm", []),
        ("the", []),
        ("& | ! ' (", []),
        ("gelato:* & !cart", ["Gelato Cart"]),
        ("\\'\" \U0001f525 gelato <-> %s {} :q", []),
        ("\\'\" \U0001f525 gelato <-> % _ {} :*", ["Gelato Cart"]),
    ],
)
def test_words_are_found_in_title_strain_sku_subtitle_and_vendor(buyer, window, q, titles):
    a_named("Gelato Cart")
    a_named("Mystery Jar", strain="Zkittlez")
    a_named("Plain Balm", sku="RX-7781", vendor=a_vendor(company_name="Arbuckle Labs"))
    a_named("Lemon Seltzer", subtitle="Sparkling, 10 mg")

    assert found(buyer, q) == titles


def test_products_named_so_come_before_those_of_a_vendor_named_so(buyer, window):
    cherry_farms = a_vendor(company_name="Cherry Farms")
    a_named("Cherry Pie")
    a_named("Lime Haze", vendor=cherry_farms)
    a_named("Plain Flower", subtitle="Hints of cherry")
    a_named("Cherry Cola", vendor=cherry_farms)
    a_named("Grape Haze", vendor=cherry_farms)

    assert found(buyer, "cherry") == ["Cherry Cola", "Cherry Pie", "Grape Haze", "Plain Flower", "Lime Haze"]
    assert found(buyer, "cherry haze") == ["Grape Haze", "Lime Haze"]


def test_pages_of_a_search_meet_where_names_end_and_the_rest_begins(buyer, window):
    vendor = a_vendor(company_name="Lemon Ridge")
    for n in range(5):
        a_named(f"Lemon Haze {n}")
        a_named(f"Plain Jar {n}", vendor=vendor)
    order = [*(f"Lemon Haze {n}" for n in (4, 3, 2, 1, 0)), *(f"Plain Jar {n}" for n in (4, 3, 2, 1, 0))]

    pages = [buyer.get(q="lemon", limit=4)]
    while cursor := pages[-1].page["next"]:
        pages.append(buyer.get(q="lemon", limit=4, cursor=cursor))
    back = buyer.get(q="lemon", limit=4, cursor=pages[-1].page["prev"])

    assert [[row["title"] for row in page.data] for page in pages] == [order[:4], order[4:8], order[8:]]
    assert back.data == pages[1].data


def test_a_search_may_be_sorted_otherwise(buyer, window):
    a_named("Lemon Cheap", price_cents=100)
    a_named("Lemon Dear", price_cents=900)
    a_named("Lemon Middle", price_cents=500)
    a_named("Lime", price_cents=300)

    assert found(buyer, "lemon", sort="price") == ["Lemon Cheap", "Lemon Middle", "Lemon Dear"]
    assert found(buyer, "lemon", sort="-price", limit=2) == ["Lemon Dear", "Lemon Middle"]


@pytest.mark.parametrize(
    ("typed", "titles"),
    [
        ("gelatto", ["Gelato Cart"]),
        ("gelto kart", ["Gelato Cart"]),
        ("Diesle", ["Sour Diesel"]),
        ("sour deisel", ["Sour Diesel"]),
        ("gummy", ["Peach Gummies"]),
        ("qqqqq", []),
    ],
)
def test_a_misspelled_word_finds_the_nearest_known_one(buyer, typed, titles):
    a_named("Gelato Cart")
    a_named("Sour Diesel")
    a_named("Peach Gummies")

    assert found(buyer, typed) == titles


def test_a_word_that_is_known_is_never_taken_for_another(buyer):
    a_named("Kush Mints")
    a_named("Kosh Jar", is_active=False)

    assert found(buyer, "kosh") == []


def test_a_vendor_is_found_under_its_new_name_only(buyer):
    vendor = a_vendor(company_name="Prairie Labs")
    a_named("Plain Jar", vendor=vendor)
    with transaction() as session:
        session.get_one(Store, vendor.id).dba_name = "Tallgrass"

    row = buyer.get(q="tallgrass").data[0]

    assert (row["title"], row["vendor"]["name"]) == ("Plain Jar", "Tallgrass")
    assert found(buyer, "prairie") == []


def test_words_and_filters_narrow_together(buyer, window):
    a_named("Lemon Cart", category="cart")
    a_named("Lemon Flower", category="flower")
    for n in range(4):
        a_named(f"Lemon Drops {n}", category="edible")

    assert found(buyer, "lemon", category="flower,cart") == ["Lemon Flower", "Lemon Cart"]
    assert found(buyer, "lemon", category="topical") == []
