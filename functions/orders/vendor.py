"""Vendor side of an order: decide it whole or line by line, pack it, put it aside for a while.

Publishes order_decided and order_ready_for_dispatch.
"""

from typing import Annotated
from uuid import UUID

from pydantic import Field, field_validator

from shared.identity.callers import VendorCaller, vendor
from shared.identity.permissions import Permission
from shared.kit.db import transaction
from shared.kit.errors import NotFound, StateConflict
from shared.kit.http import Api
from shared.kit.idempotency import DAY_1, DAYS_7
from shared.kit.limits import Limit, per_store
from shared.kit.outbox import emit
from shared.kit.schemas import Request
from shared.orders import decisions, holds, payments, queries
from shared.orders.decisions import Decision, LineDecision, step_of
from shared.orders.details import OrderResponse, get_order_of

DECISIONS_LIMIT = Limit("order_decisions", "120/minute", per_store)
MAX_LINES = 200

api = Api("orders", prefix="/api/v1/vendor/orders")

Reason = Annotated[str, Field(min_length=1, max_length=500)]
_ID = "01980000-0000-7000-8000-000000000001"


class DecisionRequest(Request):
    """What becomes of all lines; the reason is kept on those that are rejected."""

    decision: Decision
    reason: Reason | None = None

    example = {"decision": "accept"}


class LineDecisionRequest(Request):
    """What becomes of one line."""

    line_item_id: UUID
    decision: LineDecision
    notes: Annotated[str | None, Field(max_length=1_000)] = None

    example = {"line_item_id": _ID, "decision": "reject", "notes": "The harvest was late."}


class LineDecisionsRequest(Request):
    """What becomes of some lines, each named once."""

    decisions: Annotated[list[LineDecisionRequest], Field(min_length=1, max_length=MAX_LINES)]

    example = {"decisions": [LineDecisionRequest.example]}

    @field_validator("decisions")
    @classmethod
    def _each_once(cls, decisions: list[LineDecisionRequest]) -> list[LineDecisionRequest]:
        if len({decision.line_item_id for decision in decisions}) != len(decisions):
            raise ValueError("Each line may be named once.")
        return decisions


class FulfillRequest(Request):
    """The lines that are packed; without any, all that are accepted."""

    line_item_ids: Annotated[list[UUID] | None, Field(min_length=1, max_length=MAX_LINES)] = None

    example = {"line_item_ids": [_ID]}


class HoldRequest(Request):
    """Why the order is put aside."""

    reason: Reason

    example = {"reason": "The buyer's loading dock is closed this week."}


class ReleaseRequest(Request):
    """Why it goes on."""

    reason: Reason | None = None

    example = {"reason": "The dock is open again."}


@api.post(
    "/<uuid:order_id>/decision",
    allow=vendor(Permission.ORDERS_DECIDE),
    idempotent=DAYS_7,
    limit=DECISIONS_LIMIT,
    raises=(NotFound, StateConflict),
)
def decide(caller: VendorCaller, order_id: UUID, body: DecisionRequest) -> OrderResponse:
    """Accept or reject a placed order."""
    with transaction() as session:
        order = queries.lock_order_of_vendor(session, caller.store_id, order_id)
        emit(session, *decisions.decide(session, order, body.decision, reason=body.reason))
        return get_order_of(session, caller.store_id, order_id)


@api.post(
    "/<uuid:order_id>/line-items/decision",
    allow=vendor(Permission.ORDERS_DECIDE),
    idempotent=DAYS_7,
    limit=DECISIONS_LIMIT,
    raises=(NotFound, StateConflict),
)
def decide_lines(caller: VendorCaller, order_id: UUID, body: LineDecisionsRequest) -> OrderResponse:
    """Accept, reject or fulfill lines, all of the named or none."""
    steps = [step_of(asked.line_item_id, asked.decision, asked.notes) for asked in body.decisions]
    with transaction() as session:
        order = queries.lock_order_of_vendor(session, caller.store_id, order_id)
        emit(session, *decisions.decide_lines(session, order, steps))
        return get_order_of(session, caller.store_id, order_id)


@api.post(
    "/<uuid:order_id>/fulfill",
    allow=vendor(Permission.ORDERS_FULFIL),
    idempotent=DAYS_7,
    raises=(NotFound, StateConflict),
)
def fulfill(caller: VendorCaller, order_id: UUID, body: FulfillRequest) -> OrderResponse:
    """Pack accepted lines; the last one makes the order ready for dispatch."""
    with transaction() as session:
        order = queries.lock_order_of_vendor(session, caller.store_id, order_id)
        emit(session, *decisions.fulfill(session, order, body.line_item_ids))
        return get_order_of(session, caller.store_id, order_id)


@api.post(
    "/<uuid:order_id>/hold",
    allow=vendor(Permission.ORDERS_DECIDE),
    idempotent=DAY_1,
    raises=(NotFound, StateConflict),
)
def hold(caller: VendorCaller, order_id: UUID, body: HoldRequest) -> OrderResponse:
    """Put an accepted or ready order aside."""
    with transaction() as session:
        order = queries.lock_order_of_vendor(session, caller.store_id, order_id)
        emit(session, *holds.hold(session, order, reason=body.reason))
        return get_order_of(session, caller.store_id, order_id)


@api.post(
    "/<uuid:order_id>/release",
    allow=vendor(Permission.ORDERS_DECIDE),
    idempotent=DAY_1,
    raises=(NotFound, StateConflict),
)
def release(caller: VendorCaller, order_id: UUID, body: ReleaseRequest) -> OrderResponse:
    """Take up an order where it was put aside."""
    with transaction() as session:
        order = queries.lock_order_of_vendor(session, caller.store_id, order_id)
        emit(session, *holds.release(session, order, reason=body.reason))
        return get_order_of(session, caller.store_id, order_id)


@api.post(
    "/<uuid:order_id>/confirm-paid",
    allow=vendor(Permission.ORDERS_DECIDE),
    idempotent=DAY_1,
    raises=(NotFound, StateConflict),
)
def confirm_paid(caller: VendorCaller, order_id: UUID) -> OrderResponse:
    """Say that the money has come; it is recorded and changes nothing else."""
    with transaction() as session:
        order = queries.lock_order_of_vendor(session, caller.store_id, order_id)
        payments.signal_paid(session, order)
        return get_order_of(session, caller.store_id, order_id)
