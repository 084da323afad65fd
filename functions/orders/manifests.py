"""The transport manifest of an order: made from it, or uploaded by its vendor. Who may see the order reads it there.

Publishes media_uploaded and media_deleted.
"""

from uuid import UUID

from shared.identity.callers import VendorCaller, vendor
from shared.identity.permissions import Permission
from shared.kit.db import transaction
from shared.kit.errors import Conflict, InvalidRequest, NotFound, StateConflict
from shared.kit.http import Api
from shared.kit.idempotency import DAY_1
from shared.kit.schemas import Request
from shared.media.storage import find_link
from shared.orders import queries
from shared.orders.details import ManifestResponse
from shared.orders.manifests import filing

api = Api("orders", prefix="/api/v1/orders")


class ManifestRequest(Request):
    """A file of kind `manifest` of the vendor's own that takes the place of the generated one."""

    media_id: UUID

    example = {"media_id": "01980000-0000-7000-8000-000000000001"}


@api.post(
    "/<uuid:order_id>/manifest",
    allow=vendor(Permission.ORDERS_FULFIL),
    idempotent=DAY_1,
    raises=(NotFound, StateConflict, Conflict),
)
def generate(caller: VendorCaller, order_id: UUID) -> ManifestResponse:
    """Make the transport manifest as PDF; the one that is there when nothing changed since."""
    media = filing.generate(caller.store_id, order_id)
    return ManifestResponse.of(media, find_link(media))


@api.put(
    "/<uuid:order_id>/manifest",
    allow=vendor(Permission.ORDERS_FULFIL),
    raises=(NotFound, InvalidRequest, StateConflict),
)
def override(caller: VendorCaller, order_id: UUID, body: ManifestRequest) -> ManifestResponse:
    """Put an uploaded manifest in place of the generated one."""
    with transaction() as session:
        order = queries.lock_order_of_vendor(session, caller.store_id, order_id)
        media = filing.override(session, order, body.media_id)
    return ManifestResponse.of(media, find_link(media))
