"""What can be reviewed, vendors and products, and the sums of their ratings.

Whatever changes a review first locks its subject, so that the reviews of one subject change one after another and
its sums are always those of the reviews that are shown.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from shared.catalog.models import Product
from shared.catalog.visibility import Standpoint, vendor_sells_to, visible_product
from shared.identity.models import Store
from shared.kit.errors import NotFound
from shared.reviews.models import Review


@dataclass(frozen=True)
class Subject:
    """A vendor or a product. Its row holds `rating_count` and `rating_sum`."""

    table: type[Store] | type[Product]
    id: UUID

    @classmethod
    def of(cls, *, store_id: UUID | None, product_id: UUID | None) -> "Subject":
        """Whichever of the two there is."""
        if store_id is not None:
            return cls(Store, store_id)
        assert product_id is not None, "a review has a subject"  # noqa: S101 - a constraint of the table says so
        return cls(Product, product_id)

    @property
    def column(self) -> Any:
        """The column of reviews that names it."""
        return Review.store_id if self.table is Store else Review.product_id

    @property
    def reviews(self) -> ColumnElement[bool]:
        """Its reviews."""
        its: ColumnElement[bool] = self.column == self.id
        return its

    def is_seen_from(self, buyer: Standpoint) -> ColumnElement[bool]:
        """A buyer sees it."""
        vendor = aliased(Store, name="reviewed_vendor")
        seen: ColumnElement[bool]
        if self.table is Store:
            seen = and_(vendor.id == self.id, vendor_sells_to(buyer, vendor))
        else:
            seen = and_(Product.id == self.id, visible_product(buyer, vendor))
        return exists().where(seen)

    def is_sold_by(self, vendor_store_id: InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
        """It is this vendor, or one of its products, offered or not."""
        if self.table is Store:
            return vendor_store_id == self.id
        return exists().where(Product.id == self.id, Product.vendor_store_id == vendor_store_id)

    def lock(self, session: Session) -> None:
        """Keep everybody else from changing its reviews until the transaction ends. Raises NotFound."""
        statement = select(self.table.id).where(self.table.id == self.id).with_for_update(key_share=True)
        if session.execute(statement).first() is None:
            raise NotFound

    def add(self, session: Session, *, count: int, total: int) -> None:
        """Add to the sums of its ratings; it is locked by now."""
        if (count, total) == (0, 0):
            return
        table: Any = self.table
        sums = {"rating_count": table.rating_count + count, "rating_sum": table.rating_sum + total}
        session.execute(update(table).where(table.id == self.id).values(sums))


def lock_review(session: Session, review_id: UUID, *scope: ColumnElement[bool]) -> tuple[Subject, Review]:
    """A review within the scope and its subject, which is locked. Raises NotFound."""
    named = select(Review.store_id, Review.product_id).where(Review.id == review_id, *scope)
    row = session.execute(named).one_or_none()
    if row is None:
        raise NotFound
    subject = Subject.of(store_id=row.store_id, product_id=row.product_id)
    subject.lock(session)
    # Only now is it sure to stay as it is; it may have gone while we waited.
    review = session.scalar(select(Review).where(Review.id == review_id, *scope))
    if review is None:
        raise NotFound
    return subject, review
