"""The buyer's grid: a page of the products that a buyer sees, by two SQL statements whatever is asked for.

The first finds out where the buyer stands, what the words meant, and the counts; the second is the page.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, column, null, select
from sqlalchemy.orm import Session, aliased

from shared.catalog import facets
from shared.catalog.facets import Facet
from shared.catalog.filters import ProductFilters, conditions
from shared.catalog.models import Product
from shared.catalog.search import WordSearch
from shared.catalog.sorting import Sort, order_by
from shared.catalog.spelling import respelled
from shared.catalog.summaries import SHOWN, ProductSummaryResponse, summary_columns
from shared.catalog.visibility import BuyerPlace, distance_meters, product_offered, vendor_sells_to
from shared.catalog.words import anywhere, wanted_words
from shared.identity.models import Store
from shared.inventory.models import InventoryItem
from shared.kit import clock
from shared.kit.errors import InvalidRequest, NotFound
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
    at, sort = clock.now(), query.sorted_by
    bearings = _bearings(session, buyer_store_id, query, at)
    if bearings.words is not None and sort is not Sort.DISTANCE:
        page = _page_by_words(session, bearings.place, wanted_words(bearings.words), query, at)
    else:
        page = _page_in_order(session, bearings, query, at)
    rows = [ProductSummaryResponse.of(dict(row._mapping)) for row in page.items]
    return replace(page.of(rows), total=bearings.total, facets=bearings.facets)


def _bearings(session: Session, buyer_store_id: UUID, query: BrowseQuery, at: datetime) -> _Bearings:
    words = respelled(query.q) if query.q else None
    columns: list[Any] = [
        Store.id,
        Store.state,
        Store.lat,
        Store.lng,
        (null() if words is None else words).label("words"),
    ]
    if query.facets or query.include_total:
        wanted = None if words is None else select(wanted_words(words)).scalar_subquery()
        found = facets.matching(buyer_store_id, query, at, wanted)
        columns += facets.counts(found, query.facets, query, at)
        columns += [facets.total(found, query, at).label("total")] if query.include_total else []
    row = session.execute(select(*columns).where(Store.id == buyer_store_id, Store.deleted_at.is_(None))).first()
    if row is None:
        raise NotFound
    told = row._mapping
    return _Bearings(
        BuyerPlace(told["id"], told["state"], told["lat"], told["lng"]),
        told["words"],
        told.get("total"),
        {facet.value: told[f"facet_{facet.value}"] for facet in query.facets} if query.facets else None,
    )


def _page_in_order(session: Session, bearings: _Bearings, query: BrowseQuery, at: datetime) -> Page[Row[Any]]:
    """Follow an index in the order wanted, or the vendors from the nearest on."""
    place = bearings.place
    narrowed = conditions(query, at)
    if bearings.words is not None:
        narrowed.append(anywhere(wanted_words(bearings.words)))
    if query.sorted_by is Sort.DISTANCE:
        vendor, order = _nearest_first(place)
    else:
        vendor, order = Store, order_by(query.sorted_by)
        narrowed.append(vendor_sells_to(place))
    statement = _summaries(place, at, vendor, order).where(product_offered(), *narrowed)
    return page_from(lambda seek: session.execute(order.sought(statement, seek)).all(), query, order)


def _nearest_first(place: BuyerPlace) -> tuple[Any, Order]:
    """The vendors that sell to the buyer in order of distance, and the order that this gives their products."""
    distance = distance_meters(place).label("distance")
    # OFFSET keeps the planner from dissolving the sorted vendors, so that it reads the nearest's products first.
    sellers = select(*SHOWN, distance).where(vendor_sells_to(place)).order_by(distance, Store.id).offset(0)
    nearest = sellers.subquery("nearest")
    return aliased(Store, nearest), Order(
        (nearest.c.distance, nearest.c.id, Product.id), descending=False, grouped=True
    )


def _page_by_words(
    session: Session, place: BuyerPlace, wanted: Any, query: BrowseQuery, at: datetime
) -> Page[Row[Any]]:
    search = WordSearch(place, query.sorted_by, wanted, lambda product: conditions(query, at, product))

    def fetch(seek: Seek) -> Sequence[Row[Any]]:
        page = _summaries(place, at, Store, search.order).join(search.hits(seek), column("hit_id") == Product.id)
        return session.execute(search.order.sought(page, replace(seek, values=None))).all()

    return page_from(fetch, query, search.order)


def _summaries(place: BuyerPlace, at: datetime, vendor: Any, order: Order) -> Select[Any]:
    return (
        select(*summary_columns(place, at, vendor), *order.marks())
        .select_from(Product)
        .join(vendor, vendor.id == Product.vendor_store_id)
        .join(InventoryItem, InventoryItem.product_id == Product.id)
    )
