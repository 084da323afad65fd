"""Products from a file: every bad cell is told, and all of a good file is offered or nothing."""

import csv
import io
from functools import partial

import pytest
from sqlalchemy import func, select

from shared.catalog.import_rows import COLUMNS
from shared.catalog.models import Product, VolumeDiscount
from shared.identity.permissions import Role
from shared.inventory.models import InventoryItem, InventoryMovement
from shared.kit import clock
from shared.kit.db import read_only
from tests.builders.products import a_product
from tests.builders.stores import a_vendor
from tests.cost import counting
from tests.events import audited
from tests.rivals import at_once, beside
from tests.security.untouched import untouched
from tests.stock import stock_of

MINIMAL = {"sku": "BD-35", "title": "Blue Dream", "category": "flower", "unit": "eighth", "price_cents": "1850"}


def a_file(*rows, encoding="utf-8"):
    """A CSV file with a column for everything that some row has."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


def many(count, **cells):
    """`count` rows that are in order."""
    return [MINIMAL | {"sku": f"SKU-{n:04}", "title": f"Offer {n}"} | cells for n in range(count)]


@pytest.fixture
def store():
    return a_vendor()


@pytest.fixture
def vendor(shelf, store):
    return shelf.as_staff_of(store)


def send(caller, file, *, key="file-1", content_type="text/csv", **query):
    headers = {"Content-Type": content_type, "Idempotency-Key": key}
    return caller.send("POST", "/import", body=file, query=query, headers=headers)


def bad_cells(caller, file):
    """What a dry run finds, which is what the real run refuses: nothing is written by either."""
    with untouched():
        tried, refused = send(caller, file, key="dry", dry_run="true"), send(caller, file, key="real")
    assert (tried.status, refused.status, refused.error.code) == (200, 400, "VALIDATION_ERROR")
    found = [(cell["row"], cell["column"], cell["message"]) for cell in tried.data["bad_cells"]]
    told = [(cell["row"], cell["column"], cell["message"]) for cell in refused.error.details["fields"]]
    assert found == told
    assert tried.data["bad_cell_count"] == refused.error.details["bad_cell_count"] >= len(found)
    return found


def products_of(store):
    with read_only() as session:
        return list(session.scalars(select(Product).where(Product.vendor_store_id == store.id).order_by(Product.id)))


def stock_and_movements(store):
    """How many units there are of a vendor's products, and how many came by movements."""
    own = select(Product.id).where(Product.vendor_store_id == store.id)
    with read_only() as session:
        # As a list: the planner has no figures for rows of a transaction that is still open, and would join
        # thousands of them one by one.
        ids = list(session.scalars(own))
        held = session.scalar(select(func.sum(InventoryItem.available_qty)).where(InventoryItem.product_id.in_(ids)))
        moved = session.scalar(
            select(func.sum(InventoryMovement.delta_available_qty)).where(InventoryMovement.product_id.in_(ids))
        )
    return held, moved


def test_a_row_becomes_a_product_with_its_stock_and_tiers(vendor, store, events):
    row = {
        "sku": " BD-35 ",
        "title": "Blue Dream, indoor",
        "subtitle": "Señor “Indoor”",
        "body_html": '<p onclick="x()">Dense\n<b>buds</b><script>x()</script></p>',
        "category": "flower",
        "classification": "hybrid",
        "strain": "Blue Dream",
        "unit": "eighth",
        "moq": "8",
        "max_qty": "80",
        "price_cents": "1850",
        "compare_at_price_cents": "2000",
        "thc_percent": "23.4",
        "cbd_percent": "0.1",
        "feelings": "happy; relaxed",
        "flavors": "sweet",
        "usage": "sleep;",
        "tags": "new",
        "is_active": "FALSE",
        "is_featured": "yes",
        "volume_discounts": "32:7.5; 8:2",
        "available_qty": "400",
        "low_stock_threshold": "40",
    }
    assert set(row) == set(COLUMNS.known)

    reply = send(vendor, a_file(row))

    assert (reply.status, reply.data) == (
        201,
        {"dry_run": False, "product_count": 1, "bad_cell_count": 0, "bad_cells": []},
    )
    (product,) = products_of(store)
    shown = vendor.get(f"/{product.id}").data
    told = {name: value for name, value in shown.items() if name in (*COLUMNS.known, "inventory", "status")}
    assert told == {
        "sku": "BD-35",
        "title": "Blue Dream, indoor",
        "subtitle": "Señor “Indoor”",
        "body_html": "<p>Dense\n<b>buds</b></p>",
        "category": "flower",
        "classification": "hybrid",
        "strain": "Blue Dream",
        "unit": "eighth",
        "moq": 8,
        "max_qty": 80,
        "price_cents": 1_850,
        "compare_at_price_cents": 2_000,
        "thc_percent": "23.40",
        "cbd_percent": "0.10",
        "feelings": ["happy", "relaxed"],
        "flavors": ["sweet"],
        "usage": ["sleep"],
        "tags": ["new"],
        "is_active": False,
        "is_featured": True,
        "volume_discounts": [
            {"min_qty": 8, "discount_percent": "2.0000"},
            {"min_qty": 32, "discount_percent": "7.5000"},
        ],
        "inventory": {
            "available_qty": 400,
            "reserved_qty": 0,
            "low_stock_threshold": 40,
            "low_stock": False,
            "version": 1,
        },
        "status": "inactive",
    }
    assert stock_of(product.id) == (400, 0)
    assert [(action, target, after["sku"]) for action, target, after in audited()] == [
        ("product.imported", product.id, "BD-35")
    ]
    assert events.emitted() == []


def test_what_is_left_empty_is_as_if_it_were_left_out(vendor, store):
    file = a_file(MINIMAL | dict.fromkeys(["strain", "moq", "max_qty", "feelings", "is_active", "available_qty"], ""))

    assert send(vendor, file).status == 201

    (product,) = products_of(store)
    assert (product.strain, product.moq, product.max_qty, product.feelings, product.is_active) == (
        *(None, 1, None, [], True),
    )
    assert stock_of(product.id) == (0, 0)


@pytest.mark.parametrize(
    "file",
    [
        a_file(MINIMAL, encoding="utf-8-sig"),
        a_file(MINIMAL).replace(b"\r\n", b"\n"),
        b"Title,UNIT,Category, sku ,price_cents\r\n\r\n,,,,\r\nBlue Dream,eighth,flower,BD-35,1850",
        a_file(MINIMAL | {"title": "Blue Dream"}, {"sku": ""}).replace(b",,,,\r\n", b"\r\n"),
    ],
    ids=["byte order mark", "unix lines", "any order and case, blank rows", "a last row of nothing"],
)
def test_files_are_taken_as_spreadsheets_write_them(vendor, store, file):
    assert send(vendor, file).status == 201
    assert [(product.sku, product.title, product.price_cents) for product in products_of(store)] == [
        ("BD-35", "Blue Dream", 1_850)
    ]


def test_of_5_000_rows_three_bad_cells_are_all_told_and_nothing_is_written(vendor, events):
    rows = many(5_000, available_qty="10")
    rows[17]["price_cents"] = "18.50"
    rows[2_498]["category"] = "flowers"
    rows[4_999]["title"] = ""

    found = bad_cells(vendor, a_file(*rows))

    assert found == [
        (19, "price_cents", NO_INTEGER),
        (
            2_500,
            "category",
            "Input should be 'flower', 'cart', 'pre_roll', 'edible', 'concentrate', 'beverage', 'vape', 'topical', "
            "'tincture', 'seed', 'seedling' or 'accessory'",
        ),
        (5_001, "title", "This is needed."),
    ]
    assert events.emitted() == []


def test_5_000_rows_are_offered_by_a_few_statements_for_each_500(vendor, store, events):
    rows = many(5_000, available_qty="10", volume_discounts="10:5;50:12.5")

    with counting() as cost:
        reply = send(vendor, a_file(*rows))

    assert (reply.status, reply.data["product_count"]) == (201, 5_000)
    assert cost.sql == 2 + 10 * 3
    assert [product.sku for product in products_of(store)] == [row["sku"] for row in rows]
    assert stock_and_movements(store) == (50_000, 50_000)
    with read_only() as session:
        assert session.scalar(select(func.count()).select_from(VolumeDiscount)) == 10_000
    assert len(audited("product.imported")) == 5_000
    assert events.emitted() == []


def test_a_try_counts_what_would_be_offered(vendor):
    with untouched():
        reply = send(vendor, a_file(*many(3), MINIMAL | {"moq": "0"}), dry_run="true")

    assert (reply.status, reply.data["product_count"], reply.data["bad_cell_count"]) == (200, 3, 1)


NO_INTEGER = "Input should be a valid integer"
BAD_CELLS = [
    ({"price_cents": "0"}, "price_cents", "Input should be greater than 0"),
    ({"price_cents": "$18"}, "price_cents", NO_INTEGER),
    ({"thc_percent": "NaN"}, "thc_percent", "Input should be a finite number"),
    ({"thc_percent": "12.345"}, "thc_percent", "Decimal input should have no more than 2 decimal places"),
    ({"moq": "5", "max_qty": "4"}, "max_qty", "max_qty may not be less than moq"),
    ({"is_active": "perhaps"}, "is_active", "Input should be a valid boolean"),
    ({"sku": "x" * 65}, "sku", "String should have at most 64 characters"),
    ({"title": "x" * 201}, "title", "String should have at most 200 characters"),
    ({"body_html": "x" * 20_001}, "body_html", "String should have at most 20000 characters"),
    ({"title": "two\nlines"}, "title", "This may not contain line breaks or other control characters."),
    ({"title": "a\x00b"}, "title", "This holds the character U+0000."),
    ({"tags": "new;new"}, "tags", "a value is listed twice"),
    ({"tags": ";".join(map(str, range(21)))}, "tags", "List should have at most 20 items after validation, not 21"),
    ({"available_qty": "-1"}, "available_qty", "Input should be greater than or equal to 0"),
    ({"low_stock_threshold": "1e9"}, "low_stock_threshold", NO_INTEGER),
    ({"volume_discounts": "10"}, "volume_discounts", "10: Input should be a valid decimal"),
    ({"volume_discounts": "10:5;50:101"}, "volume_discounts", "50:101: Input should be less than or equal to 100"),
    ({"volume_discounts": "10:5;10:6"}, "volume_discounts", "a value is listed twice"),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "column", "message"), BAD_CELLS)
def test_a_cell_is_held_to_the_rules_of_a_new_product(vendor, cells, column, message):
    assert bad_cells(vendor, a_file(*many(1), MINIMAL | cells)) == [(3, column, message)]


def test_every_bad_cell_of_a_row_is_told(vendor, store):
    a_product(store, sku="BD-35")
    row = MINIMAL | {"price_cents": "-1", "feelings": "happy;hangry", "available_qty": "x"}

    found = bad_cells(vendor, a_file(row))

    assert [(row, column) for row, column, _ in found] == [
        *((2, "price_cents"), (2, "feelings"), (2, "available_qty"), (2, "sku")),
    ]
    assert found[1][2].startswith("hangry: Input should be 'relaxed'")


def test_columns_must_be_known_there_and_there_once(vendor):
    file = b"sku,price,Title,title,unit,\nBD-35,18.50,Blue Dream,Blue Dream,barrel,\n"

    assert bad_cells(vendor, file) == [
        (1, "price", "This column is not known."),
        (1, "title", "This column is there twice."),
        (1, "", "This column has no name."),
        (1, "category", "This column is missing."),
        (1, "price_cents", "This column is missing."),
        (2, "unit", "Input should be 'unit', 'gram', 'ounce', 'pound', 'eighth' or 'sixteenth'"),
    ]


@pytest.mark.parametrize("column", ["gallery_media_ids", "coa_media_id", "inventory", "id", "vendor_store_id"])
def test_what_a_file_cannot_say_is_no_column(vendor, column):
    assert bad_cells(vendor, a_file(MINIMAL | {column: ""})) == [(1, column, "This column is not known.")]


def test_a_sku_stands_once_in_the_file_and_is_not_taken(vendor, store):
    odd = "{\"a\\b\", 'NULL'}"
    a_product(store, sku="SKU-0001")
    a_product(store, sku=odd)
    a_product(store, sku="SKU-0000", deleted_at=clock.now())
    a_product(sku="SKU-0002")

    found = bad_cells(vendor, a_file(*many(3), *many(1), MINIMAL | {"sku": odd}, MINIMAL | {"sku": "NULL"}))

    assert found == [
        (3, "sku", "Another of your products has this SKU."),
        (5, "sku", "Row 2 has this SKU already."),
        (6, "sku", "Another of your products has this SKU."),
    ]


ROWS = a_file(*many(2))
UNREADABLE = [
    (b"", [(1, column, "This column is missing.") for column in MINIMAL]),
    (ROWS.splitlines(keepends=True)[0], [(2, None, "The file has no rows.")]),
    (
        ROWS + b'SKU-9,"never closed,flower,unit,100\n' * 2,
        [(4, None, "Quotes are not as they should be: one within a cell is doubled, and a cell that has one is put in "
                   "quotes. Nothing from here on was read.")],
    ),
    (
        ROWS + b'SKU-9,"never closed,flower,unit,100\n',
        [(4, None, "A quote is opened here and never closed. Nothing from here on was read.")],
    ),
    (
        ROWS + b'SKU-9,"' + b"x" * 131_073,
        [(4, None, "A cell is longer than 131,072 characters, or a quote is opened and never closed. "
                   "Nothing from here on was read.")],
    ),
    (
        b"x," * 200_000 + b"sku," * 200_000 + b"\n" + b"a\n" * 5_000,
        [(1, None, "A file may have 100 columns; this one has 400,001. Its rows were not read.")],
    ),
    (ROWS + b"SKU-9,Title,flower,unit,100,extra\r\n", [(4, None, "This row has more cells than the header.")]),
    (ROWS + "SKU-9,Señor,flower,unit,100\r\n".encode("latin-1"), [(4, "title", "This is not UTF-8.")]),
]  # fmt: skip


@pytest.mark.parametrize(("file", "found"), UNREADABLE)
def test_what_cannot_be_read_is_told_by_its_row(vendor, file, found):
    assert bad_cells(vendor, file) == [(row, column, message) for row, column, message in found]


def test_another_encoding_is_refused_without_repeating_its_bytes(vendor):
    found = bad_cells(vendor, a_file(*many(1), encoding="utf-16"))

    assert [(row, column) for row, column, _ in found][-5:] == [(1, column) for column in MINIMAL]


def test_one_row_more_than_5_000_is_too_many(vendor):
    found = bad_cells(vendor, a_file(*many(5_002)))

    assert found == [(5_002, None, "A file may have 5,000 rows; this one and the following are too many.")]


def test_of_more_than_5_000_bad_cells_the_rest_is_counted(vendor):
    reply = send(vendor, a_file(*many(2_600, unit="barrel", moq="0")), dry_run="true")

    assert (len(reply.data["bad_cells"]), reply.data["bad_cell_count"]) == (5_000, 5_200)
    assert reply.data["bad_cells"][-1]["row"] == 2_501


def test_the_same_key_imports_once_and_another_file_under_it_is_refused(vendor, store):
    first = send(vendor, a_file(*many(2)))

    again, other = send(vendor, a_file(*many(2))), send(vendor, a_file(*many(3)))

    assert (again.status, again.raw, again.headers["Idempotency-Replayed"]) == (201, first.raw, "true")
    assert (other.status, other.error.code) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert len(products_of(store)) == 2


def test_a_try_and_the_real_run_under_one_key_are_two_requests(vendor, store):
    send(vendor, a_file(*many(2)), dry_run="true")

    reply = send(vendor, a_file(*many(2)))

    assert (reply.status, reply.error.code) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert products_of(store) == []


def test_of_two_at_once_one_wins_whole(shelf, committed_database):
    store = a_vendor()
    caller = shelf.as_staff_of(store)
    file = a_file(*many(600, available_qty="3"))

    replies = at_once(None, *(partial(send, beside(caller), file, key=f"file-{n}") for n in range(2)))

    won, lost = sorted(replies, key=lambda reply: reply.status)
    assert (won.status, won.data["product_count"]) == (201, 600)
    assert (lost.status, lost.error.details["bad_cell_count"]) == (400, 600)
    assert {cell["message"] for cell in lost.error.details["fields"]} == {"Another of your products has this SKU."}
    assert len(products_of(store)) == 600
    assert stock_and_movements(store) == (1_800, 1_800)


def test_a_sku_that_is_taken_in_between_stops_all_of_it(shelf, committed_database, monkeypatch):
    """A product that changes its SKU holds no lock that an import waits for: the database's constraint does."""
    from shared.catalog import importing

    store = a_vendor()
    product = a_product(store, sku="OLD")
    caller = shelf.as_staff_of(store)
    looked = importing._taken

    def renamed_after_looking(*given):
        found = looked(*given)
        assert beside(caller).patch(f"/{product.id}", {"sku": "SKU-0599"}).status == 200
        return found

    monkeypatch.setattr(importing, "_taken", renamed_after_looking)

    reply = send(caller, a_file(*many(600)))

    assert (reply.status, reply.error.code, reply.error.reason) == (409, "CONFLICT", "sku_taken")
    assert [held.sku for held in products_of(store)] == ["SKU-0599"]
    assert audited("product.imported") == []


@pytest.mark.parametrize(
    ("file", "content_type", "status", "code", "message"),
    [
        (b"{}", "application/json", 415, "UNSUPPORTED_MEDIA_TYPE", "Send the body as text/csv."),
        (b"x" * (8 * 1024 * 1024 + 1), "text/csv", 413, "PAYLOAD_TOO_LARGE", "The body is larger than 8 MiB."),
    ],
)
def test_another_type_and_a_larger_file_are_refused(vendor, file, content_type, status, code, message):
    with untouched():
        reply = send(vendor, file, content_type=content_type)

    assert (reply.status, reply.error.code, reply.error.message) == (status, code, message)


def test_a_file_of_8_mib_is_read(vendor):
    rows = many(1_000, body_html="x" * 8_200)

    reply = send(vendor, a_file(*rows), content_type="text/csv; charset=utf-8", dry_run="true")

    assert (reply.status, reply.data["product_count"]) == (200, 1_000)


@pytest.mark.parametrize("query", [{"dry_run": "perhaps"}, {"force": "true"}])
def test_a_query_that_is_not_known_is_refused(vendor, query):
    with untouched():
        assert send(vendor, a_file(MINIMAL), **query).error.fields == list(query)


def test_who_may_not_write_products_imports_none(shelf, store):
    with untouched():
        reply = send(shelf.as_member(store, Role.STAFF), a_file(MINIMAL))

    assert (reply.status, reply.error.details) == (403, {"permission": "catalog:write"})


def test_the_document_tells_the_type_the_size_and_an_example():
    from functions.products.main import main
    from shared.kit.http.openapi import document

    operation = document("products", main.routes)["paths"]["/api/v1/vendor/products/import"]["post"]

    body = operation["requestBody"]
    assert (body["required"], body["description"]) == (True, "At most 8 MiB.")
    assert body["content"]["text/csv"]["schema"] == {"type": "string"}
    assert body["content"]["text/csv"]["example"].startswith("sku,title,category,unit,price_cents,")
    assert {"201", "400", "409", "413", "415"} <= set(operation["responses"])
