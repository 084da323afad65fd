"""Events about a checkout: exactly two for each conversion, each written only once ever."""

from typing import Any, ClassVar
from uuid import UUID

from shared.events import topics
from shared.kit.outbox import Event

_ID = "01980000-0000-7000-8000-000000000001"


class CheckoutEvent(Event):
    """Something that happened to a checkout group."""

    aggregate: ClassVar[str] = "checkout_group"
    checkout_group_id: UUID

    @property
    def aggregate_id(self) -> UUID:
        return self.checkout_group_id

    @property
    def dedupe_key(self) -> str:
        return f"{self.event_type()}:{self.checkout_group_id}"


class OrderCreated(CheckoutEvent):
    """Vendors have new orders. `order_ids` runs parallel to `vendor_store_ids`."""

    topics: ClassVar[tuple[str, ...]] = (topics.NOTIFICATIONS,)
    example = {
        "checkout_group_id": _ID,
        "cart_id": _ID,
        "buyer_store_id": _ID,
        "vendor_store_ids": [_ID],
        "order_ids": [_ID],
        "product_ids": [_ID],
    }
    cart_id: UUID
    buyer_store_id: UUID
    vendor_store_ids: list[UUID]
    order_ids: list[UUID]
    product_ids: list[UUID]


class CheckoutConverted(CheckoutEvent):
    """The orders as they were made, with lines, totals and attribution, for analytics."""

    topics: ClassVar[tuple[str, ...]] = (topics.ANALYTICS,)
    example = {
        "checkout_group_id": _ID,
        "cart_id": _ID,
        "buyer_store_id": _ID,
        "buyer_state": "OK",
        "buyer_zip": "73102",
        "buyer_lat": None,
        "buyer_lng": None,
        "payment_method": "cash",
        "currency": "USD",
        "total_cents": 0,
        "orders": [],
    }
    cart_id: UUID
    buyer_store_id: UUID
    buyer_state: str
    buyer_zip: str
    buyer_lat: float | None
    buyer_lng: float | None
    payment_method: str
    currency: str
    total_cents: int
    orders: list[dict[str, Any]]
