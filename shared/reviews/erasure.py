"""What is kept of a store's reviews when it is erased: what it wrote, under no name; what was written of it goes."""

from uuid import UUID

from sqlalchemy import delete, exists, or_, select, update
from sqlalchemy.orm import Session

from shared.catalog.models import Product
from shared.identity.erasure import Traces
from shared.identity.models import Store
from shared.reviews.models import Review


def _has_written(session: Session, store_id: UUID) -> bool:
    """Its reviews stay for those whom they are about, and with them a store without a name."""
    return bool(session.scalar(select(exists().where(Review.buyer_store_id == store_id))))


def _forget_ratings(session: Session, store_id: UUID) -> None:
    """The reviews of a vendor and of its products. The sums first, since that locks the subjects of the reviews."""
    unrated = {"rating_count": 0, "rating_sum": 0}
    session.execute(update(Store).where(Store.id == store_id).values(unrated))
    session.execute(update(Product).where(Product.vendor_store_id == store_id).values(unrated))
    products = select(Product.id).where(Product.vendor_store_id == store_id)
    session.execute(delete(Review).where(or_(Review.store_id == store_id, Review.product_id.in_(products))))


TRACES = Traces(must_stay=_has_written, forget=_forget_ratings)
