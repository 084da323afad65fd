"""Stock is the sum of its movements, whatever is done to it and by however many at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from shared.inventory import reservation
from shared.inventory.models import InventoryMovement, MovementReason
from shared.inventory.reservation import StockLine
from shared.inventory.stock import OpeningStock, ProductsUnknown, StockChanged, StockLevel, open_stock, set_stock
from shared.kit.db import read_only, retrying, transaction
from shared.kit.ids import new_id
from tests.builders.products import a_product
from tests.builders.stores import a_vendor
from tests.stock import stock_of

quantities = st.integers(0, 12)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.lists(quantities, min_size=2, max_size=2)),
        st.tuples(st.just("reserve"), st.lists(st.integers(1, 8), min_size=2, max_size=2)),
        st.tuples(st.just("release"), st.just([])),
        st.tuples(st.just("consume"), st.just([])),
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
def test_movements_add_up_to_the_stock_after_any_steps(steps):
    vendor = a_vendor()
    products = [a_product(vendor, available_qty=5) for _ in range(2)]
    available, held = [5, 5], []

    for step, amounts in steps:
        with transaction() as session:
            if step == "set":
                set_stock(
                    session,
                    vendor.id,
                    [StockLevel(product.id, qty) for product, qty in zip(products, amounts, strict=True)],
                )
                available = list(amounts)
            elif step == "reserve":
                lines = [
                    StockLine(product.id, qty, new_id(), new_id())
                    for product, qty in zip(products, amounts, strict=True)
                ]
                got = reservation.reserve(session, lines)
                assert got == {line.line_item_id for n, line in enumerate(lines) if line.qty <= available[n]}
                taken = [line for line in lines if line.line_item_id in got]
                available = [
                    left - sum(line.qty for line in taken if line.product_id == product.id)
                    for left, product in zip(available, products, strict=True)
                ]
                held += taken
            elif held:
                line = held.pop()
                if step == "release":
                    reservation.release(session, [line])
                    n = [product.id for product in products].index(line.product_id)
                    available[n] += line.qty
                else:
                    reservation.consume(session, [line])
        reserved = [sum(line.qty for line in held if line.product_id == product.id) for product in products]
        assert [stock_of(product.id) for product in products] == list(zip(available, reserved, strict=True))


def test_setting_and_reserving_at_once_lose_nothing(committed_database):
    vendor = a_vendor()
    products = [a_product(vendor, available_qty=40) for _ in range(3)]

    def reserve(n):
        with transaction() as session:
            ordered = products if n % 2 else list(reversed(products))
            lines = [StockLine(product.id, 2, new_id(), new_id()) for product in ordered]
            return len(reservation.reserve(session, lines))

    def refill(n):
        with transaction() as session:
            set_stock(session, vendor.id, [StockLevel(product.id, 10 + n) for product in reversed(products)])
            return 0

    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(retrying, lambda n=n: (refill if n % 3 == 0 else reserve)(n)) for n in range(24)]
        reserved_lines = sum(job.result() for job in done)

    assert sum(stock_of(product.id)[1] for product in products) == reserved_lines * 2


def test_two_who_saw_the_same_version_cannot_both_set_it(committed_database):
    vendor = a_vendor()
    product = a_product(vendor, available_qty=1)

    def set_to(qty):
        try:
            with transaction() as session:
                set_stock(session, vendor.id, [StockLevel(product.id, qty, expected_version=1)])
        except StockChanged:
            return "refused"
        return qty

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(set_to, (7, 8)))

    assert outcomes.count("refused") == 1
    assert stock_of(product.id) == (next(outcome for outcome in outcomes if outcome != "refused"), 0)


def test_stock_is_set_for_the_vendors_own_products_only():
    vendor, foreign = a_vendor(), a_product(available_qty=3)
    own = a_product(vendor, available_qty=3)

    with pytest.raises(ProductsUnknown) as refusal, transaction() as session:
        set_stock(session, vendor.id, [StockLevel(own.id, 9), StockLevel(foreign.id, 9)])

    assert refusal.value.details == {"product_ids": [str(foreign.id)]}
    assert [stock_of(own.id), stock_of(foreign.id)] == [(3, 0), (3, 0)]


@pytest.mark.parametrize(
    "change", ["UPDATE inventory_movements SET reason = 'sold'", "DELETE FROM inventory_movements"]
)
def test_the_book_of_stock_is_never_changed_nor_cut(change):
    product = a_product(available_qty=3)

    with pytest.raises(DBAPIError, match="append-only"), transaction() as session:
        session.execute(text(change))

    assert stock_of(product.id) == (3, 0)
    with read_only() as session:
        assert session.scalars(select(InventoryMovement.reason)).all() == [MovementReason.INITIAL]


def test_stock_is_opened_once():
    product = a_product(available_qty=3)

    with pytest.raises(DBAPIError), transaction() as session:
        open_stock(session, [OpeningStock(product.id, 5, 0)])

    assert stock_of(product.id) == (3, 0)
