"""Stores and people."""

import itertools
from typing import Any

from shared.identity.models import KycStatus, MembershipStatus, Store, StoreMembership, User
from shared.identity.permissions import Role, StoreType
from shared.kit.db import transaction
from shared.kit.ids import new_id

_numbers = itertools.count(1)

OKLAHOMA_CITY = {"lat": 35.4689, "lng": -97.5164}
TULSA = {"lat": 36.1540, "lng": -95.9928}


def a_user(**fields: Any) -> User:
    """A person who can be signed in by `Client.as_user`."""
    n = next(_numbers)
    user = User(
        **{
            "id": new_id(),
            "email": f"rosa.{n}@example.com",
            "first_name": "Rosa",
            "last_name": f"Diaz {n}",
            "phone": "+14055550100",
            **fields,
        }
    )
    with transaction() as session:
        session.add(user)
    return user


def a_store(store_type: StoreType, **fields: Any) -> Store:
    """A verified store in Oklahoma City."""
    n = next(_numbers)
    store = Store(
        **{
            "id": new_id(),
            "type": store_type,
            "company_name": f"{'Green Mesa' if store_type is StoreType.BUYER else 'Red River Farms'} {n} LLC",
            "slug": f"{store_type}-{n}",
            "kyc_status": KycStatus.VERIFIED,
            "subscription_active": store_type is StoreType.VENDOR,
            "delivery_radius_meters": 0,
            "line1": f"{n} N Broadway Ave",
            "city": "Oklahoma City",
            "state": "OK",
            "postal_code": "73102",
            **OKLAHOMA_CITY,
            **fields,
        }
    )
    with transaction() as session:
        session.add(store)
    return store


def a_buyer(**fields: Any) -> Store:
    """A verified dispensary."""
    return a_store(StoreType.BUYER, **fields)


def a_vendor(**fields: Any) -> Store:
    """A verified, subscribed vendor without a delivery radius."""
    return a_store(StoreType.VENDOR, **fields)


def a_member(
    store: Store,
    role: Role = Role.OWNER,
    user: User | None = None,
    *,
    status: MembershipStatus = MembershipStatus.ACTIVE,
) -> User:
    """A person who belongs to `store`, or did, or is invited."""
    person = user or a_user()
    with transaction() as session:
        session.add(StoreMembership(id=new_id(), store_id=store.id, user_id=person.id, role=role, status=status))
    return person
