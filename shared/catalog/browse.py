"""The buyer's grid: a page of the products that a buyer sees, by two SQL statements whatever is asked for.

The first finds out where the buyer stands, what the words meant, and the counts; the second is the page.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, column, exists, null, select
from sqlalchemy.orm import Session, aliased

from shared.catalog.facets import Counting
from shared.catalog.filters import ProductFilters, conditions
from shared.catalog.models import Facet, Product
from shared.catalog.search import WordSearch
from shared.catalog.sorting import Sort
from shared.catalog.spelling import respelled
from shared.catalog.summaries import ProductSummaryResponse, summary_columns
from shared.catalog.visibility import BuyerPlace, locate, vendor_sells_to
from shared.catalog.walk import Walk
from shared.catalog.words import anywhere, wanted_words
from shared.identity.models import Store
from shared.inventory.models import InventoryItem
from shared.kit import clock
from shared.kit.errors import InvalidRequest
from shared.kit.pagination import Order, Page, Seek, page_from


class BrowseQuery(ProductFilters):
    """Without `sort`, relevance when there are words and newest otherwise."""

    sort: Sort | None = None
    facets: list[Facet] = []

    @property
    def sorted_by(self) -> Sort:
        """The sort that applies. Raises InvalidRequest for relevance without words."""
        if self.sort is Sort.RELEVANCE and self.q is None:
            raise InvalidRequest.field("sort", "Relevance needs words to search for.")
        return self.sort or (Sort.RELEVANCE if self.q else Sort.NEWEST)

    def filters(self) -> dict[str, Any]:
        """What narrows or orders the list; counting does neither."""
        return {name: value for name, value in super().filters().items() if name != "facets"}


@dataclass(frozen=True)
class _Bearings:
    """What the page starts from. `words` is the query with its spelling mended."""

    place: BuyerPlace
    words: str | None
    total: int | None
    facets: dict[str, Any] | None


def browse(session: Session, buyer_store_id: UUID, query: BrowseQuery) -> Page[ProductSummaryResponse]:
    """One page of the products that this buyer sees. Raises InvalidRequest, and NotFound for a deleted store."""
    return _browse(session, buyer_store_id, query, given=())


def browse_storefront(
    session: Session, buyer_store_id: UUID, vendor_store_id: UUID, query: BrowseQuery
) -> Page[ProductSummaryResponse]:
    """The same of one vendor's products. Raises NotFound for a vendor that the buyer does not see."""
    if query.vendor_store_id:
        raise InvalidRequest.field("vendor_store_id", "These are one vendor's products already.")
    vendor, here = aliased(Store, name="storefront"), cast(Any, Store)
    is_seen = exists().where(vendor.id == vendor_store_id, vendor_sells_to(here, vendor))
    narrowed = query.model_copy(update={"vendor_store_id": [vendor_store_id]})
    return _browse(session, buyer_store_id, narrowed, given=(is_seen,))


def _browse(
    session: Session, buyer_store_id: UUID, query: BrowseQuery, *, given: Sequence[ColumnElement[bool]]
) -> Page[ProductSummaryResponse]:
    at = clock.now()
    bearings = _bearings(session, buyer_store_id, query, at, given)
    finder = _finder(bearings, query, at)

    def fetch(seek: Seek) -> Sequence[Row[Any]]:
        found = _summaries(bearings.place, at, finder.order).join(finder.hits(seek), column("hit_id") == Product.id)
        return session.execute(finder.order.sought(found, replace(seek, values=None))).all()

    page = page_from(fetch, query, finder.order)
    rows = [ProductSummaryResponse.of(dict(row._mapping)) for row in page.items]
    return replace(page.of(rows), total=bearings.total, facets=bearings.facets)


def _bearings(
    session: Session,
    buyer_store_id: UUID,
    query: BrowseQuery,
    at: datetime,
    given: Sequence[ColumnElement[bool]],
) -> _Bearings:
    words = respelled(query.q) if query.q else None
    columns: list[Any] = [(null() if words is None else words).label("words")]
    wanted = None if words is None else select(wanted_words(words)).scalar_subquery()
    counting = Counting(buyer_store_id, query, wanted, at)
    columns += counting.columns(query.facets, total=query.include_total)
    place, told = locate(session, buyer_store_id, *columns, given=given)
    return _Bearings(
        place,
        told["words"],
        told.get("total"),
        {facet.value: told[f"facet_{facet.value}"] for facet in query.facets} if query.facets else None,
    )


def _finder(bearings: _Bearings, query: BrowseQuery, at: datetime) -> Walk | WordSearch:
    """What finds the products of a page."""
    sort, words = query.sorted_by, bearings.words
    if words is None:
        return Walk(bearings.place, sort, lambda product: conditions(query, at, product))
    wanted = wanted_words(words)
    if sort is Sort.DISTANCE:
        return Walk(bearings.place, sort, lambda product: [*conditions(query, at, product), anywhere(wanted, product)])
    return WordSearch(bearings.place, sort, wanted, lambda product: conditions(query, at, product))


def _summaries(place: BuyerPlace, at: datetime, order: Order) -> Select[Any]:
    return (
        select(*summary_columns(place, at), *order.marks())
        .select_from(Product)
        .join(Store, Store.id == Product.vendor_store_id)
        .join(InventoryItem, InventoryItem.product_id == Product.id)
    )
