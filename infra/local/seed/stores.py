"""The stores: vendors and dispensaries over the cities of Oklahoma."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from infra.local.seed.forms import FORMS
from infra.local.seed.names import BUYERS, NEW_VENDORS, VENDORS, Trade, VendorName
from infra.local.seed.people import People
from infra.local.seed.places import CITIES, address_in
from shared.identity.models import KycStatus, Store
from shared.identity.permissions import Role, StoreType
from shared.kit import clock
from shared.kit.ids import new_id
from shared.kit.tables import insert_all

PENDING_BUYER = "Riverwalk Remedies"
"""The dispensary whose license still waits for an admin."""


@dataclass(frozen=True)
class SeededStore:
    """A store as it was written, and who owns it. `named` is there for vendors."""

    row: dict[str, Any]
    owner_id: UUID
    named: VendorName | None = None

    @property
    def id(self) -> UUID:
        found: UUID = self.row["id"]
        return found

    @property
    def name(self) -> str:
        found: str = self.row["dba_name"]
        return found

    @property
    def trade(self) -> Trade | None:
        return self.named.trade if self.named else None

    @property
    def is_verified(self) -> bool:
        return self.row["kyc_status"] is KycStatus.VERIFIED


def draw_stores(rng: Random, people: People) -> tuple[list[SeededStore], list[SeededStore]]:
    """The vendors and the buyers. Nobody has subscribed yet; the first of each has a member of every role."""
    pending = {NEW_VENDORS[0].name, PENDING_BUYER}
    vendors = [
        _store(StoreType.VENDOR, named.name, n, rng, people, pending, named)
        for n, named in enumerate((*VENDORS, *NEW_VENDORS))
    ]
    buyers = [_store(StoreType.BUYER, name, n, rng, people, pending) for n, name in enumerate(BUYERS)]
    for store in (vendors[0], buyers[0]):
        for role in Role:
            if role is not Role.OWNER:
                people.member(store.id, f"{role}.{store.row['slug']}@example.com", role)
    return vendors, buyers


def write_stores(session: Session, stores: Sequence[SeededStore]) -> None:
    """Insert the stores."""
    insert_all(session, Store, [store.row for store in stores])


def _store(
    kind: StoreType,
    name: str,
    n: int,
    rng: Random,
    people: People,
    pending: set[str],
    named: VendorName | None = None,
) -> SeededStore:
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    store_id = new_id()
    row: dict[str, Any] = {
        "id": store_id,
        "type": kind,
        "company_name": f"{name} LLC",
        "dba_name": name,
        "slug": slug,
        "description": _description(name, named),
        "phone": f"+1405555{rng.randint(0, 9_999):04}",
        "email": f"{slug}@example.com",
        "kyc_status": KycStatus.PENDING_VERIFICATION if name in pending else KycStatus.VERIFIED,
        "delivery_radius_meters": named.radius_meters if named else 0,
        "social_links": {},
        "categories": sorted({form.category for form in FORMS[named.trade]}) if named else [],
        "created_at": clock.now() - timedelta(days=rng.randint(130, 400)),
        "country": "US",
        "subscription_active": False,
        "rating_count": 0,
        "rating_sum": 0,
        **address_in(CITIES[n % len(CITIES)], rng),
    }
    return SeededStore(row, people.owner(store_id, slug), named)


def _description(name: str, named: VendorName | None) -> str:
    if named is None:
        return f"{name} serves patients with a wide menu and plain advice."
    made = "grows flower in small batches" if named.trade is Trade.GROWER else "makes extracts, edibles and more"
    return f"{name} {made}, licensed and tested in Oklahoma."
