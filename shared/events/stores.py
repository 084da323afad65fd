"""Events about stores and their people."""

from typing import ClassVar
from uuid import UUID

from shared.events import topics
from shared.kit.outbox import Event

_ID = "01980000-0000-7000-8000-000000000001"


class StoreEvent(Event):
    """Something that happened to a store."""

    aggregate: ClassVar[str] = "store"
    topics: ClassVar[tuple[str, ...]] = (topics.NOTIFICATIONS,)
    store_id: UUID

    @property
    def aggregate_id(self) -> UUID:
        return self.store_id


class StoreRegistered(StoreEvent):
    """A store came to be; billing makes vendors a customer at the payment provider."""

    topics: ClassVar[tuple[str, ...]] = (topics.BILLING, topics.NOTIFICATIONS)
    example = {"store_id": _ID, "store_type": "vendor", "owner_user_id": _ID}
    store_type: str
    owner_user_id: UUID


class SubscriptionChanged(StoreEvent):
    """A vendor's subscription took another status."""

    example = {"store_id": _ID, "subscription_id": _ID, "status": "active", "subscription_active": True}
    subscription_id: UUID
    status: str
    subscription_active: bool


class ChargeSucceeded(StoreEvent):
    """Money was taken from a vendor's card."""

    example = {"store_id": _ID, "charge_id": _ID, "kind": "subscription", "amount_cents": 9900}
    charge_id: UUID
    kind: str
    amount_cents: int


class ChargeFailed(StoreEvent):
    """A vendor's card was refused."""

    example = {"store_id": _ID, "charge_id": _ID, "kind": "ad_spend", "amount_cents": 120, "failure_code": "declined"}
    charge_id: UUID
    kind: str
    amount_cents: int
    failure_code: str
