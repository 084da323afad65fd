"""Buyer side of an order: call it off, remind the vendor, place it again.

Publishes order_canceled, order_nudged and order_retried.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from shared.identity.callers import BuyerCaller, buyer
from shared.identity.permissions import Permission
from shared.kit.db import transaction
from shared.kit.errors import Conflict, Forbidden, NotFound, RateLimitExceeded, StateConflict
from shared.kit.http import Api
from shared.kit.idempotency import DAY_1, DAYS_7
from shared.kit.outbox import emit
from shared.kit.schemas import Request, Response
from shared.orders import cancellation, nudges, queries, retries
from shared.orders.details import OrderResponse, get_order_of

api = Api("orders", prefix="/api/v1/orders")


class CancelRequest(Request):
    """Why the order is no longer wanted, if the buyer says so."""

    reason: Annotated[str | None, Field(max_length=500)] = None

    example = {"reason": "Ordered twice by mistake."}


class NudgeResponse(Response):
    """The vendor is being reminded, and can be again from `next_nudge_at` on."""

    order_id: UUID
    next_nudge_at: datetime


@api.post(
    "/<uuid:order_id>/cancel",
    allow=buyer(Permission.ORDERS_BUY),
    idempotent=DAYS_7,
    raises=(NotFound, StateConflict),
)
def cancel(caller: BuyerCaller, order_id: UUID, body: CancelRequest) -> OrderResponse:
    """Call the order off, as long as it is not on its way."""
    with transaction() as session:
        order = queries.lock_order_of_buyer(session, caller.store_id, order_id)
        emit(session, *cancellation.cancel(session, order, reason=body.reason))
        return get_order_of(session, caller.store_id, order_id)


@api.post(
    "/<uuid:order_id>/nudge",
    allow=buyer(Permission.ORDERS_BUY),
    idempotent=DAY_1,
    status=202,
    raises=(NotFound, StateConflict, RateLimitExceeded),
)
def nudge(caller: BuyerCaller, order_id: UUID) -> NudgeResponse:
    """Remind the vendor of the order, at most once in 12 hours."""
    with transaction() as session:
        order = queries.lock_order_of_buyer(session, caller.store_id, order_id)
        nudged, next_nudge_at = nudges.nudge(session, order)
        emit(session, nudged)
        return NudgeResponse(order_id=order.id, next_nudge_at=next_nudge_at)


@api.post(
    "/<uuid:order_id>/retry",
    allow=buyer(Permission.ORDERS_BUY, trades=True),
    idempotent=DAYS_7,
    status=201,
    raises=(NotFound, StateConflict, Conflict, Forbidden),
)
def retry(caller: BuyerCaller, order_id: UUID) -> OrderResponse:
    """Place an expired order again, at its prices; 409 when nothing of it can be had."""
    with transaction() as session:
        order = queries.lock_order_of_buyer(session, caller.store_id, order_id)
        placed_id, happened = retries.retry(session, order)
        emit(session, *happened)
        return get_order_of(session, caller.store_id, placed_id)
