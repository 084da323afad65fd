"""The platform's side of licenses: the queue, and the decision on each.

Serves /api/v1/admin/licenses. Publishes license_status_changed.
"""

from typing import Annotated, Self
from uuid import UUID

from pydantic import StringConstraints, model_validator

from functions.licenses.schemas import DecidedResponse, QueuedLicenseResponse
from shared.identity.callers import AdminCaller, admin
from shared.kit.db import read_only, transaction
from shared.kit.errors import NotFound, StateConflict
from shared.kit.http import Api
from shared.kit.idempotency import DAYS_7
from shared.kit.pagination import Page
from shared.kit.schemas import Request
from shared.licensing import queries, review
from shared.licensing.models import Decision
from shared.licensing.queries import QueueQuery
from shared.media.storage import find_links

api = Api("licenses", prefix="/api/v1/admin/licenses")


class DecisionRequest(Request):
    """An admin's decision; who rejects says why."""

    decision: Decision
    reason: Annotated[str, StringConstraints(min_length=1, max_length=500)] | None = None

    example = {"decision": "rejected", "reason": "The address is not the store's."}

    @model_validator(mode="after")
    def _rejected_with_a_reason(self) -> Self:
        if self.decision is Decision.REJECTED and self.reason is None:
            raise ValueError("Say why the license is rejected.")
        return self


@api.get("", allow=admin())
def list_queue(caller: AdminCaller, query: QueueQuery) -> Page[QueuedLicenseResponse]:  # noqa: ARG001 - any admin
    """Licenses of all stores, by default those that wait for a decision, the oldest first."""
    with read_only() as session:
        page = queries.page_of_queue(session, query)
    links = find_links(document for _, document, _ in page.items)
    return page.of(
        [
            QueuedLicenseResponse.in_queue(license, links.get(document.id), store)
            for license, document, store in page.items
        ]
    )


@api.post("/<uuid:license_id>/verify", allow=admin(), idempotent=DAYS_7, raises=(NotFound, StateConflict))
def verify(caller: AdminCaller, license_id: UUID, body: DecisionRequest) -> DecidedResponse:
    """Verify or reject a pending license; 422 once it is decided."""
    with transaction() as session:
        license, kyc_status = review.decide(session, license_id, body.decision, by=caller.user_id, reason=body.reason)
        decided = {name: getattr(license, name) for name in DecidedResponse.model_fields if hasattr(license, name)}
        return DecidedResponse(**decided, kyc_status=kyc_status)
