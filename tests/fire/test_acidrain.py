"""The attacks of ACIDRain (Warszawski and Bailis, SIGMOD 2017): requests that meet in the middle of each other.

Inventory, vouchers and carts. Each attack either comes too late or waits; none gets anything for free.
"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest
from sqlalchemy import func, select, text, update

from infra.local.processes import wait_until
from shared.catalog.models import Product, PromoRedemption, VendorPromo
from shared.inventory.models import InventoryItem
from shared.kit.db import read_only, transaction
from shared.orders import checkout
from shared.orders.intent import QuoteRequest, WantedItem
from shared.orders.models import Cart, Order, OrderLine
from shared.orders.quoting import quote
from tests.api import Client
from tests.builders.carts import a_cart, checkout_of
from tests.builders.products import a_product, a_promo
from tests.builders.stores import a_buyer, a_vendor
from tests.patience import PATIENCE_S
from tests.rivals import at_once, beside
from tests.stock import stock_of

pytestmark = pytest.mark.usefixtures("committed_database")

CART = "/api/v1/cart"
ROUNDS = 5


@pytest.fixture
def cart_api():
    from functions.cart.main import main

    return Client.of(main, CART)


@pytest.fixture
def api():
    from functions.checkout.main import main

    return Client.of(main, "/api/v1/checkout")


@pytest.fixture
def in_the_middle(monkeypatch):
    """`with in_the_middle(step, caller, body) as conclude:` has a checkout stand still after a step of it;
    `conclude()` lets it go on and gives its answer."""

    @contextmanager
    def stand_still(step, caller, body):
        whole, reached, go_on = getattr(checkout, step), Event(), Event()

        def standing(*arguments):
            result = whole(*arguments)
            reached.set()
            assert go_on.wait(PATIENCE_S)
            return result

        monkeypatch.setattr(checkout, step, standing)
        with ThreadPoolExecutor(1) as pool:
            pending = pool.submit(caller.post, "", body)
            try:
                assert reached.wait(PATIENCE_S)
                monkeypatch.setattr(checkout, step, whole)

                def conclude():
                    go_on.set()
                    return pending.result()

                yield conclude
            finally:
                go_on.set()

    return stand_still


@contextmanager
def meanwhile(act):
    """`act` in a thread of its own; goes on when that is done or waits for a lock, and gives its pending result."""
    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(act)
        assert wait_until(lambda: pending.done() or somebody_waits(), timeout_s=PATIENCE_S)
        yield pending


def somebody_waits():
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with read_only() as session:
        return session.execute(text(waiting)).scalar_one() > 0


def sending(caller, body):
    return lambda: caller.post("", body)


def wanting(*wanted, **more):
    return {"items": [{"product_id": str(product.id), "quantity": qty} for product, qty in wanted], **more}


def counted(model):
    with read_only() as session:
        return session.scalar(select(func.count()).select_from(model))


def test_inventory_the_last_units_are_sold_once(api):
    for _ in range(ROUNDS):
        product = a_product(available_qty=3)
        buyers = [a_buyer() for _ in range(6)]
        bodies = [checkout_of(a_cart(store, (product, 2))) for store in buyers]
        callers = [beside(api.as_staff_of(store)) for store in buyers]

        answers = at_once(None, *map(sending, callers, bodies))

        assert Counter(answer.status for answer in answers) == {201: 1, 409: 5}
        assert stock_of(product.id) == (1, 2)


def test_inventory_taken_by_the_vendor_in_the_middle_waits_for_the_checkout(api, in_the_middle):
    product, store = a_product(available_qty=5), a_buyer()
    take = (
        update(InventoryItem)
        .where(InventoryItem.product_id == product.id, InventoryItem.available_qty >= 5)
        .values(available_qty=InventoryItem.available_qty - 5)
    )

    def take_all():
        with transaction() as session:
            return session.execute(take).rowcount

    with in_the_middle("_reserve", api.as_staff_of(store), checkout_of(a_cart(store, (product, 4)))) as conclude:
        with meanwhile(take_all) as taking:
            answer = conclude()
        assert taking.result() == 0

    assert (answer.status, stock_of(product.id)) == (201, (1, 4))


def test_voucher_a_code_for_one_use_by_each_buyer_is_used_once_by_two_carts_in_parallel(api, cart_api, in_the_middle):
    vendor, store = a_vendor(), a_buyer()
    product = a_product(vendor)
    promo = a_promo(vendor, per_buyer_limit=1)
    caller = api.as_staff_of(store)
    first = checkout_of(a_cart(store, (product, 1), promos={vendor.id: "SPRING10"}))
    again = wanting((product, 2), vendor_promos=[{"vendor_store_id": str(vendor.id), "code": "SPRING10"}])

    # The second cart is priced while the first has counted the code, but nobody can see that yet.
    with in_the_middle("_redeem", caller, first) as conclude:
        with meanwhile(lambda: cart_api.with_token(caller.token).post("", again)) as quoting:
            bought = conclude()
        quoted = quoting.result()
    refused = caller.post("", checkout_of(quoted.data["id"]))

    assert (bought.status, bought.data["discounts_cents"]) == (201, 250)
    if quoted.data["vendor_groups"][0]["promo_code"]:
        assert (refused.status, refused.error.reason) == (409, "promo_used_up")
        assert stock_of(product.id) == (99, 1)
    else:
        assert (refused.status, refused.data["discounts_cents"]) == (201, 0)
    assert counted(PromoRedemption) == 1
    with read_only() as session:
        assert session.scalar(select(VendorPromo.redeemed_count).where(VendorPromo.id == promo.id)) == 1


def test_voucher_a_code_for_two_of_all_buyers_is_used_twice_by_six(api):
    for _ in range(ROUNDS):
        vendor = a_vendor()
        product = a_product(vendor)
        promo = a_promo(vendor, max_redemptions=2, per_buyer_limit=1)
        buyers = [a_buyer() for _ in range(6)]
        bodies = [checkout_of(a_cart(store, (product, 1), promos={vendor.id: "SPRING10"})) for store in buyers]
        callers = [beside(api.as_staff_of(store)) for store in buyers]

        answers = at_once(None, *map(sending, callers, bodies))

        assert Counter(answer.status for answer in answers) == {201: 2, 409: 4}
        assert stock_of(product.id) == (98, 2)
        with read_only() as session:
            assert session.scalar(select(VendorPromo.redeemed_count).where(VendorPromo.id == promo.id)) == 2


@pytest.mark.parametrize("step", ["_groups_as_of_now", "_reserve", "_announce"])
def test_cart_what_is_added_during_a_checkout_is_another_cart(api, cart_api, in_the_middle, step):
    store = a_buyer()
    cheap, dear = a_product(price_cents=100), a_product(price_cents=90_000)
    caller = api.as_staff_of(store)
    cart = a_cart(store, (cheap, 1))

    with in_the_middle(step, caller, checkout_of(cart)) as conclude:
        with meanwhile(lambda: cart_api.with_token(caller.token).post("", wanting((cheap, 1), (dear, 9)))) as adding:
            bought = conclude()
        added = adding.result()

    assert (bought.status, bought.data["total_cents"], added.status) == (201, 100, 200)
    assert added.data["total_cents"] == 810_100
    with read_only() as session:
        assert list(session.execute(select(OrderLine.product_id, OrderLine.qty))) == [(cheap.id, 1)]
        assert list(session.scalars(select(Cart.total_cents).order_by(Cart.id))) == [100, 810_100]
    assert (stock_of(cheap.id), stock_of(dear.id)) == ((99, 1), (100, 0))


def test_cart_dropped_during_a_checkout_is_too_late_to_drop(api, cart_api, in_the_middle):
    product, store = a_product(), a_buyer()
    caller = api.as_staff_of(store)

    with in_the_middle("_write", caller, checkout_of(a_cart(store, (product, 3)))) as conclude:
        with meanwhile(cart_api.with_token(caller.token).delete) as dropping:
            bought = conclude()
        dropped = dropping.result()

    assert (bought.status, dropped.status) == (201, 404)
    assert (counted(Order), stock_of(product.id)) == (1, (97, 3))


def test_cart_priced_again_during_a_checkout_is_not_put_back(api, cart_api, in_the_middle):
    product, store = a_product(), a_buyer()
    caller = api.as_staff_of(store)

    with in_the_middle("_write", caller, checkout_of(a_cart(store, (product, 3)))) as conclude:
        with meanwhile(lambda: cart_api.with_token(caller.token).get("", refresh="true")) as refreshing:
            bought = conclude()
        refreshed = refreshing.result()

    assert (bought.status, refreshed.status) == (201, 404)
    assert counted(Cart) == 1


def test_cart_priced_again_does_not_undo_a_quote_that_came_in_between(cart_api):
    product, store = a_product(), a_buyer()
    caller = cart_api.as_staff_of(store)
    a_cart(store, (product, 1))

    with transaction() as session:
        asked = QuoteRequest(items=[WantedItem(product_id=product.id, quantity=7)])
        meant = quote(session, store.id, asked)
        with meanwhile(lambda: caller.get("", refresh="true")) as refreshing:
            session.commit()
        refreshed = refreshing.result()

    assert meant.cart["id"] != refreshed.data["id"]
    assert [item["qty"] for item in refreshed.data["items"]] == [7]


@pytest.mark.parametrize("price_cents", [1, 1_000_000])
def test_cart_a_price_changed_during_a_checkout_changes_the_next_quote_only(api, in_the_middle, price_cents):
    product, store = a_product(price_cents=2_500), a_buyer()

    with in_the_middle("_reserve", api.as_staff_of(store), checkout_of(a_cart(store, (product, 2)))) as conclude:
        with transaction() as session:
            session.execute(update(Product).where(Product.id == product.id).values(price_cents=price_cents))
        bought = conclude()

    assert (bought.status, bought.data["total_cents"]) == (201, 5_000)
    with read_only() as session:
        (again,) = [session.get_one(Cart, a_cart(store, (product, 2)))]
    assert again.total_cents == 2 * price_cents
