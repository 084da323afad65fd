"""Vendors as Square's customers: found again by reference id, then by email, else created."""

from uuid import uuid4

import pytest
from sqlalchemy import select, update

from shared.identity.models import Store
from shared.integrations.square import payment_provider
from shared.kit.db import read_only, transaction
from tests.builders.billing import an_unsubscribed_vendor
from tests.builders.stores import a_buyer, a_member, a_user
from tests.events import audited


@pytest.fixture
def admin(api):
    return api.under("/api/v1/admin/square").as_admin()


def customer_of(store):
    with read_only() as session:
        return session.scalar(select(Store.square_customer_id).where(Store.id == store.id))


def forget_customer(store):
    with transaction() as session:
        session.execute(update(Store).where(Store.id == store.id).values(square_customer_id=None))


def test_a_vendor_becomes_a_customer_once(admin, square):
    vendor = an_unsubscribed_vendor()

    first = admin.post("/customers", {"store_id": str(vendor.id)})
    again = admin.post("/customers", {"store_id": str(vendor.id)})

    (customer,) = square.app.state.customers.values()
    assert (first.status, again.status) == (201, 200)
    assert first.data == again.data == {"store_id": str(vendor.id), "square_customer_id": customer["id"]}
    assert customer_of(vendor) == customer["id"]
    assert audited() == [("billing.customer_created", vendor.id, {"square_customer_id": customer["id"]})]


def test_a_customer_that_square_knows_by_our_reference_is_found(admin, square):
    vendor = an_unsubscribed_vendor()
    admin.post("/customers", {"store_id": str(vendor.id)})
    known = customer_of(vendor)
    forget_customer(vendor)

    reply = admin.post("/customers", {"store_id": str(vendor.id)})

    assert (reply.status, reply.data["square_customer_id"]) == (201, known)
    assert len(square.app.state.customers) == 1


def test_a_failure_of_ours_after_squares_answer_is_repaired_by_the_next_call(admin, square, failing_once):
    vendor = an_unsubscribed_vendor()
    failing_once("stores")

    statuses = [admin.post("/customers", {"store_id": str(vendor.id)}).status for _ in range(2)]

    assert statuses == [500, 201]
    assert [customer_of(vendor)] == list(square.app.state.customers)


def test_a_customer_of_the_same_email_is_adopted_unless_it_is_another_stores(admin, square):
    email = "ann@example.com"
    by_hand = a_customer_by_hand(square, email)
    first, second = an_unsubscribed_vendor(email=email), an_unsubscribed_vendor(email=email)

    for vendor in (first, second):
        admin.post("/customers", {"store_id": str(vendor.id)})

    assert customer_of(first) == by_hand
    assert square.app.state.customers[by_hand]["reference_id"] == str(first.id)
    assert customer_of(second) not in (None, by_hand)
    assert len(square.app.state.customers) == 2


def test_without_an_email_of_its_own_the_owners_counts(admin, square):
    vendor = an_unsubscribed_vendor(email=None)
    a_member(vendor, user=a_user(email="owner@example.com"))

    admin.post("/customers", {"store_id": str(vendor.id)})

    (customer,) = square.app.state.customers.values()
    assert customer["email_address"] == "owner@example.com"


def test_only_a_vendor_that_is_there_becomes_a_customer(admin, square):
    stores = [str(a_buyer().id), str(uuid4())]

    replies = [admin.post("/customers", {"store_id": store_id}) for store_id in stores]

    assert [(reply.status, reply.error.code) for reply in replies] == [(404, "NOT_FOUND")] * 2
    assert square.app.calls == {}


def test_only_admins_may(api, square):
    vendor = an_unsubscribed_vendor()

    reply = api.as_member(vendor).post("/api/v1/admin/square/customers", {"store_id": str(vendor.id)})

    assert (reply.status, reply.error.reason) == (403, "system_role")
    assert customer_of(vendor) is None


def a_customer_by_hand(square, email):
    """A customer that somebody made in Square's dashboard, without our reference."""
    customer_id = payment_provider().ensure_customer(store_id=uuid4(), company_name="By hand", email=email)
    del square.app.state.customers[customer_id]["reference_id"]
    return customer_id
