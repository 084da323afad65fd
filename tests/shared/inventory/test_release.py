"""Stock that comes back: counted, moved, and news again when it falls the next time."""

from uuid import uuid4

import pytest

from shared.inventory.models import InventoryItem
from shared.inventory.reservation import StockLine, consume, release, reserve
from shared.kit.db import read_only, transaction
from tests.builders.products import a_product
from tests.stock import stock_of


def line(product, qty):
    return StockLine(product.id, qty, uuid4(), uuid4())


def told(product) -> bool:
    with read_only() as session:
        return session.get_one(InventoryItem, product.id).low_stock_told


@pytest.mark.parametrize(("returned", "still_told"), [(4, True), (5, True), (6, False)])
def test_a_low_stock_stays_told_until_it_is_over_its_threshold_again(returned, still_told):
    product = a_product(available_qty=10, low_stock_threshold=5)
    taken = line(product, 10)
    with transaction() as session:
        reserve(session, [taken])
        session.get_one(InventoryItem, product.id).low_stock_told = True

    with transaction() as session:
        release(session, [StockLine(product.id, returned, taken.order_id, taken.line_item_id)])

    assert (stock_of(product.id), told(product)) == ((returned, 10 - returned), still_told)


def test_what_is_handed_over_does_not_come_back():
    product = a_product(available_qty=10)
    taken = line(product, 4)

    with transaction() as session:
        reserve(session, [taken])
        consume(session, [taken])

    assert stock_of(product.id) == (6, 0)


def test_a_line_takes_all_or_nothing():
    plenty, scarce = a_product(available_qty=10), a_product(available_qty=3)
    wanted = [line(plenty, 4), line(scarce, 4)]

    with transaction() as session:
        assert reserve(session, wanted) == {wanted[0].line_item_id}

    assert [stock_of(plenty.id), stock_of(scarce.id)] == [(6, 4), (3, 0)]


def test_a_product_in_two_lines_is_a_mistake_of_the_caller():
    product = a_product()

    with pytest.raises(ValueError, match="one line only"), transaction() as session:
        reserve(session, [line(product, 1), line(product, 1)])

    assert stock_of(product.id) == (100, 0)
