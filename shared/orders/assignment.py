"""Which agent shall deliver an order. At most one assignment is open per order.

Every change stands under the order's row lock; the partial unique index is the last guard.
`shipping_status` becomes `dispatched` when the first agent has it.
"""

from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from shared.events.orders import OrderAssigned
from shared.identity.models import User
from shared.identity.permissions import SystemRole
from shared.kit import clock
from shared.kit.context import work
from shared.kit.errors import Conflict, InvalidRequest, StateConflict
from shared.kit.ids import new_id
from shared.orders.history import Happened, about, recorded
from shared.orders.models import Order, OrderAssignment, OrderStatus, ShippingStatus
from shared.orders.queries import find_open_assignment

# A delivered order may change hands as well: somebody has to bring its cash in.
REASSIGNABLE = (OrderStatus.READY_FOR_DISPATCH, OrderStatus.IN_TRANSIT, OrderStatus.DELIVERED)

_ASSIGN_LEAST_LOADED = text(
    """
    INSERT INTO order_assignments (id, order_id, agent_user_id, assigned_by, assigned_at)
    SELECT CAST(:id AS uuid), CAST(:order_id AS uuid), agent.id, :actor, CAST(:at AS timestamptz)
    FROM users AS agent
    LEFT JOIN (
        SELECT agent_user_id, count(*) AS open_orders
        FROM vendor_orders AS o JOIN order_assignments AS a ON a.order_id = o.id AND a.closed_at IS NULL
        WHERE o.status IN ('ready_for_dispatch', 'hold', 'in_transit')
        GROUP BY agent_user_id
    ) AS load ON load.agent_user_id = agent.id
    WHERE agent.system_role = 'agent' AND agent.is_active
    ORDER BY coalesce(open_orders, 0), random()
    LIMIT 1
    ON CONFLICT (order_id) WHERE closed_at IS NULL DO NOTHING
    RETURNING agent_user_id
    """
)


def assign_least_loaded(session: Session, order: Order) -> Happened:
    """Give a ready order to one of the agents with the fewest orders in hand, at random.

    Nothing when it no longer waits for one, or when no agent is active: then it stays in the queue.
    """
    if order.status is not OrderStatus.READY_FOR_DISPATCH:
        return ()
    named = {"id": new_id(), "order_id": order.id, "actor": work().actor, "at": clock.now()}
    agent_user_id = session.scalar(_ASSIGN_LEAST_LOADED, named)
    return () if agent_user_id is None else _assigned(session, order, agent_user_id, "order.assigned")


def claim(session: Session, order: Order, agent_user_id: UUID) -> Happened:
    """An agent takes a ready order from the queue. Raises Conflict when another has it, StateConflict."""
    assignment = find_open_assignment(session, order.id)
    if assignment is not None and assignment.agent_user_id == agent_user_id:
        return ()
    if order.status is not OrderStatus.READY_FOR_DISPATCH:
        raise _not_now(order, "claim")
    if assignment is not None:
        raise Conflict("Another agent has this order.", details={"reason": "already_assigned"})
    _open(session, order, agent_user_id)
    return _assigned(session, order, agent_user_id, "order.claimed")


def reassign(session: Session, order: Order, agent_user_id: UUID) -> Happened:
    """An admin gives the order to an agent; who had it has it no longer. Raises InvalidRequest, StateConflict."""
    assignment = find_open_assignment(session, order.id)
    if assignment is not None and assignment.agent_user_id == agent_user_id:
        return ()
    if order.status not in REASSIGNABLE:
        raise _not_now(order, "assign_agent")
    _require_active_agent(session, agent_user_id)
    if assignment is not None:
        assignment.closed_at = clock.now()
        # The index allows one open assignment at any moment, so the old one goes first.
        session.flush()
    _open(session, order, agent_user_id)
    return _assigned(session, order, agent_user_id, "order.assigned", former=assignment)


def close_assignment(session: Session, order: Order) -> None:
    """Nobody shall deliver the order any more."""
    assignment = find_open_assignment(session, order.id)
    if assignment is not None:
        assignment.closed_at = clock.now()


def _open(session: Session, order: Order, agent_user_id: UUID) -> None:
    session.add(OrderAssignment(id=new_id(), order_id=order.id, agent_user_id=agent_user_id, assigned_by=work().actor))
    session.flush()


def _assigned(
    session: Session, order: Order, agent_user_id: UUID, action: str, former: OrderAssignment | None = None
) -> Happened:
    former_id = former and str(former.agent_user_id)
    with recorded(session, order, action, agent_user_id=str(agent_user_id), former_agent_user_id=former_id):
        if order.shipping_status is ShippingStatus.PENDING:
            order.shipping_status = ShippingStatus.DISPATCHED
    return (OrderAssigned(**about(order), agent_user_id=agent_user_id),)


def _require_active_agent(session: Session, user_id: UUID) -> None:
    agent = select(User.id).where(User.id == user_id, User.system_role == SystemRole.AGENT, User.is_active)
    if session.scalar(agent) is None:
        raise InvalidRequest.field("agent_user_id", "This is not an active agent.")


def _not_now(order: Order, action: str) -> StateConflict:
    return StateConflict(details={"from": order.status, "action": action, "allowed": []})
