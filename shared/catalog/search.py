"""Finding a page of products by words among a million, whether the words are common or rare.

Ordering all matches of a common word reads them all, and following an index in order until enough
products hold a rare word reads everything. Neither can be left to the planner's guess, since words
and filters depend on one another. So one statement first looks through a window of products in the
order wanted; only when that does not fill the page, it asks the index of words for all matches.
By relevance, products that hold all words in their name come first, then the others, each newest first.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import CTE, ColumnElement, Integer, Select, Uuid, column, func, literal, not_, select, true, union_all

from shared.catalog import words
from shared.catalog.filters import SORTED, TRAITS
from shared.catalog.models import Product
from shared.catalog.sorting import Sort, order_by
from shared.catalog.visibility import BuyerPlace, product_offered, vendor_sells_to
from shared.identity.models import Store
from shared.kit.pagination import Order, Seek

WINDOW_ROWS = 8_000
"""Fills a page with a word that one visible product in 300 holds.

A rarer word costs two windows in vain and then its matches, of which there are 5,000 at most among a million: at
this size, both take about as long.
"""

# The bare columns: statements of this size are built for each request, which mapped attributes make slow.
PRODUCTS, STORES = Product.__table__, Store.__table__

Matches = Callable[[Any], ColumnElement[bool]]
Conditions = Callable[[Any], Sequence[ColumnElement[bool]]]


@dataclass(frozen=True)
class Lane:
    """Products that match in one way; those of a greater `rank` come first."""

    rank: int
    matches: Matches


def lanes_of(sort: Sort, wanted: ColumnElement[Any]) -> list[Lane]:
    """The ways to match, best first."""
    if sort is not Sort.RELEVANCE:
        return [Lane(0, lambda product: words.anywhere(wanted, product))]
    return [
        Lane(1, lambda product: words.in_name(wanted, product)),
        Lane(0, lambda product: words.only_elsewhere(wanted, product)),
    ]


@dataclass(frozen=True)
class WordSearch:
    """A search for `wanted` words (a tsquery) by a buyer, narrowed by `conditions` on the product."""

    place: BuyerPlace
    sort: Sort
    wanted: ColumnElement[Any]
    conditions: Conditions

    @property
    def order(self) -> Order:
        """The order of the hits: the rank, then what the sort says."""
        key, _ = order_by(self.sort).keys
        columns = (column("hit_rank", Integer()), column("hit_key", key.type), column("hit_id", Uuid()))
        return Order(columns, descending=order_by(self.sort).descending)

    def hits(self, seek: Seek) -> CTE:
        """The products of one page, in no order: `hit_rank`, `hit_key` (what the sort looks at) and `hit_id`."""
        lanes = lanes_of(self.sort, self.wanted)
        if seek.backwards:
            lanes.reverse()
        rank = int(seek.values[0]) if seek.values else None
        found: list[CTE] = []
        for lane in lanes:
            if rank is None or (lane.rank >= rank if seek.backwards else lane.rank <= rank):
                bound = seek.values[1:] if seek.values and lane.rank == rank else None
                found.append(self._lane(lane, replace(seek, values=bound), found))
        return union_all(*(select(part) for part in found)).cte("hits")

    def _lane(self, lane: Lane, seek: Seek, before: Sequence[CTE]) -> CTE:
        """What the window gives when it fills the page, and otherwise what the index gives."""
        near = _kept(self._near(lane, seek, before), f"near_{lane.rank}")
        every = _kept(self._every(lane, seek, [*before, near]), f"every_{lane.rank}")
        enough = select(near).where(not_(_unfilled([*before, near], seek.limit)))
        first = self._visible(lane, every.c, seek)
        return union_all(enough, select(first.subquery())).cte(f"lane_{lane.rank}")

    def _near(self, lane: Lane, seek: Seek, before: Sequence[CTE]) -> Select[Any]:
        """Visible matches within the window, when earlier lanes have not filled the page."""
        ahead = select(*(PRODUCTS.c[name] for name in TRAITS)).where(product_offered())
        window = order_by(self.sort, PRODUCTS.c).sought(ahead, replace(seek, limit=WINDOW_ROWS))
        product = window.subquery(f"window_{lane.rank}").c
        matches = self._visible(lane, product, seek)
        return matches.where(lane.matches(product), *self.conditions(product), _unfilled(before, seek.limit))

    def _every(self, lane: Lane, seek: Seek, before: Sequence[CTE]) -> Select[Any]:
        """Every match further on, visible or not, when the page is still not full.

        Without the vendors, since the planner would ask the index of words again for each of them.
        """
        order = order_by(self.sort, PRODUCTS.c)
        matches = select(*(PRODUCTS.c[name] for name in SORTED)).where(
            product_offered(), lane.matches(PRODUCTS.c), *self.conditions(PRODUCTS.c), _unfilled(before, seek.limit)
        )
        return matches if seek.values is None else matches.where(order.beyond(seek.values, backwards=seek.backwards))

    def _visible(self, lane: Lane, product: Any, seek: Seek) -> Select[Any]:
        """The first of these products that the buyer sees."""
        order = order_by(self.sort, product)
        key, product_id = order.keys
        return (
            select(literal(lane.rank).label("hit_rank"), key.label("hit_key"), product_id.label("hit_id"))
            .join(STORES, STORES.c.id == product.vendor_store_id)
            .where(vendor_sells_to(self.place, STORES.c))
            .order_by(*order.clauses(backwards=seek.backwards))
            .limit(seek.limit)
        )


def _kept(part: Select[Any], name: str) -> CTE:
    """A part that is computed by itself, at most once, whatever is read of it."""
    return part.cte(name).prefix_with("MATERIALIZED")


def _unfilled(before: Sequence[CTE], limit: int) -> ColumnElement[bool]:
    """That what was found before does not fill the page; evaluated once, and before anything is read."""
    counts = [select(func.count()).select_from(part).scalar_subquery() for part in before]
    return sum(counts, start=literal(0)) < limit if counts else true()
