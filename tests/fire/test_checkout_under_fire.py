"""Two hundred checkouts at once over thirty products, while the servers' processes are killed at random."""

import os
import random
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, wait
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text

from shared.identity.permissions import Role
from shared.kit.db import read_only
from shared.kit.outbox import OutboxEvent
from shared.orders.models import Cart, CartStatus, LineStatus, Order, OrderLine
from tests.api import sign_in
from tests.builders.carts import a_cart
from tests.builders.products import a_product
from tests.builders.stores import a_buyer, a_vendor
from tests.fire.shoppers import LOST, Seen, Shopper
from tests.invariants import broken_invariants
from tests.performance.commerce_serving import serving
from tests.stock import stock_of

pytestmark = pytest.mark.usefixtures("committed_database")

CHECKOUTS, PRODUCTS, VENDORS, LINES, STOCK = 200, 30, 3, 5, 20
KILLS = 6


@pytest.fixture(autouse=True)
def _unlimited(monkeypatch):
    for limit in ("CHECKOUT", "DEFAULT"):
        monkeypatch.setenv(f"PF_LIMIT_{limit}", "1000000/minute")


def a_shopper(basket):
    store = a_buyer()
    token = sign_in(user_id=uuid4(), store_id=store.id, store_type=store.type, role=Role.OWNER)
    return Shopper(token, str(a_cart(store, *((product, 1) for product in basket))))


def kill_some(served, chance, pending):
    """SIGKILL an instance, any of them, each time that another eighth of the requests is settled."""
    for n in range(1, KILLS + 1):
        while sum(one.done() for one in pending) < n * CHECKOUTS // 8:
            time.sleep(0.01)
        kill_one(served, chance)


def kill_one(served, chance):
    """Any instance; one that is just gone, after the kill before, does not count."""
    while True:
        try:
            return os.kill(chance.choice(served.instances()), signal.SIGKILL)
        except ProcessLookupError:
            continue


def counted(column, *conditions):
    with read_only() as session:
        return Counter(dict(session.execute(select(column, func.count()).where(*conditions).group_by(column)).all()))


def deadlocks():
    """How many PostgreSQL has had to resolve in this database so far."""
    with read_only() as session:
        return session.scalar(text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"))


def test_whatever_is_killed_every_checkout_happens_once_and_nothing_is_oversold():
    chance = random.Random()
    vendors = [a_vendor() for _ in range(VENDORS)]
    products = [a_product(vendors[n % VENDORS], available_qty=STOCK) for n in range(PRODUCTS)]
    baskets = [chance.sample(products, LINES) for _ in range(CHECKOUTS)]
    shoppers = [a_shopper(basket) for basket in baskets]
    wanted = Counter(product.id for basket in baskets for product in basket)
    seen, resolved = Seen(), deadlocks()

    with serving("fire_server:app", instances=3) as served, ThreadPoolExecutor(CHECKOUTS) as pool:
        pending = [pool.submit(shopper.check_out, served.port, seen) for shopper in shoppers]
        kill_some(served, chance, pending)
        wait(pending)
        answers = [one.result() for one in pending]
        repeats = list(pool.map(lambda one: one.check_out(served.port, Seen()), shoppers[:40]))
        others = list(pool.map(lambda one: one.check_out(served.port, Seen(), key=str(uuid4())), shoppers[:40]))

    # Callers were told of orders or of empty shelves, and on the way there of nothing worse than 503.
    assert {(answer.status, answer.reason) for answer in answers} <= {(201, None), (200, None), (409, "out_of_stock")}
    assert set(seen.counts) <= {
        *("201 OK", "200 OK", "409 CONFLICT", "409 IDEMPOTENCY_IN_PROGRESS", "503 DEPENDENCY_ERROR", LOST)
    }
    assert seen.counts[LOST] >= 1
    # None had to be told of a deadlock, because there was none: whoever shares products takes them in one order.
    assert deadlocks() == resolved

    # Every product was sold as often as it was wanted, up to what there was.
    sold = counted(OrderLine.product_id, OrderLine.status == LineStatus.PENDING)
    assert sold == {product.id: min(STOCK, wanted[product.id]) for product in products if wanted[product.id]}
    assert [stock_of(product.id) for product in products] == [
        (STOCK - sold[product.id], sold[product.id]) for product in products
    ]

    # One set of orders and two events for each cart that was converted, and none for the others.
    bought = {
        shopper.cart_id: answer.order_ids
        for shopper, answer in zip(shoppers, answers, strict=True)
        if answer.status < 300
    }
    with read_only() as session:
        placed = session.execute(select(Order.id, Order.cart_id)).all()
        events = session.execute(select(OutboxEvent.aggregate_id, OutboxEvent.event_type)).all()
        groups = session.scalars(select(Cart.checkout_group_id).where(Cart.status == CartStatus.CONVERTED)).all()
    by_cart = {}
    for order_id, cart_id in placed:
        by_cart.setdefault(str(cart_id), []).append(str(order_id))
    assert {cart: sorted(orders) for cart, orders in by_cart.items()} == bought
    assert Counter(map(tuple, events)) == {
        (group, event_type): 1 for group in groups for event_type in ("order_created", "checkout_converted")
    }
    assert len(groups) == len(bought)

    # Whoever asks again, with the same key or another, gets the same orders.
    assert [one.order_ids for one in repeats] == [one.order_ids for one in answers[:40]]
    assert [one.order_ids for one in others] == [one.order_ids for one in answers[:40]]

    assert broken_invariants() == []
