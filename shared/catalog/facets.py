"""How many products of a list have each category, strain, vendor …, to choose from.

A facet ignores its own filter, so that it also counts what could be chosen instead.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, Select, String, cast, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import aliased

from shared.catalog.filters import ProductFilters, conditions
from shared.catalog.models import Product
from shared.catalog.visibility import visible_product
from shared.catalog.words import anywhere
from shared.identity.models import Store

MAX_VALUES = 100
"""The most frequent values of a facet that are told."""


class Facet(StrEnum):
    CATEGORY = "category"
    CLASSIFICATION = "classification"
    STRAIN = "strain"
    FEELINGS = "feelings"
    FLAVORS = "flavors"
    USAGE = "usage"
    VENDOR = "vendor_store_id"


_LISTS = frozenset({Facet.FEELINGS, Facet.FLAVORS, Facet.USAGE})


def matching(
    buyer_store_id: UUID,
    filters: ProductFilters,
    facets: Sequence[Facet],
    at: datetime,
    wanted: ColumnElement[Any] | None,
) -> CTE:
    """The traits of all visible products that pass the filters, except for the filters that are facets.

    Only those traits that `facets` count or that the filters look at; an index holds all of them, so that no
    product is read. The vendor's name comes from the vendor, for it is in no index.
    """
    buyer: Any = aliased(Store, name="counting_buyer")
    needed = {Facet.VENDOR, *facets, *(facet for facet in Facet if getattr(filters, facet.value))}
    traits = [Product.__table__.columns[facet.value] for facet in Facet if facet in needed]
    found = (
        select(*traits, func.coalesce(func.nullif(Store.dba_name, ""), Store.company_name).label("vendor_name"))
        .join(Store, Store.id == Product.vendor_store_id)
        .join(buyer, buyer.id == buyer_store_id)
        .where(visible_product(buyer), *conditions(filters, at, but=list(Facet)))
    )
    return (found if wanted is None else found.where(anywhere(wanted))).cte("matching")


def total(found: CTE, filters: ProductFilters, at: datetime) -> ColumnElement[int]:
    """How many products pass all filters."""
    narrowed = conditions(filters, at, found.c, only=list(Facet))
    return select(func.count()).select_from(found).where(*narrowed).scalar_subquery()


def counts(found: CTE, facets: Sequence[Facet], filters: ProductFilters, at: datetime) -> list[ColumnElement[Any]]:
    """For each facet a JSON list of `{value, label, count}`, the most frequent first; labelled by the facet."""
    return [_told(facet, _values(facet, found, filters, at)).label(f"facet_{facet.value}") for facet in facets]


def _values(facet: Facet, found: CTE, filters: ProductFilters, at: datetime) -> Select[Any]:
    others = [other for other in Facet if other is not facet]
    column = found.c[facet.value]
    value = (func.unnest(column) if facet in _LISTS else cast(column, String)).label("value")
    label = (found.c.vendor_name if facet is Facet.VENDOR else value).label("label")
    count = func.count().label("count")
    return (
        select(value, label, count)
        .where(*conditions(filters, at, found.c, only=others), column.is_not(None))
        .group_by(value, label)
        .order_by(count.desc(), value)
        .limit(MAX_VALUES)
    )


def _told(facet: Facet, values: Select[Any]) -> Any:
    held = values.subquery(f"values_{facet.value}")
    one = func.json_build_object("value", held.c.value, "label", held.c.label, "count", held.c.count)
    listed = func.json_agg(aggregate_order_by(one, held.c.count.desc(), held.c.value))
    return select(func.coalesce(listed, func.json_build_array())).scalar_subquery()
