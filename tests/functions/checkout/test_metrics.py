"""What commerce measures: checkouts, what they run into, and where orders go."""

from datetime import timedelta

from shared.kit import clock
from shared.kit.db import transaction
from shared.orders import queries
from shared.orders.decisions import Decision, decide
from shared.orders.models import OrderStatus
from tests.builders.carts import a_cart, checkout_of
from tests.builders.orders import an_order
from tests.builders.products import a_product
from tests.builders.stores import a_buyer
from tests.functions.checkout.test_checkout import set_stock


def test_a_checkout_counts_its_orders_and_the_lines_without_stock(api, metrics):
    store = a_buyer()
    plenty, scarce, elsewhere = a_product(), a_product(), a_product()
    cart = a_cart(store, (plenty, 2), (scarce, 4), (elsewhere, 1))
    set_stock(scarce, 3)

    reply = api.as_staff_of(store).post("", checkout_of(cart))

    assert reply.status == 201
    assert metrics.of("checkout_converted") == [{"value": 3}]
    assert metrics.of("reservation_failed") == [{"value": 1}]
    assert metrics.of("checkout_conflict") == []
    moves = [line["to"] for line in metrics.of("order_moved") if (line["action"], line["source"]) == ("create", "none")]
    assert sorted(moves) == ["created_pending", "created_pending", "rejected"]


def test_what_a_checkout_runs_into_is_counted_by_its_reason(api, metrics, freeze):
    store, product = a_buyer(), a_product()
    moment = clock.now()
    freeze(moment)
    cart = a_cart(store, (product, 5))
    set_stock(product, 4)
    api.as_staff_of(store).post("", checkout_of(cart))
    freeze(moment + timedelta(minutes=15))
    api.as_staff_of(store).post("", checkout_of(cart))

    assert metrics.of("checkout_conflict") == [
        {"reason": "out_of_stock", "value": 1},
        {"reason": "quote_expired", "value": 1},
    ]
    assert metrics.of("checkout_converted") == []


def test_an_order_that_comes_into_another_status_is_counted(database, metrics):
    order = an_order()

    with transaction() as session:
        decide(session, queries.lock_order(session, order.id), Decision.ACCEPT)

    told = {"action": "accept", "source": OrderStatus.CREATED_PENDING, "to": OrderStatus.ACCEPTED, "value": 1}
    assert metrics.of("order_moved") == [told]
