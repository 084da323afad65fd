"""Vendors as customers of Square, made by an admin when it did not happen by itself."""

from uuid import UUID

from shared.billing.customers import ensure_customer
from shared.identity.callers import AdminCaller, admin
from shared.kit.errors import InvalidRequest, NotFound
from shared.kit.http import Api, Reply
from shared.kit.idempotency import DAY_1
from shared.kit.schemas import Request, Response

api = Api("square-customers", prefix="/api/v1/admin/square/customers")


class CustomerRequest(Request):
    """Which store."""

    store_id: UUID

    example = {"store_id": "01980000-0000-7000-8000-000000000001"}


class CustomerResponse(Response):
    """A store and its customer at Square."""

    store_id: UUID
    square_customer_id: str


@api.post("", allow=admin(), idempotent=DAY_1, status=201, or_status=200, raises=(NotFound, InvalidRequest))
def create(admin: AdminCaller, body: CustomerRequest) -> Reply[CustomerResponse]:  # noqa: ARG001 - the audit log knows who
    """Make a vendor a customer of Square: 201, or 200 when it is one; 404 for a store that is no vendor."""
    customer = ensure_customer(body.store_id)
    answer = CustomerResponse(store_id=body.store_id, square_customer_id=customer.id)
    return Reply(answer, status=201 if customer.is_new else 200)
