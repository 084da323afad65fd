"""Events become notifications: once each, whatever is delivered again, and low stock is announced once."""

from collections.abc import Callable

import pytest
from sqlalchemy import select, text, update

from shared.catalog.models import Product
from shared.events.catalogue import CATALOGUE
from shared.events.checkout import OrderCreated
from shared.events.orders import OrderAssigned, OrderDelivered
from shared.events.products import InventoryLow
from shared.identity.permissions import SystemRole
from shared.inventory.models import InventoryItem
from shared.kit import clock, redis
from shared.kit.db import read_only, transaction
from shared.kit.ids import new_id
from shared.kit.outbox import OutboxEvent, emit
from shared.notifications.messages import MESSAGES
from shared.notifications.models import Notification
from tests.builders.products import a_product
from tests.builders.stores import a_buyer, a_user, a_vendor
from tests.deliveries import delivery_of
from tests.events import Events


def announced(event) -> OutboxEvent:
    """The event as it lies in the outbox."""
    with transaction() as session:
        emit(session, event)
    return next(row for row in reversed(Events().rows()) if row.event_type == event.event_type())


def an_order_created(products=(), vendors=None, buyer=None):
    vendors = vendors or [a_vendor()]
    return OrderCreated(
        checkout_group_id=new_id(),
        cart_id=new_id(),
        buyer_store_id=(buyer or a_buyer()).id,
        vendor_store_ids=[vendor.id for vendor in vendors],
        order_ids=[new_id() for _ in vendors],
        product_ids=[product.id for product in products],
    )


def an_order_event(kind, **fields):
    ids = {"order_id": new_id(), "buyer_store_id": a_buyer().id, "vendor_store_id": a_vendor().id}
    return kind(order_number=1001, agent_user_id=a_user(system_role=SystemRole.AGENT).id, **ids, **fields)


def notifications():
    with read_only() as session:
        return list(session.scalars(select(Notification).order_by(Notification.id)))


def is_told(product):
    with read_only() as session:
        return session.scalar(select(InventoryItem.low_stock_told).where(InventoryItem.product_id == product.id))


def test_an_event_is_told_to_everybody_concerned(consumer):
    event = an_order_event(OrderDelivered)
    row = announced(event)

    acknowledged = consumer.deliver(delivery_of(row))

    told = notifications()
    assert acknowledged
    assert [(note.event_id, note.recipient_store_id, note.title, note.link) for note in told] == [
        (row.id, event.buyer_store_id, "Order 1001 was delivered", f"/orders/{event.order_id}"),
        (row.id, event.vendor_store_id, "Order 1001 was delivered", f"/vendor/orders/{event.order_id}"),
    ]
    assert {note.read_at for note in told} == {None}


def test_agents_and_admins_are_told_as_such(consumer):
    event = an_order_event(OrderAssigned)

    consumer.deliver(delivery_of(announced(event)))

    assert [(note.recipient_store_id, note.recipient_role, note.recipient_user_id) for note in notifications()] == [
        (None, None, event.agent_user_id),
        (None, SystemRole.ADMIN, None),
    ]


def test_every_event_of_the_topic_is_handled(consumer):
    assert set(consumer.handlers) == {kind.event_type() for kind in MESSAGES}


@pytest.mark.parametrize("kind", sorted(kind.event_type() for kind in MESSAGES))
def test_every_event_can_be_told(consumer, kind):
    store, user = a_vendor(), a_user()
    people = {"user_id": user.id, "agent_user_id": user.id, "invited_by": user.id, "owner_user_id": user.id}
    stores = dict.fromkeys(("store_id", "buyer_store_id", "vendor_store_id"), store.id)
    example = CATALOGUE[kind].example
    own = {name: value for name, value in (people | stores).items() if name in example}
    if kind == "order_created":
        own["vendor_store_ids"] = [store.id]
    event = CATALOGUE[kind].model_validate({**example, **own})

    assert consumer.deliver(delivery_of(announced(event)))

    is_shown = any(notice.mail is None or not notice.mail.alone for notice in MESSAGES[CATALOGUE[kind]])
    assert bool(notifications()) == is_shown


def lose_redis() -> None:
    redis.client().flushdb()


def lose_redis_and_the_mark() -> None:
    redis.client().flushdb()
    with transaction() as session:
        session.execute(text("DELETE FROM processed_events"))


@pytest.mark.parametrize("lost", [lambda: None, lose_redis, lose_redis_and_the_mark])
def test_the_same_event_again_is_told_once(consumer, lost: Callable[[], None]):
    delivery = delivery_of(announced(an_order_event(OrderDelivered)))
    consumer.deliver(delivery)
    before = [note.id for note in notifications()]

    lost()
    acknowledged = consumer.deliver(delivery)

    assert acknowledged
    assert [note.id for note in notifications()] == before
    assert len(before) == 2


def test_a_failure_writes_nothing_and_the_next_delivery_does(consumer):
    product = a_product(available_qty=1, low_stock_threshold=5)
    delivery = delivery_of(announced(an_order_created([product])))
    with transaction() as session:
        session.execute(text("ALTER TABLE inventory_items RENAME TO elsewhere"))

    refused = consumer.deliver(delivery)
    nothing = notifications()
    with transaction() as session:
        session.execute(text("ALTER TABLE elsewhere RENAME TO inventory_items"))
    acknowledged = consumer.deliver(delivery)

    assert (refused, nothing, acknowledged) == (False, [], True)
    assert len(notifications()) == 1
    assert is_told(product)


def test_a_checkout_tells_each_vendor_of_its_order_by_one_statement(consumer, statements):
    vendors = [a_vendor() for _ in range(5)]
    event = an_order_created(vendors=vendors)
    single = an_order_created()

    costs = []
    for told in (event, single):
        delivery = delivery_of(announced(told))
        with statements() as counted:
            consumer.deliver(delivery)
        costs.append(counted.sql)

    told = {note.recipient_store_id: note.link for note in notifications()}
    orders = dict(zip(event.vendor_store_ids, event.order_ids, strict=True))
    assert {store: told[store] for store in orders} == {
        store: f"/vendor/orders/{order}" for store, order in orders.items()
    }
    assert costs[0] == costs[1]


def test_after_a_checkout_the_products_that_run_low_are_announced_once(consumer, events):
    vendor = a_vendor()
    at, under, plenty, silent = (
        a_product(vendor, available_qty=available, low_stock_threshold=threshold)
        for available, threshold in ((5, 5), (0, 5), (6, 5), (0, 5))
    )
    with transaction() as session:
        told = update(InventoryItem).where(InventoryItem.product_id == silent.id)
        session.execute(told.values(low_stock_told=True))
    products = [at, under, plenty, silent]

    for _ in range(2):
        consumer.deliver(delivery_of(announced(an_order_created(products, [vendor]))))

    assert events.emitted(InventoryLow) == [
        InventoryLow(product_id=at.id, vendor_store_id=vendor.id, available_qty=5, low_stock_threshold=5),
        InventoryLow(product_id=under.id, vendor_store_id=vendor.id, available_qty=0, low_stock_threshold=5),
    ]
    assert [is_told(product) for product in products] == [True, True, False, True]


def test_products_that_were_not_ordered_or_are_archived_are_left_alone(consumer, events):
    vendor = a_vendor()
    elsewhere = a_product(vendor, available_qty=0, low_stock_threshold=5)
    archived = a_product(vendor, available_qty=0, low_stock_threshold=5)
    with transaction() as session:
        session.execute(update(Product).where(Product.id == archived.id).values(deleted_at=clock.now()))

    consumer.deliver(delivery_of(announced(an_order_created([archived], [vendor]))))

    assert events.emitted(InventoryLow) == []
    assert is_told(elsewhere) is False


def test_low_stock_is_noticed_by_the_same_statements_however_many_products(consumer, statements):
    vendor = a_vendor()
    costs = []
    for many in (1, 12):
        products = [a_product(vendor, available_qty=0, low_stock_threshold=1) for _ in range(many)]
        delivery = delivery_of(announced(an_order_created(products, [vendor])))
        with statements() as counted:
            consumer.deliver(delivery)
        costs.append(counted.sql)

    assert costs[0] == costs[1]
