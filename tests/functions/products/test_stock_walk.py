"""A stateful walk: however stock is opened, set, reserved, released and sold, it is the sum of its movements.

Products come one by one and from files, stock is set by hand for one or many, and orders take it meanwhile.
"""

from contextlib import ExitStack
from dataclasses import dataclass
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from shared.catalog.models import Product
from shared.inventory import reservation
from shared.inventory.reservation import StockLine
from shared.kit import db
from shared.kit.db import read_only, transaction
from shared.kit.ids import new_id
from tests.api import Client
from tests.builders.stores import a_vendor
from tests.stock import stock_of

pytestmark = pytest.mark.usefixtures("committed_database", "object_storage")

QTY = st.integers(0, 9)
HEADER = "sku,title,category,unit,price_cents,available_qty\n"


@dataclass
class Stock:
    """What there should be of a product."""

    available: int
    reserved: int = 0
    version: int = 1


class StockWalk(RuleBasedStateMachine):
    """A vendor's staff and its customers, each doing what they like."""

    def __init__(self):
        super().__init__()
        self.undo = ExitStack()
        self.undo.enter_context(db.pinned_connection())
        self.stock: dict[UUID, Stock] = {}
        self.held: list[StockLine] = []
        self.skus = 0

    def teardown(self):
        self.undo.close()

    @initialize()
    def open_shop(self):
        from functions.products.main import main

        self.store = a_vendor()
        self.staff = Client.of(main).as_staff_of(self.store)

    def send(self, method, path, body, status, **headers):
        headers |= {"Idempotency-Key": str(new_id())}
        reply = self.staff.send(method, f"/api/v1{path}", body=body, headers=headers)
        assert reply.status == status, reply.raw
        return reply

    def next_sku(self):
        self.skus += 1
        return f"SKU-{self.skus}"

    def some(self, n):
        """One of the products, by lot."""
        return list(self.stock)[n % len(self.stock)]

    @rule(qty=QTY)
    def offer(self, qty):
        body = {"sku": self.next_sku(), "title": "Jar", "category": "flower", "unit": "unit", "price_cents": 100}
        reply = self.send("POST", "/vendor/products", body | {"inventory": {"available_qty": qty}}, 201)
        self.stock[UUID(reply.data["id"])] = Stock(qty)

    @rule(quantities=st.lists(QTY, min_size=1, max_size=4), spoiled=st.booleans())
    def import_file(self, quantities, spoiled):
        """A file with a bad cell opens no stock at all."""
        skus = [self.next_sku() for _ in quantities]
        rows = [f"{sku},Jar,flower,unit,100,{qty}\n" for sku, qty in zip(skus, quantities, strict=True)]
        file = HEADER + "".join(rows) + ("X,Jar,flower,unit,100,-1\n" if spoiled else "")
        status = 400 if spoiled else 201
        self.send("POST", "/vendor/products/import", file.encode(), status, **{"Content-Type": "text/csv"})
        if not spoiled:
            with read_only() as session:
                found = select(Product.sku, Product.id).where(Product.vendor_store_id == self.store.id)
                ids = {row.sku: row.id for row in session.execute(found)}
            self.stock |= {ids[sku]: Stock(qty) for sku, qty in zip(skus, quantities, strict=True)}

    @precondition(lambda self: self.stock)
    @rule(n=st.integers(0, 50), qty=QTY, behind=st.integers(0, 1))
    def set_one(self, n, qty, behind):
        """By the version that is there, or by an older one, which is refused."""
        product_id = self.some(n)
        stock = self.stock[product_id]
        seen = stock.version - behind
        if seen < 1:
            return
        self.send(
            "PUT",
            f"/inventory/{product_id}",
            {"available_qty": qty, "expected_version": seen},
            409 if behind else 200,
        )
        if not behind:
            stock.available, stock.version = qty, stock.version + 1

    @precondition(lambda self: self.stock)
    @rule(quantities=st.lists(QTY, min_size=1, max_size=3), unknown=st.booleans())
    def set_many(self, quantities, unknown):
        """All or none: one product that is not there keeps the others as they are."""
        chosen = list(zip(self.stock, quantities, strict=False))
        items = [{"product_id": str(product_id), "available_qty": qty} for product_id, qty in chosen]
        items += [{"product_id": str(new_id()), "available_qty": 1}] if unknown else []
        self.send("POST", "/inventory/bulk", {"items": items}, 404 if unknown else 200)
        for product_id, qty in [] if unknown else chosen:
            self.stock[product_id].available = qty
            self.stock[product_id].version += 1

    @precondition(lambda self: self.stock)
    @rule(n=st.integers(0, 50), qty=st.integers(1, 9))
    def reserve(self, n, qty):
        line = StockLine(self.some(n), qty, new_id(), new_id())
        stock = self.stock[line.product_id]
        with transaction() as session:
            taken = reservation.reserve(session, [line])
        assert taken == ({line.line_item_id} if qty <= stock.available else set())
        if taken:
            self.held.append(line)
            stock.available, stock.reserved, stock.version = (
                *(stock.available - qty, stock.reserved + qty, stock.version + 1),
            )

    @precondition(lambda self: self.held)
    @rule(sold=st.booleans())
    def give_back_or_hand_over(self, sold):
        line = self.held.pop()
        with transaction() as session:
            (reservation.consume if sold else reservation.release)(session, [line])
        stock = self.stock[line.product_id]
        stock.reserved, stock.version = stock.reserved - line.qty, stock.version + 1
        stock.available += 0 if sold else line.qty

    @invariant()
    def stock_is_the_sum_of_its_movements(self):
        for product_id, stock in self.stock.items():
            assert stock_of(product_id) == (stock.available, stock.reserved)


def test_stock_is_the_sum_of_its_movements_whatever_is_done():
    run_state_machine_as_test(
        StockWalk,
        settings=settings(
            max_examples=20, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
