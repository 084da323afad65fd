"""Events about a vendor order on its way from decision to payout."""

from typing import ClassVar
from uuid import UUID

from shared.events import topics
from shared.kit.outbox import Event

_ID = "01980000-0000-7000-8000-000000000001"
_ORDER = {"order_id": _ID, "order_number": 1001, "buyer_store_id": _ID, "vendor_store_id": _ID}
_BOTH = (topics.NOTIFICATIONS, topics.ANALYTICS)


class VendorOrderEvent(Event):
    """Something that happened to a vendor order."""

    aggregate: ClassVar[str] = "vendor_order"
    topics: ClassVar[tuple[str, ...]] = _BOTH
    order_id: UUID
    order_number: int
    buyer_store_id: UUID
    vendor_store_id: UUID

    @property
    def aggregate_id(self) -> UUID:
        return self.order_id


class OrderDecided(VendorOrderEvent):
    """The vendor has decided every line."""

    example = {**_ORDER, "status": "partially_accepted", "accepted_lines": 2, "rejected_lines": 1, "total_cents": 5000}
    status: str
    accepted_lines: int
    rejected_lines: int
    total_cents: int


class OrderReadyForDispatch(VendorOrderEvent):
    """Packed, and waiting for an agent."""

    topics: ClassVar[tuple[str, ...]] = (topics.DISPATCH, topics.NOTIFICATIONS)
    example = _ORDER


class OrderAssigned(VendorOrderEvent):
    """An agent shall deliver it."""

    example = {**_ORDER, "agent_user_id": _ID}
    agent_user_id: UUID


class OrderInTransit(VendorOrderEvent):
    """The agent has picked it up."""

    example = {**_ORDER, "agent_user_id": _ID}
    agent_user_id: UUID


class OrderDelivered(VendorOrderEvent):
    """The buyer has it."""

    example = {**_ORDER, "agent_user_id": _ID}
    agent_user_id: UUID


class OrderCanceled(VendorOrderEvent):
    """The buyer called it off."""

    example = {**_ORDER, "reason": None}
    reason: str | None


class OrderExpired(VendorOrderEvent):
    """The vendor never answered."""

    example = _ORDER


class OrderPendingNudge(VendorOrderEvent):
    """The first window passed without an answer; the vendor is reminded."""

    topics: ClassVar[tuple[str, ...]] = (topics.NOTIFICATIONS,)
    example = _ORDER


class OrderNudged(VendorOrderEvent):
    """The buyer reminds the vendor."""

    topics: ClassVar[tuple[str, ...]] = (topics.NOTIFICATIONS,)
    example = _ORDER


class OrderRetried(VendorOrderEvent):
    """An expired order was placed again, as another order."""

    topics: ClassVar[tuple[str, ...]] = (topics.NOTIFICATIONS,)
    example = {**_ORDER, "retry_of_order_id": _ID}
    retry_of_order_id: UUID


class CashCollected(VendorOrderEvent):
    """The agent has the cash."""

    example = {**_ORDER, "agent_user_id": _ID, "amount_cents": 5000}
    agent_user_id: UUID
    amount_cents: int


class OrderPaid(VendorOrderEvent):
    """The vendor has been paid and the order is closed."""

    example = {**_ORDER, "amount_cents": 5000}
    amount_cents: int


class PaymentFailed(VendorOrderEvent):
    """Collecting did not work out."""

    topics: ClassVar[tuple[str, ...]] = (topics.NOTIFICATIONS,)
    example = {**_ORDER, "reason": "amount_mismatch"}
    reason: str


class PaymentRejected(VendorOrderEvent):
    """An admin refused the payment."""

    topics: ClassVar[tuple[str, ...]] = (topics.NOTIFICATIONS,)
    example = {**_ORDER, "reason": "returned by the bank"}
    reason: str
