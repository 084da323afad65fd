"""Plans: what vendors can subscribe to, and how admins offer it."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from shared.billing import plans
from shared.billing.models import BillingPlan, PlanInterval, PlanStatus
from shared.billing.plans import PlanTerms
from shared.identity.callers import AdminCaller, VendorCaller, admin, vendor
from shared.identity.permissions import Permission
from shared.kit.db import read_only
from shared.kit.errors import Conflict, InvalidRequest, NotFound, StateConflict
from shared.kit.http import Api
from shared.kit.idempotency import DAY_1
from shared.kit.pagination import Order, Page, PageQuery, page_of
from shared.kit.schemas import Request, Response

for_vendors = Api("billing-plans", prefix="/api/v1/vendor/billing/plans")
for_admins = Api("billing-plans-admin", prefix="/api/v1/admin/billing/plans")

CHEAPEST_FIRST = Order((BillingPlan.price_cents, BillingPlan.id), descending=False)

Name = Annotated[str, Field(min_length=1, max_length=100)]
PriceCents = Annotated[int, Field(ge=1, le=100_000_00)]
TrialDays = Annotated[int, Field(ge=0, le=365)]


class PlanUi(Request):
    """How a plan is shown."""

    badge: Annotated[str | None, Field(max_length=50)] = None
    description: Annotated[str | None, Field(max_length=500)] = None
    bullets: Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=20)] = []

    example = {"badge": "Most popular", "description": "Everything to sell statewide.", "bullets": ["Unlimited menu"]}


class PlanFields(Request):
    """What a plan is, apart from its name and price."""

    trial_days: TrialDays = 0
    is_default: bool = False
    is_test: bool = False
    ui: PlanUi = PlanUi()
    features: dict[str, Any] = {}


class PlanRequest(PlanFields):
    """A new plan, at once active."""

    name: Name
    interval: PlanInterval
    price_cents: PriceCents

    example = {
        "name": "Professional",
        "interval": "every_30_days",
        "price_cents": 9_900,
        "trial_days": 14,
        "is_default": True,
        "ui": PlanUi.example,
        "features": {"ads": True},
    }


class PlanChangeRequest(Request):
    """Only what is given changes."""

    name: Name | None = None
    interval: PlanInterval | None = None
    price_cents: PriceCents | None = None
    trial_days: TrialDays | None = None
    status: PlanStatus | None = None
    is_default: bool | None = None
    is_test: bool | None = None
    ui: PlanUi | None = None
    features: dict[str, Any] | None = None

    example = {"status": "deprecated"}


class PlanListQuery(PageQuery):
    """Plans in some states."""

    status: list[PlanStatus] = []


class PlanResponse(Response):
    """A plan as vendors see it."""

    id: UUID
    name: str
    interval: PlanInterval
    price_cents: int
    currency: str
    trial_days: int
    is_default: bool
    ui: dict[str, Any]
    features: dict[str, Any]


class AdminPlanResponse(PlanResponse):
    """A plan with its state and its ids at Square."""

    status: PlanStatus
    is_test: bool
    square_plan_id: str
    square_variation_id: str
    created_at: datetime


@for_vendors.get("", allow=vendor(Permission.BILLING_MANAGE))
def list_offered(caller: VendorCaller, query: PageQuery) -> Page[PlanResponse]:  # noqa: ARG001 - the same for all
    """The plans that can be chosen, cheapest first."""
    with read_only() as session:
        page = page_of(session, plans.offered(), query, CHEAPEST_FIRST)
    return page.of([PlanResponse.model_validate(row[0]) for row in page.items])


@for_vendors.get("/<uuid:plan_id>", allow=vendor(Permission.BILLING_MANAGE), raises=(NotFound,))
def show_offered(caller: VendorCaller, plan_id: UUID) -> PlanResponse:  # noqa: ARG001 - the same for all
    """One plan that can be chosen."""
    with read_only() as session:
        return PlanResponse.model_validate(plans.get_offered(session, plan_id))


@for_admins.get("", allow=admin())
def list_all(admin: AdminCaller, query: PlanListQuery) -> Page[AdminPlanResponse]:  # noqa: ARG001 - the same for all
    """All plans, cheapest first."""
    with read_only() as session:
        page = page_of(session, plans.in_states(query.status), query, CHEAPEST_FIRST)
    return page.of([AdminPlanResponse.model_validate(row[0]) for row in page.items])


@for_admins.post("", allow=admin(), idempotent=DAY_1, status=201, raises=(Conflict, InvalidRequest))
def create(admin: AdminCaller, body: PlanRequest) -> AdminPlanResponse:  # noqa: ARG001 - the audit log knows who
    """Offer a plan, here and in Square's catalogue; 409 when the name is taken."""
    details = body.model_dump(include=set(PlanFields.model_fields))
    plan = plans.create_plan(body.name, PlanTerms(body.interval, body.price_cents), **details)
    return AdminPlanResponse.model_validate(plan)


@for_admins.patch("/<uuid:plan_id>", allow=admin(), raises=(NotFound, Conflict, StateConflict, InvalidRequest))
def change(admin: AdminCaller, plan_id: UUID, body: PlanChangeRequest) -> AdminPlanResponse:  # noqa: ARG001 - as above
    """Change a plan; 409 for another price while somebody is subscribed, 422 for a default that is not active."""
    changes = body.model_dump(exclude_unset=True, exclude_none=True)
    return AdminPlanResponse.model_validate(plans.change_plan(plan_id, changes))


@for_admins.delete("/<uuid:plan_id>", allow=admin(), raises=(NotFound,))
def hide(admin: AdminCaller, plan_id: UUID) -> None:  # noqa: ARG001 - as above
    """Offer a plan no more; who is subscribed stays so."""
    plans.change_plan(plan_id, {"status": PlanStatus.HIDDEN})
