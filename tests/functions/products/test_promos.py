"""The vendors' codes: what makes sense, whose they are, and what orders hold on to."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy import select

from shared.catalog.models import PromoKind, VendorPromo
from shared.identity.permissions import Role
from shared.kit import clock
from shared.kit.db import read_only
from tests.builders.products import a_promo
from tests.builders.stores import a_buyer, a_vendor
from tests.cost import counting

PERCENT = {"code": "SPRING10", "kind": "percent", "value": "10"}
WRITERS = [Role.OWNER, Role.ADMIN, Role.MANAGER, Role.OPS]


@pytest.fixture
def store():
    return a_vendor()


@pytest.fixture
def vendor(promos, store):
    return promos.as_staff_of(store)


def everything():
    with read_only() as session:
        return session.execute(select(*VendorPromo.__table__.columns).order_by(VendorPromo.id)).all()


def at(**later):
    return (clock.now() + timedelta(**later)).isoformat().replace("+00:00", "Z")


def test_a_promo_with_all_its_terms(vendor, freeze):
    freeze(clock.now())
    body = {
        "code": "Vip_500",
        "kind": "fixed",
        "value": "500",
        "min_subtotal_cents": 50_000,
        "starts_at": at(days=1),
        "ends_at": "2126-03-04T12:00:00-06:00",
        "max_redemptions": 100,
        "per_buyer_limit": 1,
        "is_active": False,
    }

    reply = vendor.post("", body)

    assert reply.status == 201
    assert reply.data == body | {
        "id": reply.data["id"],
        "value": "500",
        "ends_at": "2126-03-04T18:00:00Z",
        "redeemed_count": 0,
        "created_at": at(),
    }
    assert vendor.get().data == [reply.data | {"value": "500.0000"}]


def test_without_terms_it_starts_now_for_everybody(vendor, freeze):
    freeze(clock.now())

    reply = vendor.post("", PERCENT)

    assert reply.status == 201
    terms = ("min_subtotal_cents", "starts_at", "ends_at", "max_redemptions", "per_buyer_limit", "is_active")
    assert [reply.data[name] for name in terms] == [0, at(), None, None, None, True]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"code": "ab"}, "code"),
        ({"code": "has space"}, "code"),
        ({"code": "x" * 41}, "code"),
        ({"kind": "gift"}, "kind"),
        ({"value": "0"}, "value"),
        ({"value": "100.01"}, "value"),
        ({"value": "1.00001"}, "value"),
        ({"kind": "fixed", "value": "500.5"}, "value"),
        ({"kind": "fixed", "value": "100000000"}, "value"),
        ({"min_subtotal_cents": -1}, "min_subtotal_cents"),
        ({"starts_at": "2026-01-01T00:00:00"}, "starts_at"),
        ({"starts_at": "0001-01-01T00:00:00+14:00"}, "starts_at"),
        ({"ends_at": "9999-12-31T23:00:00-12:00"}, "ends_at"),
        ({"starts_at": "2026-01-02T00:00:00Z", "ends_at": "2026-01-02T00:00:00Z"}, "ends_at"),
        ({"max_redemptions": 0}, "max_redemptions"),
        ({"per_buyer_limit": 0}, "per_buyer_limit"),
        ({"redeemed_count": 0}, "redeemed_count"),
        ({"store_id": str(uuid4())}, "store_id"),
    ],
)
def test_terms_that_make_no_sense_are_refused(vendor, store, change, field):
    promo = a_promo(store, code="OTHER")
    before = everything()

    replies = (vendor.post("", PERCENT | change), vendor.patch(f"/{promo.id}", change))

    assert [(r.status, r.error.code, r.error.fields) for r in replies] == [(400, "VALIDATION_ERROR", [field])] * 2
    assert everything() == before


@pytest.mark.parametrize("name", ["code", "kind", "value", "min_subtotal_cents", "starts_at", "is_active"])
def test_what_a_promo_needs_cannot_be_emptied(vendor, store, name):
    promo = a_promo(store)
    before = everything()

    reply = vendor.patch(f"/{promo.id}", {name: None})

    assert (reply.status, reply.error.fields) == (400, [name])
    assert everything() == before


def test_a_change_is_held_against_what_stays(vendor, store):
    promo = a_promo(store, kind=PromoKind.FIXED, value=Decimal(500), redeemed_count=3, max_redemptions=9)
    before = everything()

    refused = [
        vendor.patch(f"/{promo.id}", change)
        for change in ({"kind": "percent"}, {"ends_at": at(days=-2)}, {"max_redemptions": 2})
    ]
    assert [r.error.fields for r in refused] == [["value"], ["ends_at"], ["max_redemptions"]]
    assert everything() == before

    reply = vendor.patch(f"/{promo.id}", {"kind": "percent", "value": "5", "max_redemptions": 3, "per_buyer_limit": 2})
    assert (reply.status, reply.data["kind"], reply.data["value"]) == (200, "percent", "5")
    assert (reply.data["max_redemptions"], reply.data["per_buyer_limit"], reply.data["code"]) == (3, 2, "SPRING10")


def test_a_code_is_a_vendors_own_whatever_its_case(vendor, store, promos):
    vendor.post("", PERCENT)
    other = a_promo(store, code="OTHER")
    before = everything()

    replies = (vendor.post("", PERCENT | {"code": "spring10"}), vendor.patch(f"/{other.id}", {"code": "Spring10"}))

    assert [(r.status, r.error.code, r.error.reason) for r in replies] == [(409, "CONFLICT", "code_taken")] * 2
    assert everything() == before
    assert promos.as_staff_of(a_vendor()).post("", PERCENT).status == 201


def test_a_promo_is_removed_unless_orders_used_it(vendor, store):
    unused, used = a_promo(store), a_promo(store, code="USED", redeemed_count=1)

    removed, kept = vendor.delete(f"/{unused.id}"), vendor.delete(f"/{used.id}")

    assert (removed.status, removed.raw) == (204, b"")
    assert (kept.status, kept.error.code, kept.error.reason) == (409, "CONFLICT", "promo_redeemed")
    assert [row.id for row in everything()] == [used.id]


def test_the_list_is_filtered(vendor, store):
    a_promo(a_vendor())
    a_promo(store, code="LIVE")
    a_promo(store, code="OFF", is_active=False)
    a_promo(store, code="OVER", ends_at=clock.now() - timedelta(hours=1))
    a_promo(store, code="SOON", starts_at=clock.now() + timedelta(hours=1))
    a_promo(store, code="GONE", max_redemptions=2, redeemed_count=2)

    def codes(**query):
        return [row["code"] for row in vendor.get(**query).data]

    with counting() as cost:
        assert codes() == ["GONE", "SOON", "OVER", "OFF", "LIVE"]
    assert cost.sql == 1
    assert codes(live="true") == ["LIVE"]
    assert codes(live="false") == ["GONE", "SOON", "OVER", "OFF"]
    assert codes(is_active="false") == ["OFF"]
    first = vendor.get(limit=3)
    assert [row["code"] for row in vendor.get(limit=3, cursor=first.page["next"]).data] == ["OFF", "LIVE"]


def test_another_vendors_promo_is_not_there(vendor):
    promo = a_promo(a_vendor())
    before = everything()

    replies = [vendor.patch(f"/{i}", {"is_active": False}) for i in (promo.id, uuid4())]
    replies += [vendor.delete(f"/{i}") for i in (promo.id, uuid4())]

    assert [(r.status, r.error.code) for r in replies] == [(404, "NOT_FOUND")] * 4
    assert everything() == before


@pytest.mark.parametrize("role", Role)
def test_who_may_read_and_who_may_write(promos, store, role):
    promo = a_promo(store, code="OTHER")
    caller = promos.as_member(store, role)

    statuses = [
        caller.get().status,
        caller.post("", PERCENT).status,
        caller.patch(f"/{promo.id}", {"is_active": False}).status,
        caller.delete(f"/{promo.id}").status,
    ]

    assert statuses == ([200, 201, 200, 204] if role in WRITERS else [200, 403, 403, 403])


def test_buyers_and_strangers_have_no_promos(promos, store):
    promo = a_promo(store)
    before = everything()

    for caller, status in ((promos.as_member(a_buyer()), 403), (promos, 401)):
        replies = [
            caller.get(),
            caller.post("", PERCENT),
            caller.patch(f"/{promo.id}", {"is_active": False}),
            caller.delete(f"/{promo.id}"),
        ]
        assert [reply.status for reply in replies] == [status] * 4
    assert everything() == before


def test_making_one_needs_a_key_and_happens_once_for_it(vendor):
    unkeyed = vendor.post("", PERCENT, key=None)
    first, again = (vendor.post("", PERCENT, key="once") for _ in range(2))

    assert (unkeyed.status, unkeyed.error.code) == (400, "IDEMPOTENCY_KEY_REQUIRED")
    assert (first.status, again.raw) == (201, first.raw)
    assert len(everything()) == 1
