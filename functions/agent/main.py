"""Deliveries in the hands of the platform's agents: take one, pick it up, bring it, collect the cash.

Serves /api/v1/agent. Publishes order_assigned, order_in_transit, order_delivered, cash_collected
and payment_failed.
"""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from shared.identity.callers import AgentCaller, agent
from shared.kit.db import read_only, transaction
from shared.kit.errors import Conflict, InvalidRequest, NotFound, StateConflict
from shared.kit.http import Api
from shared.kit.idempotency import DAY_1, DAYS_7
from shared.kit.limits import Limit, per_user
from shared.kit.outbox import emit
from shared.kit.pagination import Page, PageQuery
from shared.kit.schemas import Request
from shared.media.storage import find_link
from shared.orders import assignment, delivery, payments, queries
from shared.orders.details import OrderResponse, get_order_of_agent
from shared.orders.rounds import AssignedOrderResponse, RoundQuery, WaitingOrderResponse, list_queue, list_round

CASH_LIMIT = Limit("agent_cash", "30/minute", per_user)
# PostgreSQL's bigint; nobody carries that much.
MAX_CENTS = 2**63 - 1

api = Api("agent", prefix="/api/v1/agent/orders")


class DeliverRequest(Request):
    """Who took the goods, and the picture of their signature: a file of kind `other` or `pdf` of either store."""

    signature_media_id: UUID | None = None
    recipient_name: Annotated[str | None, Field(min_length=1, max_length=200)] = None

    example = {"recipient_name": "Rosa Diaz"}


class CashCollectedRequest(Request):
    """The cash that the agent was handed, which must be exactly what is due."""

    amount_cents: Annotated[int, Field(ge=0, le=MAX_CENTS)]
    notes: Annotated[str | None, Field(max_length=1_000)] = None

    example = {"amount_cents": 18_000, "notes": "Counted twice."}


@api.get("/queue", allow=agent(), raises=(InvalidRequest,))
def list_waiting(_: AgentCaller, query: PageQuery) -> Page[WaitingOrderResponse]:
    """Orders that are ready and have no agent, the oldest first."""
    with read_only() as session:
        return list_queue(session, query)


@api.get(allow=agent(), raises=(InvalidRequest,))
def list_own(caller: AgentCaller, query: RoundQuery) -> Page[AssignedOrderResponse]:
    """The agent's own orders, the latest assignment first."""
    with read_only() as session:
        return list_round(session, caller.user_id, query)


@api.get("/<uuid:order_id>", allow=agent(), raises=(NotFound,))
def get_own(caller: AgentCaller, order_id: UUID) -> OrderResponse:
    """One of the agent's own orders, in full."""
    with read_only() as session:
        return get_order_of_agent(session, caller.user_id, order_id, link=find_link)


@api.post("/<uuid:order_id>/claim", allow=agent(), idempotent=DAY_1, raises=(NotFound, Conflict, StateConflict))
def claim(caller: AgentCaller, order_id: UUID) -> OrderResponse:
    """Take an order from the queue; 409 when another agent has it."""
    with transaction() as session:
        order = queries.lock_order(session, order_id)
        emit(session, *assignment.claim(session, order, caller.user_id))
        return get_order_of_agent(session, caller.user_id, order_id)


@api.post("/<uuid:order_id>/pickup", allow=agent(), idempotent=DAY_1, raises=(NotFound, StateConflict))
def pick_up(caller: AgentCaller, order_id: UUID) -> OrderResponse:
    """The goods are in the agent's car."""
    with transaction() as session:
        order, held = queries.lock_order_of_agent(session, caller.user_id, order_id)
        emit(session, *delivery.pick_up(session, order, held))
        return get_order_of_agent(session, caller.user_id, order_id)


@api.post("/<uuid:order_id>/deliver", allow=agent(), idempotent=DAY_1, raises=(NotFound, InvalidRequest, StateConflict))
def deliver(caller: AgentCaller, order_id: UUID, body: DeliverRequest) -> OrderResponse:
    """The buyer has the goods."""
    with transaction() as session:
        order, held = queries.lock_order_of_agent(session, caller.user_id, order_id)
        happened = delivery.deliver(
            session,
            order,
            held,
            signature_media_id=body.signature_media_id,
            recipient_name=body.recipient_name,
        )
        emit(session, *happened)
        return get_order_of_agent(session, caller.user_id, order_id)


@api.post(
    "/<uuid:order_id>/cash-collected",
    allow=agent(),
    idempotent=DAYS_7,
    limit=CASH_LIMIT,
    raises=(NotFound, StateConflict),
)
def collect_cash(caller: AgentCaller, order_id: UUID, body: CashCollectedRequest) -> OrderResponse:
    """The buyer paid the balance due; any other amount is a failed payment, kept as such, and 422."""
    with transaction() as session:
        order, held = queries.lock_order_of_agent(session, caller.user_id, order_id)
        outcome = payments.collect_cash(session, order, held, amount_cents=body.amount_cents, notes=body.notes)
        emit(session, outcome)
        answer = get_order_of_agent(session, caller.user_id, order_id)
    # Only now, because raised within the transaction it would undo the record of the failure.
    payments.require_collected(outcome, due_cents=answer.balance_due_cents)
    return answer


main = api.entry_point()
