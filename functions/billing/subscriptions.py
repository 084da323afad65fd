"""A vendor's subscription: take one out, look at it, end it."""

from datetime import date, datetime
from uuid import UUID

from shared.billing import subscribing
from shared.billing.models import PlanInterval, SubscriptionStatus
from shared.billing.subscribing import Choice
from shared.identity.callers import VendorCaller, vendor
from shared.identity.permissions import Permission
from shared.kit.db import read_only
from shared.kit.errors import Conflict, InvalidRequest, NotFound, StateConflict
from shared.kit.http import Api, Reply
from shared.kit.idempotency import DAYS_7
from shared.kit.schemas import Request, Response

api = Api("subscriptions", prefix="/api/v1/vendor/subscriptions")


class SubscribeRequest(Request):
    """What to subscribe to and which card to charge; without them, the defaults."""

    plan_id: UUID | None = None
    payment_method_id: UUID | None = None

    example = {"plan_id": "01980000-0000-7000-8000-000000000001"}


class SubscribedPlanResponse(Response):
    """The plan of a subscription."""

    id: UUID
    name: str
    interval: PlanInterval
    price_cents: int
    currency: str


class SubscriptionResponse(Response):
    """A subscription. `period_end_on` is the last day that is invoiced."""

    id: UUID
    status: SubscriptionStatus
    plan: SubscribedPlanResponse
    payment_method_id: UUID | None
    trial_ends_on: date | None
    period_start_on: date | None
    period_end_on: date | None
    cancel_at_period_end: bool
    paused_at: datetime | None
    pause_effective_on: date | None
    resume_effective_on: date | None
    canceled_at: datetime | None
    created_at: datetime


@api.get("", allow=vendor(Permission.BILLING_MANAGE), raises=(NotFound,))
def show(vendor: VendorCaller) -> SubscriptionResponse:
    """The store's subscription, over or not; 404 when it never had one."""
    with read_only() as session:
        return SubscriptionResponse.model_validate(subscribing.get_subscription(session, vendor.store_id))


@api.post(
    "",
    allow=vendor(Permission.BILLING_MANAGE, trades=True),
    idempotent=DAYS_7,
    status=201,
    or_status=200,
    raises=(NotFound, Conflict, StateConflict, InvalidRequest),
)
def subscribe(vendor: VendorCaller, body: SubscribeRequest) -> Reply[SubscriptionResponse]:
    """Subscribe: 201, or 200 with the subscription that there is; 422 without a card or a plan, or if declined."""
    subscribed = subscribing.subscribe(vendor.store_id, Choice(body.plan_id, body.payment_method_id))
    answer = SubscriptionResponse.model_validate(subscribed.subscription)
    return Reply(answer, status=201 if subscribed.is_new else 200)


@api.post(
    "/cancel",
    allow=vendor(Permission.BILLING_MANAGE),
    idempotent=DAYS_7,
    raises=(NotFound, Conflict, InvalidRequest),
)
def cancel(vendor: VendorCaller) -> SubscriptionResponse:
    """End the subscription with the period that is paid; 404 without one."""
    return SubscriptionResponse.model_validate(subscribing.cancel(vendor.store_id))
