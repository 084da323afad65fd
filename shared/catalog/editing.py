"""What vendors do with their products: offer one, change it, archive it. Each is audited."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from shared.catalog import gallery
from shared.catalog.descriptions import sanitized
from shared.catalog.fields import VolumeTier, refuse_crossed_bounds
from shared.catalog.models import Product, VolumeDiscount
from shared.catalog.requests import CreateProductRequest, UpdateProductRequest
from shared.identity.models import Store
from shared.inventory.stock import OpeningStock, open_stock
from shared.kit import clock
from shared.kit.db import violated_constraint
from shared.kit.errors import Conflict, InvalidRequest, NotFound
from shared.kit.ids import new_id
from shared.kit.tables import insert_all
from shared.operations.audit import audit

# Fields of a request that are not columns of the product.
_PARTS = frozenset({"inventory", "volume_discounts", "gallery_media_ids", "coa_media_id"})


class SkuTaken(Conflict):
    default_message = "Another of your products has this SKU."

    def __init__(self) -> None:
        super().__init__(details={"reason": "sku_taken"})


def create_product(session: Session, vendor_store_id: UUID, wanted: CreateProductRequest) -> Product:
    """A new product with its stock, tiers and media. Raises SkuTaken and what the media raise."""
    product = Product(id=new_id(), vendor_store_id=vendor_store_id, updated_at=clock.now(), **columns_of(wanted))
    product.vendor_name = _lock_name(session, vendor_store_id)
    session.add(product)
    with refusing_taken_skus():
        session.flush()
    stock = OpeningStock(product.id, wanted.inventory.available_qty, wanted.inventory.low_stock_threshold)
    open_stock(session, [stock])
    _insert_tiers(session, product.id, wanted.volume_discounts)
    if wanted.gallery_media_ids:
        gallery.show_gallery(session, product, wanted.gallery_media_ids)
    if wanted.coa_media_id:
        gallery.attach_coa(session, product, wanted.coa_media_id)
    audit(session, "product.created", "product", product.id, after=wanted.model_dump(mode="json"))
    return product


def update_product(session: Session, vendor_store_id: UUID, product_id: UUID, wanted: UpdateProductRequest) -> Product:
    """Change what was given. Raises NotFound, SkuTaken, InvalidRequest for crossed bounds, and what the media raise."""
    product = lock_product(session, vendor_store_id, product_id)
    before = _told(product, wanted.given - _PARTS)
    for name, value in _columns(wanted, wanted.given - _PARTS).items():
        setattr(product, name, value)
    _refuse_crossed_bounds(product)
    product.updated_at = clock.now()
    with refusing_taken_skus():
        session.flush()
    if wanted.volume_discounts is not None:
        session.execute(delete(VolumeDiscount).where(VolumeDiscount.product_id == product.id))
        _insert_tiers(session, product.id, wanted.volume_discounts)
    if wanted.gallery_media_ids is not None:
        gallery.show_gallery(session, product, wanted.gallery_media_ids)
    if "coa_media_id" in wanted.given:
        gallery.attach_coa(session, product, wanted.coa_media_id)
    after = wanted.model_dump(mode="json", include=wanted.given)
    audit(session, "product.updated", "product", product.id, before=before, after=after)
    return product


def archive_product(session: Session, vendor_store_id: UUID, product_id: UUID) -> None:
    """Offer it no more and let its media go; orders keep what they have of it. Raises NotFound."""
    product = lock_product(session, vendor_store_id, product_id)
    gallery.show_gallery(session, product, [])
    gallery.attach_coa(session, product, None)
    product.deleted_at = product.updated_at = clock.now()
    audit(session, "product.deleted", "product", product.id, before=_told(product, {"sku", "title"}))


def lock_product(session: Session, vendor_store_id: UUID, product_id: UUID) -> Product:
    """A vendor's product, held until the transaction ends. Raises NotFound, also for an archived one."""
    product = session.scalar(
        select(Product)
        .where(Product.id == product_id, Product.vendor_store_id == vendor_store_id, Product.deleted_at.is_(None))
        .with_for_update()
    )
    if product is None:
        raise NotFound
    return product


def _lock_name(session: Session, vendor_store_id: UUID) -> str:
    """The vendor's name, which cannot change before the product that repeats it is there."""
    vendor = session.scalars(select(Store).where(Store.id == vendor_store_id).with_for_update(read=True)).one()
    return vendor.name


@contextmanager
def refusing_taken_skus() -> Iterator[None]:
    """Raises SkuTaken when the database refuses what is written within the block because of a SKU."""
    try:
        yield
    except DBAPIError as error:
        if violated_constraint(error) == "uq_products_sku":
            raise SkuTaken from error
        raise


def columns_of(wanted: CreateProductRequest) -> dict[str, Any]:
    """The values of a new product's own columns."""
    return _columns(wanted, set(CreateProductRequest.model_fields) - _PARTS)


def _columns(wanted: CreateProductRequest | UpdateProductRequest, names: set[str]) -> dict[str, Any]:
    """The values of these fields as the product's columns hold them."""
    values = wanted.model_dump(include=names)
    if "body_html" in values:
        values["body_html"] = sanitized(values["body_html"])
    return {name: [str(item) for item in value] if isinstance(value, list) else value for name, value in values.items()}


def _insert_tiers(session: Session, product_id: UUID, tiers: Sequence[VolumeTier]) -> None:
    insert_all(session, VolumeDiscount, [{"product_id": product_id, **tier.model_dump()} for tier in tiers])


def _refuse_crossed_bounds(product: Product) -> None:
    try:
        refuse_crossed_bounds(product.moq, product.max_qty)
    except ValueError as error:
        raise InvalidRequest.field("max_qty", str(error)) from None


def _told(product: Product, names: set[str]) -> dict[str, Any]:
    return {name: getattr(product, name) for name in sorted(names)}
