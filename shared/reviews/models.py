"""The table of reviews."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.kit.tables import Created, Id, Table


class Review(Table):
    """What a buyer store thinks of a vendor (`store_id`) or of a product, one of each at most.

    A hidden review is shown to nobody but admins, and counts for no rating.
    """

    __tablename__ = "reviews"
    __table_args__ = (
        CheckConstraint("rating BETWEEN 1 AND 5", name="rating"),
        CheckConstraint("num_nonnulls(store_id, product_id) = 1", name="subject"),
        CheckConstraint("(hidden_at IS NULL) = (hidden_reason IS NULL)", name="hidden"),
        Index("uq_reviews_of_store", "store_id", "buyer_store_id", unique=True),
        Index("uq_reviews_of_product", "product_id", "buyer_store_id", unique=True),
        Index("ix_reviews_store", "store_id", "created_at", "id", postgresql_where=text("hidden_at IS NULL")),
        Index("ix_reviews_product", "product_id", "created_at", "id", postgresql_where=text("hidden_at IS NULL")),
        Index("ix_reviews_buyer", "buyer_store_id"),
        Index("ix_reviews_author", "author_user_id"),
        Index("ix_reviews_created_at", "created_at", "id"),
    )

    id: Mapped[Id]
    buyer_store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id", ondelete="RESTRICT"))
    author_user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    store_id: Mapped[UUID | None] = mapped_column(ForeignKey("stores.id", ondelete="RESTRICT"))
    product_id: Mapped[UUID | None] = mapped_column(ForeignKey("products.id", ondelete="RESTRICT"))
    rating: Mapped[int] = mapped_column(SmallInteger)
    title: Mapped[str | None]
    body: Mapped[str | None]
    hidden_at: Mapped[datetime | None]
    hidden_reason: Mapped[str | None]
    created_at: Mapped[Created]
    updated_at: Mapped[Created]

    @property
    def is_hidden(self) -> bool:
        return self.hidden_at is not None
