"""Events about products."""

from typing import ClassVar
from uuid import UUID

from shared.events import topics
from shared.kit.outbox import Event

_ID = "01980000-0000-7000-8000-000000000001"


class InventoryLow(Event):
    """Stock fell to its threshold; told once until it is refilled."""

    aggregate: ClassVar[str] = "product"
    topics: ClassVar[tuple[str, ...]] = (topics.NOTIFICATIONS,)
    example = {"product_id": _ID, "vendor_store_id": _ID, "available_qty": 3, "low_stock_threshold": 5}
    product_id: UUID
    vendor_store_id: UUID
    available_qty: int
    low_stock_threshold: int

    @property
    def aggregate_id(self) -> UUID:
        return self.product_id
