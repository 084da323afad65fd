"""The vendors' own products: offering, changing, archiving, listing, and who may not."""

from uuid import uuid4

import pytest
from sqlalchemy import select

from shared.catalog.models import Product, VolumeDiscount
from shared.identity.permissions import Role
from shared.inventory.models import InventoryMovement
from shared.kit import clock
from shared.kit.db import read_only
from shared.media.kinds import MediaKind
from shared.media.models import EntityType, MediaAttachment, MediaStatus
from tests.builders.media import a_media
from tests.builders.products import a_product
from tests.builders.stores import a_buyer, a_vendor
from tests.cost import counting
from tests.events import audited
from tests.stock import stock_of

MINIMAL = {"sku": "BD-35", "title": "Blue Dream", "category": "flower", "unit": "eighth", "price_cents": 1_850}
READERS = list(Role)
WRITERS = [Role.OWNER, Role.ADMIN, Role.MANAGER, Role.OPS]


@pytest.fixture
def store():
    return a_vendor()


@pytest.fixture
def vendor(shelf, store):
    return shelf.as_staff_of(store)


def rows(model, *conditions):
    with read_only() as session:
        return list(session.scalars(select(model).where(*conditions)))


def attachments_of(product_id, entity_type):
    with read_only() as session:
        found = select(MediaAttachment.media_id).where(
            MediaAttachment.entity_id == product_id, MediaAttachment.entity_type == entity_type
        )
        return list(session.scalars(found.order_by(MediaAttachment.position)))


def everything():
    """How many rows there are of all that a vendor's request could write."""
    from shared.kit.outbox import OutboxEvent
    from shared.operations.audit import AuditLog

    with read_only() as session:
        models = (Product, VolumeDiscount, InventoryMovement, MediaAttachment, AuditLog, OutboxEvent)
        return [sorted(map(str, session.execute(select(*model.__table__.columns)))) for model in models]


@pytest.fixture
def unchanged():
    """Check that nothing at all was written since."""
    before = []

    class Unchanged:
        def since_now(self):
            before[:] = everything()
            return self

        def check(self):
            assert everything() == before

    return Unchanged()


def test_a_product_is_offered_with_its_stock_tiers_and_media_at_once(vendor, store):
    second = a_media(store, status=MediaStatus.READY, public_url="https://c/2.webp", thumbnail_url="https://c/2t.webp")
    first, coa = a_media(store), a_media(store, MediaKind.COA)
    body = MINIMAL | {
        "subtitle": "Indoor",
        "body_html": '<p onclick="x()">Dense <b>buds</b><script>x()</script> <a href="javascript:x()">here</a></p>',
        "classification": "hybrid",
        "strain": "Blue Dream",
        "moq": 8,
        "max_qty": 80,
        "compare_at_price_cents": 2_000,
        "thc_percent": "23.4",
        "cbd_percent": 0.1,
        "feelings": ["happy", "relaxed"],
        "flavors": ["sweet"],
        "usage": ["sleep"],
        "tags": ["new"],
        "is_featured": True,
        "inventory": {"available_qty": 400, "low_stock_threshold": 40},
        "volume_discounts": [{"min_qty": 32, "discount_percent": "7.5"}, {"min_qty": 8, "discount_percent": "2"}],
        "gallery_media_ids": [str(first.id), str(second.id)],
        "coa_media_id": str(coa.id),
    }

    reply = vendor.post("", body)

    product_id = reply.data["id"]
    assert reply.status == 201
    assert coa.object_key in reply.data["coa_url"]
    told = {name: value for name, value in reply.data.items() if name not in ("coa_url", "created_at", "updated_at")}
    assert told == {
        "id": product_id,
        **{name: value for name, value in body.items() if name not in ("inventory", "gallery_media_ids")},
        "body_html": '<p>Dense <b>buds</b> <a rel="nofollow noopener noreferrer">here</a></p>',
        "thc_percent": "23.40",
        "cbd_percent": "0.10",
        "volume_discounts": [
            {"min_qty": 8, "discount_percent": "2.0000"},
            {"min_qty": 32, "discount_percent": "7.5000"},
        ],
        "inventory": {
            "available_qty": 400,
            "reserved_qty": 0,
            "low_stock_threshold": 40,
            "low_stock": False,
            "version": 1,
        },
        "gallery": [
            {
                "media_id": str(first.id),
                "status": "uploaded",
                "mime_type": "image/png",
                "url": None,
                "thumbnail_url": None,
            },
            {
                "media_id": str(second.id),
                "status": "ready",
                "mime_type": "image/png",
                "url": "https://c/2.webp",
                "thumbnail_url": "https://c/2t.webp",
            },
        ],
        "is_active": True,
        "has_promo": True,
        "status": "active",
        "thumbnail_url": "https://c/2t.webp",
        "rating": {"count": 0, "average": None},
        "deleted_at": None,
    }
    assert vendor.get(f"/{product_id}").data["gallery"] == reply.data["gallery"]
    (product,) = rows(Product)
    assert (str(product.id), product.vendor_store_id, product.vendor_name) == (product_id, store.id, store.name)
    assert stock_of(product.id) == (400, 0)
    assert attachments_of(product.id, EntityType.PRODUCT_GALLERY) == [first.id, second.id]
    assert attachments_of(product.id, EntityType.PRODUCT_COA) == [coa.id]
    assert [(action, target) for action, target, _ in audited()] == [("product.created", product.id)]


def test_the_least_that_makes_a_product(vendor):
    reply = vendor.post("", MINIMAL)

    assert reply.status == 201
    shown = {name: reply.data[name] for name in ("moq", "max_qty", "is_active", "is_featured", "tags", "gallery")}
    assert shown == {"moq": 1, "max_qty": None, "is_active": True, "is_featured": False, "tags": [], "gallery": []}
    assert reply.data["inventory"]["available_qty"] == 0
    assert rows(InventoryMovement) == []


def test_values_at_their_bounds_are_kept_and_shown(vendor):
    at_most = {"price_cents": 100_000_000, "moq": 1_000_000, "max_qty": 1_000_000, "thc_percent": "100.00"}
    tiers = [
        {"min_qty": 1, "discount_percent": "0e-99999"},
        {"min_qty": 2, "discount_percent": "0.0001"},
        {"min_qty": 1_000_000, "discount_percent": "100"},
    ]
    stock = {"available_qty": 10_000_000, "low_stock_threshold": 10_000_000}
    more = {"cbd_percent": "0e-99999", "volume_discounts": tiers, "inventory": stock}

    reply = vendor.post("", MINIMAL | at_most | more)

    assert reply.status == 201
    assert {name: reply.data[name] for name in at_most} == at_most
    assert reply.data["cbd_percent"] == "0.00"
    assert [tier["discount_percent"] for tier in reply.data["volume_discounts"]] == ["0.0000", "0.0001", "100.0000"]
    assert reply.data["inventory"] | stock == reply.data["inventory"]


def test_offering_costs_the_same_however_much_comes_with_it(vendor, store):
    costs = []
    for count in (1, 8):
        media = [str(a_media(store).id) for _ in range(count)]
        tiers = [{"min_qty": n + 1, "discount_percent": 1} for n in range(count)]
        with counting() as cost:
            vendor.post("", MINIMAL | {"sku": f"S-{count}", "gallery_media_ids": media, "volume_discounts": tiers})
        costs.append(cost.sql)

    assert costs[0] == costs[1]


WRONG_FIELDS = [
    ({"sku": ""}, "sku"),
    ({"sku": "x" * 65}, "sku"),
    ({"sku": "a\nb"}, "sku"),
    ({"title": " "}, "title"),
    ({"body_html": "x" * 20_001}, "body_html"),
    ({"category": "shoes"}, "category"),
    ({"unit": "bushel"}, "unit"),
    ({"moq": 0}, "moq"),
    ({"moq": 1_000_001}, "moq"),
    ({"moq": 5, "max_qty": 4}, None),
    ({"price_cents": 0}, "price_cents"),
    ({"price_cents": 18.5}, "price_cents"),
    ({"compare_at_price_cents": 0}, "compare_at_price_cents"),
    ({"thc_percent": "100.01"}, "thc_percent"),
    ({"thc_percent": "1.234"}, "thc_percent"),
    ({"cbd_percent": -1}, "cbd_percent"),
    ({"feelings": ["hungry", "hungry"]}, "feelings"),
    ({"feelings": ["bored"]}, "feelings[0]"),
    ({"tags": ["x"] * 2}, "tags"),
    ({"tags": ["x" * 41]}, "tags[0]"),
    ({"volume_discounts": [{"min_qty": 2, "discount_percent": "100.1"}]}, "volume_discounts[0].discount_percent"),
    ({"volume_discounts": [{"min_qty": 2, "discount_percent": "1.00001"}]}, "volume_discounts[0].discount_percent"),
    ({"volume_discounts": [{"min_qty": 2, "discount_percent": "1"}] * 2}, "volume_discounts"),
    ({"gallery_media_ids": ["42"]}, "gallery_media_ids[0]"),
    ({"vendor_store_id": str(uuid4())}, "vendor_store_id"),
    ({"rating_count": 9}, "rating_count"),
    ({"thumbnail_url": "https://elsewhere"}, "thumbnail_url"),
]


@pytest.mark.parametrize(("change", "field"), WRONG_FIELDS)
def test_a_wrong_field_is_named_and_nothing_is_written(vendor, store, unchanged, change, field):
    product = a_product(store)
    unchanged.since_now()

    created = vendor.post("", MINIMAL | change)
    updated = vendor.patch(f"/{product.id}", change)

    fields = [""] if field is None else [field]
    assert (created.status, created.error.code, created.error.fields) == (400, "VALIDATION_ERROR", fields)
    assert (updated.status, updated.error.fields) == (400, ["max_qty"] if field is None else fields)
    unchanged.check()


@pytest.mark.parametrize("missing", MINIMAL)
def test_what_a_product_needs_may_not_be_left_out_nor_emptied(vendor, store, unchanged, missing):
    product = a_product(store)
    unchanged.since_now()

    created = vendor.post("", {name: value for name, value in MINIMAL.items() if name != missing})
    emptied = vendor.patch(f"/{product.id}", {missing: None})

    assert [(r.status, r.error.fields) for r in (created, emptied)] == [(400, [missing])] * 2
    unchanged.check()


def test_bounds_may_not_cross_what_is_already_there(vendor, store, unchanged):
    product = a_product(store, moq=5, max_qty=10)
    unchanged.since_now()

    replies = [vendor.patch(f"/{product.id}", change) for change in ({"moq": 11}, {"max_qty": 4})]

    assert [(r.status, r.error.fields) for r in replies] == [(400, ["max_qty"])] * 2
    unchanged.check()


def test_a_sku_is_a_stores_own_and_comes_back_from_the_archive(vendor, store, shelf, unchanged):
    taken = vendor.post("", MINIMAL).data["id"]
    other = a_product(store)
    unchanged.since_now()

    again, renamed = vendor.post("", MINIMAL), vendor.patch(f"/{other.id}", {"sku": "BD-35"})
    unchanged.check()
    elsewhere = shelf.as_staff_of(a_vendor()).post("", MINIMAL)
    vendor.delete(f"/{taken}")
    freed = vendor.post("", MINIMAL)

    assert [(r.status, r.error.code, r.error.reason) for r in (again, renamed)] == [(409, "CONFLICT", "sku_taken")] * 2
    assert (elsewhere.status, freed.status) == (201, 201)


def test_media_must_be_the_stores_own_fit_and_be_there(vendor, store, unchanged):
    product = a_product(store)
    foreign, document = a_media(a_vendor()), a_media(store, MediaKind.COA)
    pending = a_media(store, status=MediaStatus.PENDING)
    unchanged.since_now()

    def refused(media_id, field="gallery_media_ids"):
        change = {field: [str(media_id)] if field == "gallery_media_ids" else str(media_id)}
        replies = (vendor.post("", MINIMAL | change), vendor.patch(f"/{product.id}", change))
        unchanged.check()
        return [(reply.status, reply.error.code) for reply in replies]

    assert refused(uuid4()) == [(404, "NOT_FOUND")] * 2
    assert refused(foreign.id) == [(404, "NOT_FOUND")] * 2
    assert refused(document.id) == [(400, "VALIDATION_ERROR")] * 2
    assert refused(pending.id) == [(422, "STATE_CONFLICT")] * 2
    assert refused(a_media(store).id, "coa_media_id")[0] == (400, "VALIDATION_ERROR")


def test_a_change_touches_only_what_is_given(vendor, store, freeze):
    picture = a_media(store)
    product = a_product(store, subtitle="Indoor", max_qty=50, tiers={10: "5"})
    vendor.patch(f"/{product.id}", {"gallery_media_ids": [str(picture.id)]})
    before = vendor.get(f"/{product.id}").data
    freeze(clock.now())

    reply = vendor.patch(f"/{product.id}", {"price_cents": 1_790, "subtitle": None, "thc_percent": "25.5"})

    changed = {"price_cents": 1_790, "subtitle": None, "thc_percent": "25.50"}
    assert reply.status == 200
    assert reply.data == before | changed | {"updated_at": clock.now().isoformat().replace("+00:00", "Z")}
    assert audited("product.updated")[-1][2] == {"price_cents": 1_790, "subtitle": None, "thc_percent": "25.5"}


def test_lists_are_replaced(vendor, store):
    first, second, third = (a_media(store) for _ in range(3))
    product = a_product(store, tiers={10: "5", 20: "8"}, tags=["old"])
    for wanted in ([first, second], [third, second]):
        vendor.patch(f"/{product.id}", {"gallery_media_ids": [str(media.id) for media in wanted]})

    reply = vendor.patch(
        f"/{product.id}",
        {"volume_discounts": [{"min_qty": 20, "discount_percent": "9"}], "tags": [], "coa_media_id": None},
    )

    assert reply.data["volume_discounts"] == [{"min_qty": 20, "discount_percent": "9.0000"}]
    assert reply.data["tags"] == []
    assert attachments_of(product.id, EntityType.PRODUCT_GALLERY) == [third.id, second.id]


def test_archiving_hides_detaches_and_keeps_the_rows(vendor, store, grid):
    product = a_product(store, available_qty=7)
    picture, coa = a_media(store), a_media(store, MediaKind.COA)
    vendor.patch(f"/{product.id}", {"gallery_media_ids": [str(picture.id)], "coa_media_id": str(coa.id)})

    reply = vendor.delete(f"/{product.id}")

    assert (reply.status, reply.raw) == (204, b"")
    assert grid.as_member(a_buyer()).get(f"/{product.id}").status == 404
    assert (attachments_of(product.id, EntityType.PRODUCT_GALLERY), rows(Product)[0].coa_media_id) == ([], None)
    assert stock_of(product.id) == (7, 0)
    assert vendor.get(f"/{product.id}").data["status"] == "archived"
    assert [action for action, _, _ in audited()] == ["product.updated", "product.deleted"]
    assert [vendor.delete(f"/{product.id}").status, vendor.patch(f"/{product.id}", {"moq": 2}).status] == [404, 404]


def test_the_table_shows_every_own_product_in_any_state(vendor, store):
    hidden_vendor_product = a_product(a_vendor())
    a_product(store, title="Active")
    a_product(store, title="Inactive", is_active=False)
    a_product(store, title="Archived", deleted_at=clock.now())

    def titles(**query):
        return [row["title"] for row in vendor.get(**query).data]

    assert hidden_vendor_product.title not in titles(status="active,inactive,archived")
    assert titles() == ["Inactive", "Active"]
    assert titles(status="archived") == ["Archived"]
    assert titles(status="active,inactive,archived", sort="newest", include_total="true") == [
        "Archived",
        "Inactive",
        "Active",
    ]


def test_a_vendor_that_nobody_sees_still_has_its_table(shelf):
    store = a_vendor(subscription_active=False)
    a_product(store, title="Private")

    assert [row["title"] for row in shelf.as_member(store, Role.VIEWER).get().data] == ["Private"]


def test_the_table_is_filtered_sorted_and_searched(vendor, store):
    a_product(store, title="Gelato Cart", category="cart", price_cents=300, available_qty=2, low_stock_threshold=5)
    a_product(store, title="Gelato Flower", category="flower", price_cents=100, available_qty=50)
    a_product(store, title="Plain Balm", subtitle="after gelato", category="topical", price_cents=200, available_qty=0)

    def titles(**query):
        return [row["title"] for row in vendor.get(**query).data]

    assert titles(category="cart,flower", sort="price") == ["Gelato Flower", "Gelato Cart"]
    assert titles(low_stock="true") == ["Plain Balm", "Gelato Cart"]
    assert titles(low_stock="false") == ["Gelato Flower"]
    assert titles(q="gelatto") == ["Gelato Flower", "Gelato Cart", "Plain Balm"]
    assert titles(q="gelato", sort="-price") == ["Gelato Cart", "Plain Balm", "Gelato Flower"]
    first = vendor.get(q="gelato", limit=2)
    assert [row["title"] for row in vendor.get(q="gelato", limit=2, cursor=first.page["next"]).data] == ["Plain Balm"]
    assert [(vendor.get(sort=sort).status) for sort in ("distance", "relevance")] == [400, 400]


def test_a_table_costs_one_statement(vendor, store):
    for _ in range(3):
        a_product(store, tiers={5: "1"})

    with counting() as cost:
        assert len(vendor.get().data) == 3

    assert cost.sql == 1


def test_another_stores_product_is_not_there(shelf, store, unchanged):
    product = a_product(a_vendor())
    rival = shelf.as_staff_of(store)
    unchanged.since_now()

    replies = [
        rival.get(f"/{product.id}"),
        rival.patch(f"/{product.id}", {"price_cents": 1}),
        rival.delete(f"/{product.id}"),
        rival.delete(f"/{uuid4()}"),
    ]

    assert [(reply.status, reply.error.code) for reply in replies] == [(404, "NOT_FOUND")] * 4
    unchanged.check()


@pytest.mark.parametrize("role", Role)
def test_who_may_read_and_who_may_write(shelf, store, role):
    product = a_product(store)
    caller = shelf.as_member(store, role)

    read = [caller.get().status, caller.get(f"/{product.id}").status]
    written = [
        caller.post("", MINIMAL).status,
        caller.patch(f"/{product.id}", {"moq": 1}).status,
        caller.delete(f"/{product.id}").status,
    ]

    assert read == [200, 200]
    assert written == ([201, 200, 204] if role in WRITERS else [403, 403, 403])


def test_buyers_and_strangers_have_no_shelf(shelf, unchanged):
    product = a_product()
    unchanged.since_now()

    for caller, status in ((shelf.as_member(a_buyer()), 403), (shelf, 401)):
        replies = [
            caller.get(),
            caller.post("", MINIMAL),
            caller.get(f"/{product.id}"),
            caller.patch(f"/{product.id}", {"moq": 1}),
            caller.delete(f"/{product.id}"),
        ]
        assert [reply.status for reply in replies] == [status] * 5
    unchanged.check()


def test_offering_needs_a_key_and_happens_once_for_it(vendor):
    unkeyed = vendor.post("", MINIMAL, key=None)
    first, again = (vendor.post("", MINIMAL, key="once") for _ in range(2))

    assert (unkeyed.status, unkeyed.error.code) == (400, "IDEMPOTENCY_KEY_REQUIRED")
    assert (first.status, again.status, again.raw) == (201, 201, first.raw)
    assert len(rows(Product)) == 1
