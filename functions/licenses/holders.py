"""The holder's side of licenses: submit one, see one's own, remove one that is good for nothing.

Serves /api/v1/licenses. Publishes license_submitted and media_deleted.
"""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, StringConstraints

from functions.licenses.schemas import LicenseResponse
from shared.identity.callers import MemberCaller, member
from shared.identity.permissions import Permission
from shared.kit.db import read_only, transaction
from shared.kit.errors import Conflict, NotFound, StateConflict
from shared.kit.http import Api
from shared.kit.idempotency import DAY_1
from shared.kit.pagination import Page
from shared.kit.schemas import Request
from shared.licensing import queries, submission
from shared.licensing.models import LicenseType
from shared.licensing.queries import LicenseQuery
from shared.media.storage import find_link, find_links

api = Api("licenses", prefix="/api/v1/licenses")

# Numbers are compared as the states print them: capitals, without spaces.
Number = Annotated[
    str,
    StringConstraints(min_length=3, max_length=40, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ./-]*$"),
    AfterValidator(lambda number: number.upper().replace(" ", "")),
]


class LicenseRequest(Request):
    """A license with the media that shows it; the last day that it is good for is `expires_on`."""

    type: LicenseType
    number: Number
    issuing_state: Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")]
    issued_on: date
    expires_on: date
    media_id: UUID

    example = {
        "type": "grower",
        "number": "GAAA-4KXJ-9PQR",
        "issuing_state": "OK",
        "issued_on": "2026-02-01",
        "expires_on": "2027-01-31",
        "media_id": "01980000-0000-7000-8000-000000000001",
    }


@api.post(
    "",
    allow=member(Permission.LICENSES_WRITE),
    idempotent=DAY_1,
    status=201,
    raises=(NotFound, Conflict, StateConflict),
)
def submit(caller: MemberCaller, body: LicenseRequest) -> LicenseResponse:
    """Submit a license for verification: 409 when its number is on file, 422 while its document is not uploaded."""
    told = submission.Submission(**body.model_dump())
    with transaction() as session:
        submitted = submission.submit(session, caller.store_id, told)
        license, document = queries.get_license(session, caller.store_id, submitted.id)
    return LicenseResponse.of(license, find_link(document))


@api.get("", allow=member(Permission.MEDIA_READ))
def list_licenses(caller: MemberCaller, query: LicenseQuery) -> Page[LicenseResponse]:
    """The store's licenses, the newest first."""
    with read_only() as session:
        page = queries.page_of_licenses(session, caller.store_id, query)
    links = find_links(document for _, document in page.items)
    return page.of([LicenseResponse.of(license, links.get(document.id)) for license, document in page.items])


@api.get("/<uuid:license_id>", allow=member(Permission.MEDIA_READ), raises=(NotFound,))
def get(caller: MemberCaller, license_id: UUID) -> LicenseResponse:
    """One of the store's licenses."""
    with read_only() as session:
        license, document = queries.get_license(session, caller.store_id, license_id)
    return LicenseResponse.of(license, find_link(document))


@api.delete("/<uuid:license_id>", allow=member(Permission.LICENSES_WRITE), raises=(NotFound, StateConflict))
def delete(caller: MemberCaller, license_id: UUID) -> None:
    """Remove an expired or rejected license; 422 for any other."""
    with transaction() as session:
        submission.remove(session, caller.store_id, license_id)
