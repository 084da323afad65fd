"""Orders and money as the platform's operators see them: pay vendors, mend payments, send agents.

Serves /api/v1/admin/orders and /api/v1/admin/ledger. Publishes order_paid, order_assigned and
payment_rejected.
"""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from shared.identity.callers import AdminCaller, admin
from shared.kit.db import read_only, transaction
from shared.kit.errors import InvalidRequest, NotFound, StateConflict
from shared.kit.http import Api, serve
from shared.kit.idempotency import DAY_1, DAYS_7
from shared.kit.outbox import emit
from shared.kit.pagination import Page, PageQuery
from shared.kit.schemas import Request
from shared.media.storage import find_link
from shared.orders import assignment, payments, queries
from shared.orders.details import OrderResponse, get_order
from shared.orders.ledger import LedgerEntryResponse, LedgerQuery, list_entries
from shared.orders.listing import (
    AdminOrdersQuery,
    OrderRowResponse,
    is_payable_or_paid,
    list_all_orders,
    list_payable,
)

orders = Api("payouts", prefix="/api/v1/admin/orders")
ledger = Api("payouts", prefix="/api/v1/admin/ledger")


class AssignAgentRequest(Request):
    """The agent who shall have the order."""

    agent_user_id: UUID

    example = {"agent_user_id": "01980000-0000-7000-8000-000000000001"}


class ReasonRequest(Request):
    """Why an operator interferes with a payment."""

    reason: Annotated[str, Field(min_length=1, max_length=500)]

    example = {"reason": "Returned by the bank."}


@orders.get(allow=admin(), raises=(InvalidRequest,))
def list_orders(_: AdminCaller, query: AdminOrdersQuery) -> Page[OrderRowResponse]:
    """Everybody's orders, newest first."""
    with read_only() as session:
        return list_all_orders(session, query)


@orders.get("/payouts", allow=admin(), raises=(InvalidRequest,))
def list_payouts(_: AdminCaller, query: PageQuery) -> Page[OrderRowResponse]:
    """Orders delivered and settled whose vendors are not paid, the oldest delivery first."""
    with read_only() as session:
        return list_payable(session, query)


@orders.get("/payouts/<uuid:order_id>", allow=admin(), raises=(NotFound,))
def get_payout(_: AdminCaller, order_id: UUID) -> OrderResponse:
    """One order whose vendor waits for its money, or has it."""
    with read_only() as session:
        return get_order(session, order_id, is_payable_or_paid(), link=find_link)


@orders.get("/<uuid:order_id>", allow=admin(), raises=(NotFound,))
def get_one(_: AdminCaller, order_id: UUID) -> OrderResponse:
    """Any order in full."""
    with read_only() as session:
        return get_order(session, order_id, link=find_link)


@orders.post("/<uuid:order_id>/confirm-payout", allow=admin(), idempotent=DAYS_7, raises=(NotFound, StateConflict))
def confirm_payout(_: AdminCaller, order_id: UUID) -> OrderResponse:
    """The vendor was paid: the order is closed."""
    with transaction() as session:
        order = queries.lock_order(session, order_id)
        emit(session, *payments.confirm_payout(session, order))
        return get_order(session, order_id)


@orders.post(
    "/<uuid:order_id>/assign-agent",
    allow=admin(),
    idempotent=DAY_1,
    raises=(NotFound, InvalidRequest, StateConflict),
)
def assign_agent(_: AdminCaller, order_id: UUID, body: AssignAgentRequest) -> OrderResponse:
    """Give an order to an agent, whoever has it now."""
    with transaction() as session:
        order = queries.lock_order(session, order_id)
        emit(session, *assignment.reassign(session, order, body.agent_user_id))
        return get_order(session, order_id)


@orders.post("/<uuid:order_id>/payment/reject", allow=admin(), idempotent=DAY_1, raises=(NotFound, StateConflict))
def reject_payment(_: AdminCaller, order_id: UUID, body: ReasonRequest) -> OrderResponse:
    """Refuse a payment that is not settled."""
    with transaction() as session:
        order = queries.lock_order(session, order_id)
        emit(session, *payments.reject_payment(session, order, reason=body.reason))
        return get_order(session, order_id)


@orders.post("/<uuid:order_id>/payment/reset", allow=admin(), idempotent=DAY_1, raises=(NotFound, StateConflict))
def reset_payment(_: AdminCaller, order_id: UUID, body: ReasonRequest) -> OrderResponse:
    """Let a failed or rejected payment be tried again."""
    with transaction() as session:
        order = queries.lock_order(session, order_id)
        emit(session, *payments.reset_payment(session, order, reason=body.reason))
        return get_order(session, order_id)


@ledger.get(allow=admin(), raises=(InvalidRequest,))
def list_ledger(_: AdminCaller, query: LedgerQuery) -> Page[LedgerEntryResponse]:
    """Money that moved, newest first, with the sums of each type over all that is filtered."""
    with read_only() as session:
        return list_entries(session, query)


main = serve("payouts", orders, ledger)
