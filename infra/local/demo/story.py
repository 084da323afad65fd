"""What the acts hand on to each other: people, stores, products, orders."""

import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from infra.local.demo.client import Person
from infra.local.stack import Stack

PASSWORD = "seven quiet rivers of Oklahoma"  # noqa: S105 - of people who exist on this machine only
DOMAIN = "@demo.example.com"

ADDRESS = {
    "line1": "100 N Broadway Ave",
    "city": "Oklahoma City",
    "state": "OK",
    "postal_code": "73102",
    "country": "US",
    "lat": 35.4689,
    "lng": -97.5164,
}


@dataclass(frozen=True)
class Shelf:
    """A product on sale and what the buyer wants of it. `tiers` maps a minimum quantity to a percentage."""

    key: str
    title: str
    price_cents: int
    available_qty: int
    wanted_qty: int
    moq: int = 1
    category: str = "flower"
    unit: str = "unit"
    tiers: dict[int, str] = field(default_factory=dict)


@dataclass
class Business:
    """A store and its owner; for a vendor, its products by their keys and its order of this story."""

    owner: Person
    name: str
    store_id: str
    license_type: str
    shelves: tuple[Shelf, ...] = ()
    product_ids: dict[str, str] = field(default_factory=dict)
    order_id: str = ""
    order_number: int = 0


@dataclass
class Story:
    """Everything that is known so far. `run` tells this telling from others on the same stack."""

    stack: Stack
    http: httpx.Client
    run: str = field(default_factory=lambda: f"{int(time.time()):x}{secrets.token_hex(2)}")
    admin: Person = field(init=False)
    agent: Person = field(init=False)
    buyer: Business = field(init=False)
    vendor_a: Business = field(init=False)
    vendor_b: Business = field(init=False)
    cart: dict[str, Any] = field(default_factory=dict)
    checkout_group_id: str = ""

    @property
    def vendors(self) -> tuple[Business, Business]:
        return (self.vendor_a, self.vendor_b)

    @property
    def stores(self) -> tuple[Business, Business, Business]:
        return (self.vendor_a, self.vendor_b, self.buyer)

    def person(self, who: str) -> Person:
        """A person of this telling, not signed in."""
        return Person(self.http, f"{who}.{self.run}{DOMAIN}")
