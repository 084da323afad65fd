"""The vendors' codes.

Serves /api/v1/vendor/promos.
"""

from uuid import UUID

from shared.catalog import promos
from shared.catalog.promos import CreatePromoRequest, PromoResponse, PromosQuery, UpdatePromoRequest
from shared.identity.callers import VendorCaller, vendor
from shared.identity.permissions import Permission
from shared.kit.db import read_only, transaction
from shared.kit.errors import Conflict, NotFound
from shared.kit.http import Api
from shared.kit.idempotency import DAY_1
from shared.kit.pagination import Page

api = Api("promos", prefix="/api/v1/vendor/promos")


@api.get("", allow=vendor(Permission.BROWSE))
def list_promos(caller: VendorCaller, query: PromosQuery) -> Page[PromoResponse]:
    """The vendor's promos, the newest first."""
    with read_only() as session:
        return promos.list_promos(session, caller.store_id, query)


@api.post("", allow=vendor(Permission.PROMOS_WRITE), idempotent=DAY_1, status=201, raises=(Conflict,))
def create(caller: VendorCaller, body: CreatePromoRequest) -> PromoResponse:
    """Make a promo: 409 when the vendor has its code already."""
    with transaction() as session:
        return PromoResponse.model_validate(promos.create_promo(session, caller.store_id, body))


@api.patch("/<uuid:promo_id>", allow=vendor(Permission.PROMOS_WRITE), raises=(NotFound, Conflict))
def update(caller: VendorCaller, promo_id: UUID, body: UpdatePromoRequest) -> PromoResponse:
    """Change what is given: 409 when another promo has the code."""
    with transaction() as session:
        return PromoResponse.model_validate(promos.update_promo(session, caller.store_id, promo_id, body))


@api.delete("/<uuid:promo_id>", allow=vendor(Permission.PROMOS_WRITE), raises=(NotFound, Conflict))
def delete(caller: VendorCaller, promo_id: UUID) -> None:
    """Remove a promo: 409 once orders used it."""
    with transaction() as session:
        promos.delete_promo(session, caller.store_id, promo_id)
