"""The grid against plain Python: any filters, any order, any facets, page by page, while products are added."""

from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from shared.catalog import search
from shared.kit import db
from tests.builders.stores import a_buyer
from tests.functions.products.market import WORDS, Market, draw_offers, queries

FACETS = ["category", "classification", "strain", "feelings", "flavors", "usage", "vendor_store_id"]
OFFERS, LATER = 30, 4
"""So many products there are at first, and so many are added meanwhile."""

SORTS = ["newest", "price", "-price", "thc", "distance"]
PROPERTY = settings(
    max_examples=50,
    deadline=None,
    # Without shrinking: each try is a market of its own, and a smaller lot is no smaller market.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


def asked(market: Market, query: dict[str, Any]) -> dict[str, Any]:
    """The filters as parameters of the request."""

    def told(name: str, value: Any) -> str:
        if name == "q":
            return " ".join(value)
        if name == "vendor_store_id":
            value = [market.vendors[n].store.id for n in value]
        return ",".join(map(str, value)) if isinstance(value, list) else str(value).lower()

    return {name: told(name, value) for name, value in query.items()}


class Walk:
    """The pages of one list as the grid gives them, each held against the same page of the model."""

    def __init__(self, caller: Any, market: Market, query: dict[str, Any], sort: str, limit: int) -> None:
        self.caller, self.market, self.query, self.sort, self.limit = caller, market, query, sort, limit
        self.parameters = {**asked(market, query), "sort": sort, "limit": limit}

    def key(self, offer: Any) -> tuple[Any, ...]:
        return self.market.key(offer, self.sort, self.query.get("q", ()))

    def ordered(self) -> list[Any]:
        return sorted(self.market.matching(self.query), key=self.key)

    def page(self, cursor: str | None, beyond: Any, *, backwards: bool = False) -> tuple[list[Any], Any]:
        """One page, after checking that it is what comes next past the key `beyond`."""
        reply = self.caller.get(**self.parameters, **({"cursor": cursor} if cursor else {}))
        assert reply.status == 200, reply.json
        here = self.ordered()
        if beyond is not None:
            here = [offer for offer in here if (self.key(offer) < beyond if backwards else self.key(offer) > beyond)]
        wanted = here[-self.limit :] if backwards else here[: self.limit]
        assert [row["id"] for row in reply.data] == [str(offer.id) for offer in wanted]
        onward = reply.page["prev" if backwards else "next"]
        assert (onward is not None) is (len(here) > self.limit)
        return wanted, reply.page


@pytest.fixture(params=[search.WINDOW_ROWS, 3], ids=["within the window", "beyond the window"])
def _window(request, monkeypatch):
    monkeypatch.setattr(search, "WINDOW_ROWS", request.param)


def walked(grid: Any, lot: int, query: dict[str, Any], sort: str, limit: int) -> None:
    """Every page there and back, while between any two a product is added until there are no more to add."""
    drawn = draw_offers(Random(lot), OFFERS + LATER)
    with db.pinned_connection():
        market = Market()
        market.add(drawn[LATER:])
        walk = Walk(grid.as_member(a_buyer()), market, query, sort, limit)
        there_at_first, seen, waiting = walk.ordered(), [], drawn[:LATER]
        rows, page = walk.page(None, None)
        while True:
            seen += rows
            if waiting:
                market.add([waiting.pop()])
            if page["next"] is None:
                break
            rows, page = walk.page(page["next"], walk.key(rows[-1]))
        assert [offer for offer in seen if offer in there_at_first] == there_at_first
        assert len({offer.id for offer in seen}) == len(seen)
        while page["prev"] is not None:
            rows, page = walk.page(page["prev"], walk.key(rows[0]), backwards=True)


LOTS = st.integers(0, 2**32)
ASKED = st.lists(st.sampled_from([*WORDS, "jar", "blue"]), min_size=1, max_size=2, unique=True)


@PROPERTY
@given(lot=LOTS, query=queries(4), sort=st.sampled_from(SORTS), limit=st.integers(2, 7))
@pytest.mark.usefixtures("database")
def test_any_filters_in_any_order_give_what_plain_python_gives(grid, lot, query, sort, limit):
    walked(grid, lot, query, sort, limit)


@PROPERTY
@given(
    lot=LOTS,
    query=queries(1),
    words=ASKED,
    sort=st.sampled_from(["relevance", "relevance", *SORTS]),
    limit=st.integers(2, 7),
)
@pytest.mark.usefixtures("database", "_window")
def test_words_find_the_products_that_hold_all_of_them(grid, lot, query, words, sort, limit):
    walked(grid, lot, query | {"q": words}, sort, limit)


@PROPERTY
@given(
    lot=LOTS,
    query=queries(4),
    words=st.none() | ASKED,
    facets=st.lists(st.sampled_from(FACETS), min_size=1, max_size=3, unique=True),
)
@pytest.mark.usefixtures("database")
def test_totals_and_facets_count_what_plain_python_counts(grid, lot, query, words, facets):
    with db.pinned_connection():
        market = Market()
        market.add(draw_offers(Random(lot), OFFERS))
        wanted = query | ({"q": words} if words else {})
        caller = grid.as_member(a_buyer())

        reply = caller.get(limit=1, include_total="true", facets=",".join(facets), **asked(market, wanted))

        assert reply.json["total"] == len(market.matching(wanted))
        assert reply.json["facets"] == {facet: market.facet(facet, wanted) for facet in facets}
