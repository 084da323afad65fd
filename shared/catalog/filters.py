"""What narrows a list of products, for buyers and vendors alike. A filter with several values takes any of them."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import ColumnElement, Select, false, func, not_, or_, select, true
from sqlalchemy.orm import aliased

from shared.catalog.fields import Percent
from shared.catalog.models import Category, Classification, Feeling, Flavor, Product, Usage, VendorPromo, VolumeDiscount
from shared.catalog.promos import promo_is_live
from shared.inventory.models import InventoryItem
from shared.kit.pagination import PageQuery

SORTED = ("id", "vendor_store_id", "created_at", "price_cents", "thc_percent")
"""The columns of a product that sorts look at, and who sells it."""

TRAITS = (
    *SORTED,
    *("moq", "cbd_percent", "category", "classification", "strain", "feelings", "flavors", "usage"),
    *("search", "search_name", "search_rest"),
)
"""The columns that filters and words look at as well."""

Cents = Annotated[int, Field(ge=0, le=1_000_000_000)]
Strain = Annotated[str, Field(min_length=1, max_length=100)]


class Availability(StrEnum):
    """How much there is, without saying how much: `out` is less than the smallest order."""

    IN_STOCK = "in_stock"
    LOW = "low"
    OUT = "out"


class ProductFilters(PageQuery):
    """Filters of every list of products. `q` is words of the title, strain, sku, subtitle or vendor."""

    category: list[Category] = []
    classification: list[Classification] = []
    strain: list[Strain] = Field(default=[], max_length=50)
    price_min_cents: Cents | None = None
    price_max_cents: Cents | None = None
    thc_min: Percent | None = None
    thc_max: Percent | None = None
    cbd_min: Percent | None = None
    cbd_max: Percent | None = None
    has_promo: bool | None = None
    feelings: list[Feeling] = []
    flavors: list[Flavor] = []
    usage: list[Usage] = []
    in_stock: bool | None = None
    vendor_store_id: list[UUID] = Field(default=[], max_length=50)
    q: str | None = Field(default=None, min_length=1, max_length=100)


def given_filters(filters: ProductFilters) -> set[str]:
    """The names of the filters that narrow the list; `q` is left to full text."""
    return {name for name in _CONDITIONS if getattr(filters, name) not in (None, [])}


def conditions(
    filters: ProductFilters, at: datetime, product: Any = Product, *, but: Collection[str] = ()
) -> list[ColumnElement[bool]]:
    """A condition on `product` for each filter that is given; `but` leaves filters out by name."""
    given = given_filters(filters)
    return [
        holds(product, getattr(filters, name), at)
        for name, holds in _CONDITIONS.items()
        if name in given and name not in but
    ]


def has_promo(at: datetime, product: Any = Product) -> ColumnElement[bool]:
    """There is a way to pay less: a volume discount, or a code of the vendor's that is good at this moment."""
    tier = select(true()).where(VolumeDiscount.product_id == product.id)
    promo = select(true()).where(VendorPromo.store_id == product.vendor_store_id, promo_is_live(at))
    return or_(_found(tier), _found(promo))


def availability_of(available_qty: int, low_stock_threshold: int, moq: int) -> Availability:
    """The band that a quantity falls into."""
    if available_qty < moq:
        return Availability.OUT
    return Availability.LOW if available_qty <= low_stock_threshold else Availability.IN_STOCK


def _in_stock(product: Any) -> ColumnElement[bool]:
    stock = aliased(InventoryItem)  # lists join the stock as well, which is not meant here
    return _found(select(stock.available_qty >= product.moq).where(stock.product_id == product.id))


def _found(answer: Select[Any]) -> ColumnElement[bool]:
    """What the first row of `answer` says, false without one.

    EXISTS would say the same; but the planner turns it into joins over whole tables, for pages of 25.
    """
    return func.coalesce(answer.limit(1).scalar_subquery(), false())


def _is(wanted: bool, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return condition if wanted else not_(condition)


def _texts(values: Iterable[StrEnum]) -> list[str]:
    return [value.value for value in values]


_CONDITIONS: dict[str, Callable[[Any, Any, datetime], ColumnElement[bool]]] = {
    "vendor_store_id": lambda product, wanted, _: product.vendor_store_id.in_(wanted),
    "category": lambda product, wanted, _: product.category.in_(wanted),
    "classification": lambda product, wanted, _: product.classification.in_(wanted),
    # Both in the database: Python has other small letters for some capitals.
    "strain": lambda product, wanted, _: func.lower(product.strain).in_([func.lower(name) for name in wanted]),
    "price_min_cents": lambda product, bound, _: product.price_cents >= bound,
    "price_max_cents": lambda product, bound, _: product.price_cents <= bound,
    "thc_min": lambda product, bound, _: product.thc_percent >= bound,
    "thc_max": lambda product, bound, _: product.thc_percent <= bound,
    "cbd_min": lambda product, bound, _: product.cbd_percent >= bound,
    "cbd_max": lambda product, bound, _: product.cbd_percent <= bound,
    "has_promo": lambda product, wanted, at: _is(wanted, has_promo(at, product)),
    "feelings": lambda product, wanted, _: product.feelings.overlap(_texts(wanted)),
    "flavors": lambda product, wanted, _: product.flavors.overlap(_texts(wanted)),
    "usage": lambda product, wanted, _: product.usage.overlap(_texts(wanted)),
    "in_stock": lambda product, wanted, _: _is(wanted, _in_stock(product)),
}
