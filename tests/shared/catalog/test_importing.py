"""What an import holds in memory beside its file: one batch of rows, and the SKUs."""

import tracemalloc

import pytest

from shared.catalog.importing import checked, import_products
from shared.kit.db import transaction
from tests.builders.stores import a_vendor

KIB = 1024
BYTES_PER_SKU = 600


def a_file(rows: int) -> bytes:
    header = b"sku,title,category,unit,price_cents,body_html,available_qty,volume_discounts\n"
    words = b"Dense buds, grown indoors. " * 58
    lines = (b'SKU-%05d,Offer %d,flower,unit,100,"%s",10,10:5;50:12.5\n' % (n, n, words) for n in range(rows))
    return header + b"".join(lines)


def peak_bytes(rows: int) -> int:
    """The most that importing so many rows held at one time, without the file itself."""
    vendor, file = a_vendor(), a_file(rows)
    tracemalloc.start()
    try:
        given = checked(file)
        with transaction() as session:
            assert import_products(session, vendor.id, given).product_count == rows
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.usefixtures("database")
def test_memory_does_not_grow_with_the_rows_but_for_their_skus():
    peak_bytes(500)

    few, many = peak_bytes(500), peak_bytes(2_000)

    assert len(a_file(2_000)) > 3_000 * KIB
    assert many - few < 1_500 * BYTES_PER_SKU
