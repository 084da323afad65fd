"""The orders in which products are listed."""

from enum import StrEnum
from typing import Any

from sqlalchemy import func, literal_column

from shared.catalog.models import Product
from shared.kit.pagination import Order


class Sort(StrEnum):
    """`relevance` needs words; `thc` is strongest first, `-price` dearest first, `distance` nearest first."""

    RELEVANCE = "relevance"
    NEWEST = "newest"
    PRICE = "price"
    PRICE_FALLING = "-price"
    THC = "thc"
    DISTANCE = "distance"


def order_by(sort: Sort, product: Any = Product) -> Order:
    """The order that an index of products follows. Relevance is newest first among the equally relevant."""
    match sort:
        case Sort.PRICE | Sort.PRICE_FALLING:
            return Order((product.price_cents, product.id), descending=sort is Sort.PRICE_FALLING)
        case Sort.THC:
            return Order((func.coalesce(product.thc_percent, literal_column("0")), product.id))
        case _:
            return Order((product.created_at, product.id))
