"""What is kept of a store's catalogue when it is erased: its products, since the book of their stock is never cut."""

from uuid import UUID

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.orm import Session

from shared.catalog.models import Product, VendorPromo, Wishlist
from shared.identity.erasure import Traces
from shared.kit import clock


def _has_products(session: Session, store_id: UUID) -> bool:
    return bool(session.scalar(select(exists().where(Product.vendor_store_id == store_id))))


def _archive(session: Session, store_id: UUID) -> None:
    """No product is offered, no promo good and nothing wished for any more."""
    archived = {"is_active": False, "deleted_at": func.coalesce(Product.deleted_at, clock.now())}
    session.execute(update(Product).where(Product.vendor_store_id == store_id).values(archived))
    session.execute(update(VendorPromo).where(VendorPromo.store_id == store_id).values(is_active=False))
    session.execute(delete(Wishlist).where(Wishlist.store_id == store_id))


TRACES = Traces(must_stay=_has_products, forget=_archive)
