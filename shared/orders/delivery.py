"""The agent's way with a locked order: pick it up at the vendor's, bring it to the buyer."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.events.orders import OrderDelivered, OrderInTransit
from shared.inventory import reservation
from shared.kit import clock
from shared.kit.errors import InvalidRequest
from shared.media import attachments
from shared.media.models import USABLE, EntityType, Media
from shared.orders.history import Happened, about, recorded
from shared.orders.lifecycle import ORDERS, Action, is_done, move
from shared.orders.lines import lines_of, stock_lines
from shared.orders.machine import Actor
from shared.orders.models import LineStatus, Order, OrderAssignment, ShippingStatus


def pick_up(session: Session, order: Order, assignment: OrderAssignment) -> Happened:
    """The goods are in the agent's car. Raises StateConflict."""
    if is_done(order, Actor.AGENT, Action.PICKUP):
        return ()
    ORDERS.require(order.status, Actor.AGENT, Action.PICKUP)
    with recorded(session, order, "order.picked_up"):
        assignment.picked_up_at = clock.now()
        order.shipping_status = ShippingStatus.IN_TRANSIT
        move(order, Actor.AGENT, Action.PICKUP)
    return (OrderInTransit(**about(order), agent_user_id=assignment.agent_user_id),)


def deliver(
    session: Session,
    order: Order,
    assignment: OrderAssignment,
    *,
    signature_media_id: UUID | None = None,
    recipient_name: str | None = None,
) -> Happened:
    """The buyer has the goods, and the reserved stock is gone for good.

    Raises StateConflict, and InvalidRequest for a signature that is no file of the order's stores.
    """
    if is_done(order, Actor.AGENT, Action.DELIVER):
        return ()
    ORDERS.require(order.status, Actor.AGENT, Action.DELIVER)
    if signature_media_id is not None:
        _keep_signature(session, order, signature_media_id)
    with recorded(session, order, "order.delivered"):
        brought = [line for line in lines_of(session, order).values() if line.status is not LineStatus.REJECTED]
        reservation.consume(session, stock_lines(order, brought))
        assignment.delivered_at = clock.now()
        order.shipping_status = ShippingStatus.DELIVERED
        order.signature_media_id = signature_media_id
        order.recipient_name = recipient_name
        move(order, Actor.AGENT, Action.DELIVER)
    return (OrderDelivered(**about(order), agent_user_id=assignment.agent_user_id),)


def _keep_signature(session: Session, order: Order, media_id: UUID) -> None:
    """Agents have no files of their own: the picture is one that the buyer or the vendor uploaded."""
    fits = (
        Media.store_id.in_([order.buyer_store_id, order.vendor_store_id]),
        Media.kind.in_(attachments.RULES[EntityType.ORDER_SIGNATURE].kinds),
        Media.status.in_(USABLE),
    )
    owner = session.scalar(select(Media.store_id).where(Media.id == media_id, *fits))
    if owner is None:
        raise InvalidRequest.field(
            "signature_media_id", "There is no such private file of the buyer's or the vendor's."
        )
    attachments.reconcile(session, owner, EntityType.ORDER_SIGNATURE, order.id, [media_id])
