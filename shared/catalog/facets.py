"""How many products of a list have each category, strain, vendor …, to choose from, and how many there are in all.

A facet ignores its own filter, so that it also counts what could be chosen instead. What is narrowed by nothing but
vendors is summed up from the vendors' counts, whatever there is in the catalogue; the rest is counted from an index
that holds all traits, so that no product is read: all facets that are narrowed alike by one scan.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Select,
    String,
    Uuid,
    cast,
    func,
    literal_column,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import aliased

from shared.catalog.filters import ProductFilters, conditions, given_filters
from shared.catalog.models import Facet, Product, ProductCount
from shared.catalog.visibility import vendor_sells_to, visible_product
from shared.catalog.words import anywhere
from shared.identity.models import Store

MAX_VALUES = 100
"""The most frequent values of a facet that are told."""

_LISTS = frozenset({Facet.FEELINGS, Facet.FLAVORS, Facet.USAGE})


@dataclass(frozen=True)
class Counting:
    """The products that a buyer sees of those that pass the filters and hold the words `wanted` (a tsquery)."""

    buyer_store_id: UUID
    filters: ProductFilters
    wanted: ColumnElement[Any] | None
    at: datetime

    def columns(self, facets: Sequence[Facet], *, total: bool) -> list[ColumnElement[Any]]:
        """`total`, when it is asked for, and for each facet `facet_…`: JSON of `{value, label, count}`, sorted.

        The most frequent values come first.
        """
        given = given_filters(self.filters)
        alike = {facet for facet in facets if facet not in given} | ({Facet.VENDOR} if total else set())
        together = [self._counts(sorted(alike), but=None)] if alike else []
        by_facet = {facet: self._counts([facet], but=facet) if facet in given else together[0] for facet in facets}
        columns: list[ColumnElement[Any]] = []
        columns += [_told(facet, counts).label(f"facet_{facet.value}") for facet, counts in by_facet.items()]
        return [*columns, _total(together[0]).label("total")] if total else columns

    def _counts(self, facets: Sequence[Facet], *, but: Facet | None) -> CTE:
        """`facet`, `value` and `count` of all that passes the filters except for one."""
        name = "counts" if but is None else f"counts_{but.value}"
        narrowing = given_filters(self.filters) - {but}
        if self.wanted is None and narrowing <= {Facet.VENDOR}:
            return self._summed(facets, but).cte(name)
        scanned = self._scanned(facets, but).cte(f"{name}_scanned")
        return union_all(*(_values(facet, scanned) for facet in facets)).cte(name)

    def _summed(self, facets: Sequence[Facet], but: Facet | None) -> Select[str, str, int]:
        """From the counts of the vendors."""
        buyer: Any = aliased(Store, name="counting_buyer")
        count = _sum(ProductCount.count)
        return (
            select(cast(ProductCount.facet, String).label("facet"), ProductCount.value, count.label("count"))
            .join(Store, Store.id == ProductCount.vendor_store_id)
            .join(buyer, buyer.id == self.buyer_store_id)
            .where(ProductCount.facet.in_(facets), vendor_sells_to(buyer), *self._conditions(ProductCount, but))
            .group_by(ProductCount.facet, ProductCount.value)
            .having(count > 0)
        )

    def _scanned(self, facets: Sequence[Facet], but: Facet | None) -> Select[Any]:
        """By one scan of the products: in each row one facet is given, and all others are null."""
        buyer: Any = aliased(Store, name="counting_buyer")
        traits = [Product.__table__.columns[facet.value] for facet in facets]
        found = (
            select(*traits, func.count().label("count"))
            .join(Store, Store.id == Product.vendor_store_id)
            .join(buyer, buyer.id == self.buyer_store_id)
            .where(visible_product(buyer), *self._conditions(Product, but))
            .group_by(func.grouping_sets(*(tuple_(trait) for trait in traits)))
        )
        return found if self.wanted is None else found.where(anywhere(self.wanted))

    def _conditions(self, product: Any, but: Facet | None) -> list[ColumnElement[bool]]:
        return conditions(self.filters, self.at, product, but=[but] if but else [])


def _values(facet: Facet, scanned: CTE) -> Select[Any]:
    """The counts of one facet; those of lists come by the whole list."""
    column = scanned.c[facet.value]
    value = (func.unnest(column) if facet in _LISTS else cast(column, String)).label("value")
    name = literal_column(f"'{facet.value}'", String).label("facet")
    return select(name, value, _sum(scanned.c.count).label("count")).where(column.is_not(None)).group_by(value)


def _sum(count: Any) -> ColumnElement[int]:
    return cast(func.sum(count), BigInteger)


def _total(counts: CTE) -> ColumnElement[int]:
    """How many products these are, each of which has one vendor."""
    every = select(_sum(counts.c.count)).where(counts.c.facet == Facet.VENDOR.value)
    return func.coalesce(every.scalar_subquery(), 0)


def _told(facet: Facet, counts: CTE) -> ColumnElement[Any]:
    first = (counts.c.count.desc(), counts.c.value)
    most = select(counts.c.value, counts.c.count).where(counts.c.facet == facet.value).order_by(*first)
    held = most.limit(MAX_VALUES).subquery(f"values_{facet.value}")
    one = func.json_build_object("value", held.c.value, "label", _label(facet, held.c.value), "count", held.c.count)
    listed = func.json_agg(aggregate_order_by(one, held.c.count.desc(), held.c.value))
    return select(func.coalesce(listed, func.json_build_array())).scalar_subquery()


def _label(facet: Facet, value: ColumnElement[str]) -> ColumnElement[str]:
    """What people call a value: a vendor by its name, all others as they are."""
    if facet is not Facet.VENDOR:
        return value
    vendor: Any = aliased(Store, name="counted_vendor")
    name = func.coalesce(func.nullif(vendor.dba_name, ""), vendor.company_name)
    return select(name).where(vendor.id == cast(value, Uuid)).scalar_subquery()
