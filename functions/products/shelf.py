"""The vendors' side: their own products, offered or not.

Serves /api/v1/vendor/products.
"""

from uuid import UUID

from shared.catalog import editing, shelf
from shared.catalog.requests import CreateProductRequest, UpdateProductRequest
from shared.catalog.shelf import OwnProductResponse, ShelfQuery, ShelfRowResponse
from shared.identity.callers import VendorCaller, vendor
from shared.identity.permissions import Permission
from shared.kit.db import read_only, transaction
from shared.kit.errors import Conflict, NotFound, StateConflict
from shared.kit.http import Api
from shared.kit.idempotency import DAY_1
from shared.kit.pagination import Page

api = Api("vendor-products", prefix="/api/v1/vendor/products")


@api.get("", allow=vendor(Permission.BROWSE))
def list_products(caller: VendorCaller, query: ShelfQuery) -> Page[ShelfRowResponse]:
    """The vendor's own products in any state, with their stock."""
    with read_only() as session:
        return shelf.list_products(session, caller.store_id, query)


@api.post(
    "",
    allow=vendor(Permission.CATALOG_WRITE),
    idempotent=DAY_1,
    status=201,
    raises=(NotFound, Conflict, StateConflict),
)
def create(caller: VendorCaller, body: CreateProductRequest) -> OwnProductResponse:
    """Offer a product with its stock, tiers and media: 409 when another has the SKU, 404 or 422 for unfit media."""
    with transaction() as session:
        product = editing.create_product(session, caller.store_id, body)
    return _show(caller, product.id)


@api.get("/<uuid:product_id>", allow=vendor(Permission.BROWSE), raises=(NotFound,))
def show(caller: VendorCaller, product_id: UUID) -> OwnProductResponse:
    """One of the vendor's own products."""
    return _show(caller, product_id)


@api.patch("/<uuid:product_id>", allow=vendor(Permission.CATALOG_WRITE), raises=(NotFound, Conflict, StateConflict))
def update(caller: VendorCaller, product_id: UUID, body: UpdateProductRequest) -> OwnProductResponse:
    """Change what is given: 409 when another product has the SKU, 404 or 422 for unfit media."""
    with transaction() as session:
        editing.update_product(session, caller.store_id, product_id, body)
    return _show(caller, product_id)


@api.delete("/<uuid:product_id>", allow=vendor(Permission.CATALOG_WRITE), raises=(NotFound,))
def archive(caller: VendorCaller, product_id: UUID) -> None:
    """Offer a product no more; orders keep what they have of it."""
    with transaction() as session:
        editing.archive_product(session, caller.store_id, product_id)


def _show(caller: VendorCaller, product_id: UUID) -> OwnProductResponse:
    with read_only() as session:
        product = shelf.get_product(session, caller.store_id, product_id)
    return product.signed()
