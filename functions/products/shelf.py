"""The vendors' side: their own products, offered or not.

Serves /api/v1/vendor/products.
"""

from uuid import UUID

from shared.catalog import editing, import_rows, importing, shelf
from shared.catalog.importing import ImportQuery, ImportResponse
from shared.catalog.requests import CreateProductRequest, UpdateProductRequest
from shared.catalog.shelf import OwnProductResponse, ShelfQuery, ShelfRowResponse
from shared.identity.callers import VendorCaller, vendor
from shared.identity.permissions import Permission
from shared.kit.db import read_only, transaction
from shared.kit.errors import Conflict, NotFound, StateConflict
from shared.kit.http import Api, Body, Reply
from shared.kit.idempotency import DAY_1
from shared.kit.limits import Limit, per_store
from shared.kit.pagination import Page

IMPORT_LIMIT = Limit("product_import", "60/hour", per_store)
CSV = Body("text/csv", max_mib=8, example=import_rows.EXAMPLE)

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


@api.post(
    "/import",
    allow=vendor(Permission.CATALOG_WRITE),
    idempotent=DAY_1,
    status=201,
    or_status=200,
    limit=IMPORT_LIMIT,
    raises=(Conflict,),
    takes=CSV,
)
def import_file(caller: VendorCaller, file: bytes, query: ImportQuery) -> Reply[ImportResponse]:
    """Offer all products of a CSV file or, when any cell is not in order, none: 400 with the bad cells.

    The file is UTF-8 with a header row and at most 5,000 others. Columns are the fields of a new product but for
    its media, besides `available_qty` and `low_stock_threshold`; lists are written `relaxed;happy`, volume discounts
    `10:5;50:12.5`, prices in cents. Products that are there already are not changed: their SKU is a bad cell.
    With `dry_run=true` the answer is 200 with every bad cell, and nothing is written.
    """
    checked = importing.checked(file)
    if query.dry_run:
        with read_only() as session:
            return Reply(checked.with_taken(session, caller.store_id).told(dry_run=True), status=200)
    with transaction() as session:
        return Reply(importing.import_products(session, caller.store_id, checked))


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
