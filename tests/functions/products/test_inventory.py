"""The vendors' stock: set for one or many, by version, with movements; told once when it runs low."""

from uuid import uuid4

import pytest
from sqlalchemy import select

from shared.events.products import InventoryLow
from shared.identity.permissions import Role
from shared.inventory import reservation
from shared.inventory.models import InventoryItem, InventoryMovement
from shared.inventory.reservation import StockLine
from shared.kit import clock
from shared.kit.db import read_only, transaction
from shared.kit.ids import new_id
from tests.builders.products import a_product
from tests.builders.stores import a_buyer, a_vendor
from tests.cost import counting
from tests.events import audited
from tests.stock import stock_of

WRITERS = [Role.OWNER, Role.ADMIN, Role.MANAGER, Role.OPS]


@pytest.fixture
def store():
    return a_vendor()


@pytest.fixture
def vendor(inventory, store):
    return inventory.as_staff_of(store)


def movements():
    with read_only() as session:
        rows = session.scalars(select(InventoryMovement).order_by(InventoryMovement.id))
        return [(row.product_id, row.delta_available_qty, row.delta_reserved_qty, row.reason.value) for row in rows]


def everything():
    with read_only() as session:
        items = session.execute(select(*InventoryItem.__table__.columns).order_by(InventoryItem.product_id)).all()
    return items, movements(), audited()


def test_setting_the_stock_of_one_product(vendor, store):
    product = a_product(store, available_qty=100, low_stock_threshold=5)

    reply = vendor.put(f"/{product.id}", {"available_qty": 120, "low_stock_threshold": 20, "expected_version": 1})

    assert reply.status == 200
    assert reply.data == {
        "product_id": str(product.id),
        "available_qty": 120,
        "reserved_qty": 0,
        "low_stock_threshold": 20,
        "low_stock": False,
        "version": 2,
    }
    assert stock_of(product.id) == (120, 0)
    assert movements()[-1] == (product.id, 20, 0, "set")
    assert audited() == [("inventory.set", product.id, {"available_qty": 120, "low_stock_threshold": 20})]


def test_what_is_reserved_stays_reserved(vendor, store):
    product = a_product(store, available_qty=10)
    with transaction() as session:
        reservation.reserve(session, [StockLine(product.id, 4, new_id(), new_id())])

    reply = vendor.put(f"/{product.id}", {"available_qty": 3})

    assert (reply.data["available_qty"], reply.data["reserved_qty"], reply.data["version"]) == (3, 4, 3)
    assert stock_of(product.id) == (3, 4)


def test_the_same_again_moves_nothing(vendor, store):
    product = a_product(store, available_qty=50, low_stock_threshold=5)
    before = movements()

    replies = [vendor.put(f"/{product.id}", {"available_qty": 50}) for _ in range(2)]

    assert [(r.status, r.data["low_stock_threshold"], r.data["version"]) for r in replies] == [(200, 5, 2), (200, 5, 3)]
    assert movements() == before


def test_a_stale_version_is_refused(vendor, store, events):
    product = a_product(store, available_qty=50)
    vendor.put(f"/{product.id}", {"available_qty": 40, "expected_version": 1})
    before = everything()

    reply = vendor.put(f"/{product.id}", {"available_qty": 30, "expected_version": 1})

    assert (reply.status, reply.error.code, reply.error.reason) == (409, "CONFLICT", "stale_version")
    assert reply.error.details["product_ids"] == [str(product.id)]
    assert (everything(), events.emitted()) == (before, [])


def test_many_are_set_at_once_in_the_order_asked(vendor, store):
    products = [a_product(store, available_qty=n) for n in range(4)]
    wanted = [(products[2], 7), (products[0], 0), (products[3], 9)]

    with counting() as cost:
        reply = vendor.post("/bulk", {"items": [{"product_id": str(p.id), "available_qty": n} for p, n in wanted]})

    assert [(row["product_id"], row["available_qty"]) for row in reply.data] == [(str(p.id), n) for p, n in wanted]
    assert [stock_of(product.id) for product in products] == [(0, 0), (1, 0), (7, 0), (9, 0)]
    assert sorted(target for _, target, _ in audited("inventory.set")) == sorted(p.id for p, _ in wanted)
    assert cost.sql == 5


def test_setting_many_costs_the_same_as_setting_few(vendor, store):
    products = [a_product(store, available_qty=50, low_stock_threshold=5) for _ in range(12)]

    costs = []
    for some in (products[:1], products[1:]):
        with counting() as cost:
            vendor.post("/bulk", {"items": [{"product_id": str(p.id), "available_qty": 1} for p in some]})
        costs.append(cost.sql)

    assert costs == [5, 5]


def test_many_are_set_all_or_none(vendor, store, events):
    mine, stale = a_product(store), a_product(store)
    foreign, archived = a_product(a_vendor()), a_product(store, deleted_at=clock.now())
    vendor.put(f"/{stale.id}", {"available_qty": 5})
    before = everything()

    def bulk(*others):
        items = [{"product_id": str(mine.id), "available_qty": 1}, *others]
        reply = vendor.post("/bulk", {"items": items})
        assert (everything(), events.emitted()) == (before, [])
        return reply

    unknown = [str(uuid4()), str(foreign.id), str(archived.id)]
    missing = bulk(*({"product_id": product_id, "available_qty": 1} for product_id in unknown))
    outdated = bulk({"product_id": str(stale.id), "available_qty": 1, "expected_version": 1})

    assert (missing.status, missing.error.details) == (404, {"product_ids": sorted(unknown)})
    assert (outdated.status, outdated.error.details["product_ids"]) == (409, [str(stale.id)])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"available_qty": -1}, "available_qty"),
        ({"available_qty": 10_000_001}, "available_qty"),
        ({"available_qty": 1.5}, "available_qty"),
        ({"available_qty": None}, "available_qty"),
        ({"low_stock_threshold": -1}, "low_stock_threshold"),
        ({"expected_version": 0}, "expected_version"),
        ({"reserved_qty": 0}, "reserved_qty"),
    ],
)
def test_a_level_that_makes_no_sense_is_refused(vendor, store, change, field):
    product = a_product(store)
    before = everything()

    one = vendor.put(f"/{product.id}", {"available_qty": 1} | change)
    many = vendor.post("/bulk", {"items": [{"product_id": str(product.id), "available_qty": 1} | change]})

    assert (one.status, one.error.fields) == (400, [field])
    assert (many.status, many.error.fields) == (400, [f"items[0].{field}"])
    assert everything() == before


def test_a_bulk_has_one_to_five_hundred_products_each_once(vendor, store):
    product = a_product(store)
    item = {"product_id": str(product.id), "available_qty": 1}
    before = everything()

    replies = [
        vendor.post("/bulk", {"items": items})
        for items in ([], [item, item], [{"product_id": str(uuid4()), "available_qty": 1} for _ in range(501)])
    ]

    assert [(r.status, r.error.fields) for r in replies] == [(400, ["items"])] * 3
    assert everything() == before


def test_running_low_is_told_once_until_it_is_refilled(vendor, store, events):
    product = a_product(store, available_qty=50, low_stock_threshold=10)

    def set_to(**level):
        vendor.put(f"/{product.id}", level)
        return [(e.available_qty, e.low_stock_threshold) for e in events.emitted(InventoryLow)]

    assert set_to(available_qty=11) == []
    assert set_to(available_qty=10) == [(10, 10)]
    assert set_to(available_qty=3) == [(10, 10)]
    assert set_to(available_qty=11) == [(10, 10)]
    assert set_to(available_qty=9) == [(10, 10), (9, 10)]
    assert set_to(available_qty=9, low_stock_threshold=2) == [(10, 10), (9, 10)]
    assert set_to(available_qty=9, low_stock_threshold=9) == [(10, 10), (9, 10), (9, 9)]
    assert events.emitted()[0] == InventoryLow(
        product_id=product.id, vendor_store_id=store.id, available_qty=10, low_stock_threshold=10
    )


def test_a_product_that_begins_low_is_no_news(shelf, vendor, store, events):
    body = {"sku": "A-1", "title": "Jar", "category": "flower", "unit": "gram", "price_cents": 900}
    product_id = shelf.as_staff_of(store).post("", body).data["id"]

    vendor.put(f"/{product_id}", {"available_qty": 0, "low_stock_threshold": 4})
    assert events.emitted() == []

    for qty in (9, 4):
        vendor.put(f"/{product_id}", {"available_qty": qty})
    assert [event.available_qty for event in events.emitted(InventoryLow)] == [4]


def test_the_list_shows_products_with_their_stock(vendor, store):
    a_product(a_vendor())
    a_product(store, title="Archived", deleted_at=clock.now())
    low = a_product(store, title="Low", available_qty=5, low_stock_threshold=5, is_active=False)
    a_product(store, title="Plenty", available_qty=6, low_stock_threshold=5)

    with counting() as cost:
        everything_there = vendor.get(limit=1)
    rest = vendor.get(limit=1, cursor=everything_there.page["next"])

    assert [row["product"]["title"] for row in everything_there.data] == ["Plenty"]
    assert rest.page["next"] is None
    assert rest.data == [
        {
            "available_qty": 5,
            "reserved_qty": 0,
            "low_stock_threshold": 5,
            "low_stock": True,
            "version": 1,
            "product": {
                "id": str(low.id),
                "sku": low.sku,
                "title": "Low",
                "category": "flower",
                "unit": "eighth",
                "is_active": False,
                "thumbnail_url": None,
            },
        }
    ]
    titles = [[row["product"]["title"] for row in vendor.get(low_stock=wanted).data] for wanted in ("true", "false")]
    assert titles == [["Low"], ["Plenty"]]
    assert cost.sql == 1


@pytest.mark.parametrize("role", Role)
def test_who_may_read_and_who_may_write(inventory, store, role):
    product = a_product(store)
    caller = inventory.as_member(store, role)
    level = {"available_qty": 1}

    statuses = [
        caller.get().status,
        caller.put(f"/{product.id}", level).status,
        caller.post("/bulk", {"items": [{"product_id": str(product.id), **level}]}).status,
    ]

    assert statuses == ([200, 200, 200] if role in WRITERS else [200, 403, 403])


def test_nobody_else_sets_a_vendors_stock(inventory):
    product = a_product()
    before = everything()
    level = {"available_qty": 1}

    for caller, status in ((inventory.as_staff_of(a_vendor()), 404), (inventory.as_member(a_buyer()), 403)):
        assert caller.put(f"/{product.id}", level).status == status
        assert caller.post("/bulk", {"items": [{"product_id": str(product.id), **level}]}).status == status
    assert [inventory.get().status, inventory.put(f"/{product.id}", level).status] == [401, 401]
    assert everything() == before


def test_a_bulk_needs_a_key_and_happens_once_for_it(vendor, store):
    product = a_product(store)
    body = {"items": [{"product_id": str(product.id), "available_qty": 1}]}

    unkeyed = vendor.post("/bulk", body, key=None)
    first, again = (vendor.post("/bulk", body, key="once") for _ in range(2))

    assert (unkeyed.status, unkeyed.error.code) == (400, "IDEMPOTENCY_KEY_REQUIRED")
    assert (first.raw, first.data[0]["version"]) == (again.raw, 2)
