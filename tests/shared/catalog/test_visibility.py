"""Who sees what, and the reason when a vendor does not sell to a buyer."""

from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import aliased

from shared.catalog.models import Product
from shared.catalog.visibility import (
    BuyerPlace,
    Standpoint,
    VendorRefusal,
    get_buyer_place,
    vendor_refusal,
    vendor_refusals,
    vendor_sells_to,
    visible_product,
)
from shared.identity.models import KycStatus, Store
from shared.kit import clock
from shared.kit.db import read_only
from shared.kit.errors import NotFound
from tests.builders.products import a_product
from tests.builders.stores import OKLAHOMA_CITY, TULSA, a_buyer, a_vendor

# Tulsa lies 157,285.1 m from Oklahoma City on the WGS 84 ellipsoid (Vincenty's formula).
REFUSED = [
    ({"deleted_at": clock.now()}, VendorRefusal.DELETED),
    ({"kyc_status": KycStatus.SUSPENDED}, VendorRefusal.SUSPENDED),
    ({"kyc_status": KycStatus.PENDING_VERIFICATION}, VendorRefusal.LICENSE_INVALID),
    ({"kyc_status": KycStatus.REJECTED}, VendorRefusal.LICENSE_INVALID),
    ({"kyc_status": KycStatus.EXPIRED}, VendorRefusal.LICENSE_INVALID),
    ({"subscription_active": False}, VendorRefusal.NOT_SUBSCRIBED),
    ({"state": "NM"}, VendorRefusal.OTHER_STATE),
    ({"delivery_radius_meters": 157_285, **TULSA}, VendorRefusal.OUT_OF_RADIUS),
]
SELLING = [{}, {"delivery_radius_meters": 0, **TULSA}, {"delivery_radius_meters": 157_286, **TULSA}]


def place_of(store: Store) -> BuyerPlace:
    with read_only() as session:
        return get_buyer_place(session, store.id)


def refusals_of(buyer: BuyerPlace, vendor: Store) -> tuple[bool, str | None, list[VendorRefusal]]:
    conditions = vendor_refusals(buyer)
    with read_only() as session:
        sells, first, *all_of_them = session.execute(
            select(vendor_sells_to(buyer), vendor_refusal(buyer), *conditions.values()).where(Store.id == vendor.id)
        ).one()
    return sells, first, [reason for reason, holds in zip(conditions, all_of_them, strict=True) if holds]


def visible_to(buyer: Standpoint) -> list[str]:
    with read_only() as session:
        return list(session.scalars(select(Product.title).where(visible_product(buyer)).order_by(Product.title)))


@pytest.mark.parametrize(("fields", "reason"), REFUSED)
def test_a_vendor_does_not_sell_for_one_reason(fields, reason):
    buyer, vendor = place_of(a_buyer()), a_vendor(**fields)
    a_product(vendor)

    assert refusals_of(buyer, vendor) == (False, reason.value, [reason])
    assert visible_to(buyer) == []


@pytest.mark.parametrize("fields", SELLING)
def test_a_vendor_sells_when_nothing_stands_in_between(fields):
    buyer, vendor = place_of(a_buyer()), a_vendor(**fields)
    a_product(vendor, title="Sour Diesel")

    assert refusals_of(buyer, vendor) == (True, None, [])
    assert visible_to(buyer) == ["Sour Diesel"]


def test_of_several_reasons_the_gravest_is_told_first():
    buyer = place_of(a_buyer())
    vendor = a_vendor(kyc_status=KycStatus.SUSPENDED, subscription_active=False, state="NM")

    told = refusals_of(buyer, vendor)

    assert told == (
        False,
        "suspended",
        [VendorRefusal.SUSPENDED, VendorRefusal.NOT_SUBSCRIBED, VendorRefusal.OTHER_STATE],
    )


@pytest.mark.parametrize("fields", [{"is_active": False}, {"deleted_at": clock.now()}])
def test_a_product_that_is_not_offered_is_hidden(fields):
    buyer, vendor = place_of(a_buyer()), a_vendor()
    a_product(vendor, **fields)

    assert visible_to(buyer) == []


def test_a_buyers_products_are_nobodys_offer():
    buyer, other = place_of(a_buyer()), a_buyer(subscription_active=True)
    a_product(other)

    assert visible_to(buyer) == []


def test_the_standpoint_may_be_the_row_of_the_buyers_store():
    buyer = a_buyer()
    a_product(a_vendor(), title="Near")
    a_product(a_vendor(delivery_radius_meters=157_285, **TULSA), title="Far")
    here = aliased(Store)

    with read_only() as session:
        found = session.scalars(select(Product.title).where(visible_product(here), here.id == buyer.id)).all()

    assert found == ["Near"]


def test_a_place_is_the_stores_state_and_position():
    buyer, gone = a_buyer(), a_buyer(deleted_at=clock.now())

    assert place_of(buyer) == BuyerPlace(buyer.id, "OK", OKLAHOMA_CITY["lat"], OKLAHOMA_CITY["lng"])
    for missing in (gone.id, uuid4()):
        with read_only() as session, pytest.raises(NotFound):
            get_buyer_place(session, missing)
