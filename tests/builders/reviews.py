"""Reviews that count in the ratings of what they are about."""

from typing import Any

from shared.catalog.models import Product
from shared.identity.models import Store
from shared.kit.db import transaction
from shared.kit.ids import new_id
from shared.reviews.models import Review
from shared.reviews.subjects import Subject


def a_review(buyer: Store, of: Store | Product, rating: int = 4, **fields: Any) -> Review:
    """What a buyer store thinks of a vendor or a product."""
    subject = Subject(type(of), of.id)
    review = Review(
        **{
            "id": new_id(),
            "buyer_store_id": buyer.id,
            subject.column.key: of.id,
            "rating": rating,
            "title": "Good stuff",
            **fields,
        }
    )
    with transaction() as session:
        session.add(review)
        if not review.is_hidden:
            subject.add(session, count=1, total=rating)
    return review
