"""Checkouts at the same time: nothing is oversold, nothing happens twice, nobody is refused for another's haste."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from threading import Barrier
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from shared.kit import db, redis
from shared.kit.db import read_only
from shared.orders import checkout
from shared.orders.models import LineStatus, Order, OrderLine
from tests.api import Answer, Client
from tests.builders.carts import a_cart, checkout_of
from tests.builders.products import a_product, a_promo
from tests.builders.stores import a_buyer, a_vendor
from tests.stock import stock_of

pytestmark = pytest.mark.usefixtures("committed_database")


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch):
    """Races are about order, not speed: a slow machine may wait longer for its turn than a request may."""
    monkeypatch.setenv("PF_LIMIT_CHECKOUT", "1000/minute")
    from shared.kit import limits

    limits._rate.cache_clear()
    yield
    limits._rate.cache_clear()


def at_once(callers, send):
    """Send from all callers together; the answers in their order."""
    barrier = Barrier(len(callers))

    def one(caller: Client) -> Answer:
        barrier.wait()
        return send(caller)

    with ThreadPoolExecutor(len(callers)) as pool:
        return list(pool.map(one, callers))


def orders():
    with read_only() as session:
        return session.scalar(select(func.count()).select_from(Order))


def fresh(api, store=None, token=None):
    """A caller with a test client of its own, as threads must not share one."""
    caller = Client(api.client.application.test_client(), api.prefix)
    return caller.with_token(token) if token else caller.as_staff_of(store)


def test_fifty_buyers_want_twenty_units_and_exactly_twenty_are_sold(api, events):
    product = a_product(available_qty=20)
    buyers = [a_buyer() for _ in range(50)]
    carts = {}
    callers = []
    for store in buyers:
        caller = fresh(api, store)
        carts[caller.token] = a_cart(store, (product, 1))
        callers.append(caller)

    answers = at_once(callers, lambda caller: caller.post("", checkout_of(carts[caller.token])))

    assert Counter(answer.status for answer in answers) == {201: 20, 409: 30}
    assert {answer.error.reason for answer in answers if answer.status == 409} == {"out_of_stock"}
    assert stock_of(product.id) == (0, 20)
    assert orders() == 20
    assert Counter(events.types()) == {"order_created": 20, "checkout_converted": 20}


@pytest.mark.parametrize("same_key", [True, False])
def test_one_cart_submitted_twenty_times_at_once_gives_one_set_of_orders(api, events, same_key):
    products = [a_product(available_qty=10) for _ in range(3)]
    store = a_buyer()
    cart = a_cart(store, *((product, 2) for product in products))
    token = api.as_staff_of(store).token
    callers = [fresh(api, token=token) for _ in range(20)]
    key = str(uuid4())

    answers = at_once(callers, lambda caller: caller.post("", checkout_of(cart), key=key if same_key else str(uuid4())))

    statuses = Counter(answer.status for answer in answers)
    assert statuses[201] == 1 if not same_key else statuses[201] >= 1
    assert set(statuses) <= ({201, 409} if same_key else {200, 201})
    assert {answer.error.code for answer in answers if answer.status == 409} <= {"IDEMPOTENCY_IN_PROGRESS"}
    groups = {answer.data["checkout_group_id"] for answer in answers if answer.status < 300}
    assert len(groups) == 1
    assert orders() == 3
    assert [stock_of(product.id) for product in products] == [(8, 2)] * 3
    assert Counter(events.types()) == {"order_created": 1, "checkout_converted": 1}


def test_checkouts_sharing_products_in_any_order_never_deadlock(api, events):
    products = [a_product(available_qty=1_000) for _ in range(4)]
    orderings = list(permutations(products))
    callers, carts = [], {}
    for n in range(24):
        store = a_buyer()
        caller = fresh(api, store)
        carts[caller.token] = a_cart(store, *((product, 1) for product in orderings[n]))
        callers.append(caller)

    answers = at_once(callers, lambda caller: caller.post("", checkout_of(carts[caller.token])))

    assert Counter(answer.status for answer in answers) == {201: 24}
    assert [stock_of(product.id) for product in products] == [(976, 24)] * 4
    assert len(events.types()) == 48


def test_a_code_for_five_is_redeemed_five_times_by_twenty_at_once(api):
    vendor = a_vendor()
    product = a_product(vendor, available_qty=100)
    a_promo(vendor, max_redemptions=5)
    callers, carts = [], {}
    for _ in range(20):
        store = a_buyer()
        caller = fresh(api, store)
        carts[caller.token] = a_cart(store, (product, 1), promos={vendor.id: "SPRING10"})
        callers.append(caller)

    answers = at_once(callers, lambda caller: caller.post("", checkout_of(carts[caller.token])))

    assert Counter(answer.status for answer in answers) == {201: 5, 409: 15}
    assert {answer.error.reason for answer in answers if answer.status == 409} == {"promo_used_up"}
    assert stock_of(product.id) == (95, 5)


def test_a_quote_and_a_checkout_at_once_leave_one_outcome(api):
    product, store = a_product(available_qty=100), a_buyer()
    cart = a_cart(store, (product, 1))
    callers = [fresh(api, store) for _ in range(2)]

    def act(caller):
        if caller is callers[0]:
            return caller.post("", checkout_of(cart))
        a_cart(store, (product, 7))
        return None

    answer, _ = at_once(callers, act)

    assert answer.status in {201, 404}
    assert stock_of(product.id) == ((99, 1) if answer.status == 201 else (100, 0))
    assert orders() == (1 if answer.status == 201 else 0)


def test_redis_lost_between_commit_and_reply_doubles_nothing(api, events):
    product, store = a_product(), a_buyer()
    cart = a_cart(store, (product, 1))
    buyer = api.as_staff_of(store)
    first = buyer.post("", checkout_of(cart), key="once")
    redis.client().flushdb()

    again = api.as_staff_of(store).post("", checkout_of(cart), key="once")

    assert (first.status, again.status) == (201, 200)
    assert again.data == first.data
    assert (orders(), len(events.types()), stock_of(product.id)) == (1, 2, (99, 1))


def test_a_lost_race_for_a_lock_is_tried_again_without_the_caller_noticing(api, monkeypatch):
    product, store = a_product(), a_buyer()
    cart = a_cart(store, (product, 1))
    deadlocks = iter([True, True])
    whole = checkout._write

    def unlucky(session, *rest):
        whole(session, *rest)
        if next(deadlocks, False):
            from sqlalchemy import text

            session.execute(text("DO $$ BEGIN RAISE EXCEPTION 'rival' USING ERRCODE = '40P01'; END $$"))

    monkeypatch.setattr(checkout, "_write", unlucky)

    reply = api.as_staff_of(store).post("", checkout_of(cart))

    assert (reply.status, orders(), stock_of(product.id)) == (201, 1, (99, 1))
    with read_only() as session:
        assert list(session.scalars(select(OrderLine.status))) == [LineStatus.PENDING]
    assert db.MAX_ATTEMPTS == 4
