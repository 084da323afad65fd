"""One order in full, as whoever may see it sees it: three statements, however many lines."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, or_, select
from sqlalchemy.orm import Session

from shared.identity.models import Store, User
from shared.kit.errors import NotFound
from shared.kit.schemas import Response
from shared.media.models import EntityType, Media, MediaAttachment
from shared.media.storage import Link
from shared.operations.audit import AuditLog
from shared.orders.history import TARGET
from shared.orders.listing import Buyer, Vendor
from shared.orders.models import (
    FulfillmentStatus,
    IntentStatus,
    LineStatus,
    Order,
    OrderAssignment,
    OrderLine,
    OrderStatus,
    PaymentIntent,
    PaymentMethod,
    RefundStatus,
    ShippingStatus,
)
from shared.orders.queries import orders_of_agent

# Far more than any order sees; a bound for one whose payment fails over and over.
TIMELINE_LENGTH = 200


class LineResponse(Response):
    """One product of an order, as it was quoted, and what became of it."""

    id: UUID
    product_id: UUID
    position: int
    status: LineStatus
    rejection_reason: str | None
    notes: str | None
    title: str
    sku: str
    category: str | None
    strain: str | None
    classification: str | None
    unit: str | None
    thumbnail_url: str | None
    thc_percent: Decimal | None
    cbd_percent: Decimal | None
    moq: int
    max_qty: int | None
    qty: int
    unit_price_cents: int
    tier_min_qty: int | None
    tier_percent: Decimal | None
    line_subtotal_cents: int
    line_discount_cents: int
    line_total_cents: int
    warnings: list[Any]


class PaymentIntentResponse(Response):
    """How, and how far, the order is paid. `failure_reason` is why it failed or was rejected, while it is."""

    id: UUID
    method: PaymentMethod
    status: IntentStatus
    amount_cents: int
    failure_reason: str | None
    cash_collected_at: datetime | None
    vendor_paid_at: datetime | None


class PlaceResponse(Response):
    """Where it shall be delivered; the position is there if the buyer gave one."""

    line1: str
    line2: str | None
    city: str
    state: str
    postal_code: str
    country: str
    lat: float | None
    lng: float | None


class StoreSummaryResponse(PlaceResponse):
    """A side of the order: who, where, and how to reach them."""

    lat: float
    lng: float
    id: UUID
    name: str
    slug: str
    phone: str | None
    email: str | None
    logo_media_id: UUID | None


class AssignmentResponse(Response):
    """The agent who delivers the order, and how far that is."""

    agent_user_id: UUID
    agent_name: str
    agent_phone: str | None
    assigned_at: datetime
    picked_up_at: datetime | None
    delivered_at: datetime | None
    cash_collected_at: datetime | None


class ManifestResponse(Response):
    """The transport manifest. `url` reads it until `url_expires_at`; an answer to a change of the order has neither."""

    media_id: UUID
    file_name: str
    size_bytes: int
    is_generated: bool
    made_at: datetime
    url: str | None
    url_expires_at: datetime | None

    @classmethod
    def of(cls, media: Media, link: Link | None) -> "ManifestResponse":
        """A manifest with the address under which it is read, if there is one."""
        return cls(
            media_id=media.id,
            file_name=media.file_name,
            size_bytes=media.size_bytes,
            is_generated=media.is_generated,
            made_at=media.created_at,
            url=link and link.url,
            url_expires_at=link and link.expires_at,
        )


class HappeningResponse(Response):
    """One entry of the timeline. `by` is the side that did it: buyer, vendor, admin, agent or system."""

    action: str
    by: str
    at: datetime
    from_status: str | None
    to_status: str | None
    reason: str | None


class OrderResponse(Response):
    """An order in full."""

    id: UUID
    order_number: int
    checkout_group_id: UUID
    retry_of_order_id: UUID | None
    status: OrderStatus
    held_from: OrderStatus | None
    fulfillment_status: FulfillmentStatus
    shipping_status: ShippingStatus
    refund_status: RefundStatus
    currency: str
    subtotal_cents: int
    line_discounts_cents: int
    promo_discount_cents: int
    promo_code: str | None
    total_cents: int
    balance_due_cents: int
    payment_method: PaymentMethod
    shipping_line: dict[str, Any]
    shipping_address: PlaceResponse
    buyer_notes: str | None
    signature_media_id: UUID | None
    recipient_name: str | None
    pending_until: datetime
    last_nudged_at: datetime | None
    accepted_at: datetime | None
    fulfilled_at: datetime | None
    delivered_at: datetime | None
    canceled_at: datetime | None
    expired_at: datetime | None
    closed_at: datetime | None
    created_at: datetime
    buyer: StoreSummaryResponse
    vendor: StoreSummaryResponse
    payment_intent: PaymentIntentResponse
    assignment: AssignmentResponse | None
    manifest: ManifestResponse | None
    lines: list[LineResponse]
    timeline: list[HappeningResponse]


Linker = Callable[[Media], Link | None]
"""How an address for reading a file is made. That may be a call to the outside, so changes are answered without."""


def without_link(_: Media) -> None:
    """No address."""


def get_order_of(session: Session, store_id: UUID, order_id: UUID, *, link: Linker = without_link) -> OrderResponse:
    """The order, if this store is its buyer or its vendor. Raises NotFound."""
    ours = or_(Order.buyer_store_id == store_id, Order.vendor_store_id == store_id)
    return _get(session, order_id, ours, link=link)


def get_order_of_agent(
    session: Session, agent_user_id: UUID, order_id: UUID, *, link: Linker = without_link
) -> OrderResponse:
    """The order, if this agent has it. Raises NotFound."""
    return _get(session, order_id, Order.id.in_(orders_of_agent(agent_user_id)), link=link)


def get_order(
    session: Session, order_id: UUID, *conditions: ColumnElement[bool], link: Linker = without_link
) -> OrderResponse:
    """Any order, for the platform's operators; `conditions` may narrow it. Raises NotFound."""
    return _get(session, order_id, *conditions, link=link)


_MANIFEST = (MediaAttachment.entity_type == EntityType.ORDER_MANIFEST, MediaAttachment.entity_id == Order.id)


def _get(session: Session, order_id: UUID, *conditions: ColumnElement[bool], link: Linker) -> OrderResponse:
    found = session.execute(
        select(Order, PaymentIntent, Buyer, Vendor, OrderAssignment, User, Media)
        .join(PaymentIntent, PaymentIntent.order_id == Order.id)
        .join(Buyer, Buyer.id == Order.buyer_store_id)
        .join(Vendor, Vendor.id == Order.vendor_store_id)
        .outerjoin(OrderAssignment, (OrderAssignment.order_id == Order.id) & OrderAssignment.closed_at.is_(None))
        .outerjoin(User, User.id == OrderAssignment.agent_user_id)
        .outerjoin(MediaAttachment, and_(*_MANIFEST))
        .outerjoin(Media, Media.id == MediaAttachment.media_id)
        .where(Order.id == order_id, *conditions)
    ).one_or_none()
    if found is None:
        raise NotFound
    order, intent, buyer, vendor, assignment, agent, manifest = found
    return OrderResponse(
        **_shown(OrderResponse, order) | {"held_from": order.held_from if order.status is OrderStatus.HOLD else None},
        shipping_address=PlaceResponse.model_validate(order),
        buyer=StoreSummaryResponse.model_validate(buyer),
        vendor=StoreSummaryResponse.model_validate(vendor),
        payment_intent=_intent(intent),
        assignment=_assignment(assignment, agent),
        manifest=manifest and ManifestResponse.of(manifest, link(manifest)),
        lines=[LineResponse.model_validate(row) for row in _lines(session, order_id)],
        timeline=[_happening(row, buyer, vendor) for row in _timeline(session, order_id)],
    )


def _lines(session: Session, order_id: UUID) -> Sequence[Row[Any]]:
    statement = select(*OrderLine.__table__.columns).where(OrderLine.order_id == order_id)
    return session.execute(statement.order_by(OrderLine.position)).all()


def _timeline(session: Session, order_id: UUID) -> Sequence[AuditLog]:
    of_order = (AuditLog.target_type == TARGET, AuditLog.target_id == order_id)
    statement = select(AuditLog).where(*of_order).order_by(AuditLog.created_at, AuditLog.id)
    return session.scalars(statement.limit(TIMELINE_LENGTH)).all()


def _happening(entry: AuditLog, buyer: Store, vendor: Store) -> HappeningResponse:
    """Tells the side, not the person: who works for the other side is not for this one to know."""
    sides = {buyer.id: "buyer", vendor.id: "vendor"}
    before, after = entry.before or {}, entry.after or {}
    by = sides.get(entry.actor_store_id) if entry.actor_store_id else None
    return HappeningResponse(
        action=entry.action,
        by=by or entry.actor_role,
        at=entry.created_at,
        from_status=before.get("status"),
        to_status=after.get("status"),
        reason=after.get("reason"),
    )


def _intent(intent: PaymentIntent) -> PaymentIntentResponse:
    shown = _shown(PaymentIntentResponse, intent)
    went_wrong = intent.status in (IntentStatus.FAILED, IntentStatus.REJECTED)
    return PaymentIntentResponse(**shown | {"failure_reason": intent.failure_reason if went_wrong else None})


def _assignment(assignment: OrderAssignment | None, agent: User | None) -> AssignmentResponse | None:
    if assignment is None or agent is None:
        return None
    return AssignmentResponse(
        **_shown(AssignmentResponse, assignment),
        agent_name=f"{agent.first_name} {agent.last_name}",
        agent_phone=agent.phone,
    )


def _shown(response: type[Response], model: Any) -> dict[str, Any]:
    """The model's own columns that the response has by the same name."""
    columns = type(model).__table__.columns.keys()
    return {name: getattr(model, name) for name in response.model_fields if name in columns}
