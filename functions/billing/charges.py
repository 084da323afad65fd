"""What a vendor was charged."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Select, select

from shared.billing.models import Charge, ChargeStatus, ChargeType
from shared.identity.callers import VendorCaller, vendor
from shared.identity.permissions import Permission
from shared.kit.db import read_only
from shared.kit.http import Api
from shared.kit.pagination import Order, Page, PageQuery, page_of
from shared.kit.schemas import Instant, Response

api = Api("charges", prefix="/api/v1/vendor/billing/charges")

NEWEST_FIRST = Order((Charge.billed_at, Charge.id))


class ChargeQuery(PageQuery):
    """Charges of some types and states, billed from (with) to (without) some moments."""

    type: list[ChargeType] = []
    status: list[ChargeStatus] = []
    created_from: Instant | None = None
    created_to: Instant | None = None


class ChargeResponse(Response):
    """A charge. The period is what a subscription's invoice is for."""

    id: UUID
    type: ChargeType
    amount_cents: int
    currency: str
    status: ChargeStatus
    attempts: int
    failure_code: str | None
    billed_at: datetime
    period_start_on: date | None
    period_end_on: date | None


@api.get("", allow=vendor(Permission.BILLING_MANAGE))
def list_charges(vendor: VendorCaller, query: ChargeQuery) -> Page[ChargeResponse]:
    """The store's charges, newest first."""
    with read_only() as session:
        page = page_of(session, _wanted(vendor.store_id, query), query, NEWEST_FIRST)
    return page.of([ChargeResponse.model_validate(row[0]) for row in page.items])


def _wanted(store_id: UUID, query: ChargeQuery) -> Select[Charge]:
    wanted = select(Charge).where(Charge.store_id == store_id)
    if query.type:
        wanted = wanted.where(Charge.type.in_(query.type))
    if query.status:
        wanted = wanted.where(Charge.status.in_(query.status))
    if query.created_from:
        wanted = wanted.where(Charge.billed_at >= query.created_from)
    if query.created_to:
        wanted = wanted.where(Charge.billed_at < query.created_to)
    return wanted
