"""Finding a page of products by following an index in the order wanted, or the vendors from the nearest on.

Only the ids are found here: the indexes hold what most filters ask for, so that products which do not
pass are not even read. The page's own columns are joined to what is left.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Double, Select, Subquery, Uuid, column, false, func, select, true

from shared.catalog.models import Product
from shared.catalog.sorting import Sort, order_by
from shared.catalog.visibility import BuyerPlace, distance_meters, product_offered, vendor_sells_to
from shared.identity.models import Store
from shared.kit.pagination import Order, Seek

# The bare columns, as in a search: mapped attributes make the building of statements slow.
PRODUCTS, STORES = Product.__table__, Store.__table__

Conditions = Callable[[Any], Sequence[ColumnElement[bool]]]


@dataclass(frozen=True)
class Walk:
    """The products that a buyer sees, in an order, narrowed by `conditions` on the product."""

    place: BuyerPlace
    sort: Sort
    conditions: Conditions

    @property
    def order(self) -> Order:
        """The order of the hits, by the names of their columns."""
        if self.sort is Sort.DISTANCE:
            return Order((column("hit_distance", Double()), column("hit_vendor", Uuid()), _HIT_ID), descending=False)
        sorts = order_by(self.sort, PRODUCTS.c)
        return Order((column("hit_key", sorts.keys[0].type), _HIT_ID), descending=sorts.descending)

    def hits(self, seek: Seek) -> Subquery:
        """The products of one page: `hit_id`, and what they are sorted by."""
        found, order = self._nearest_first() if self.sort is Sort.DISTANCE else self._by_index()
        return order.sought(found.where(product_offered(), *self.conditions(PRODUCTS.c)), seek).subquery("hits")

    def _by_index(self) -> tuple[Select[Any], Order]:
        order = order_by(self.sort, PRODUCTS.c)
        # Asked of each product, not joined: else the planner may go from vendor to vendor through all they have.
        seller = select(true()).where(STORES.c.id == PRODUCTS.c.vendor_store_id, vendor_sells_to(self.place, STORES.c))
        sells = func.coalesce(seller.limit(1).scalar_subquery(), false())
        return select(order.keys[0].label("hit_key"), PRODUCTS.c.id.label("hit_id")).where(sells), order

    def _nearest_first(self) -> tuple[Select[Any], Order]:
        distance = distance_meters(self.place, STORES.c).label("distance")
        sells = vendor_sells_to(self.place, STORES.c)
        # OFFSET keeps the planner from dissolving the sorted vendors, so that it reads the nearest's products first.
        vendors = select(STORES.c.id, distance).where(sells).order_by(distance, STORES.c.id).offset(0)
        nearest = vendors.subquery("nearest")
        found = select(
            nearest.c.distance.label("hit_distance"), nearest.c.id.label("hit_vendor"), PRODUCTS.c.id.label("hit_id")
        ).join(PRODUCTS, PRODUCTS.c.vendor_store_id == nearest.c.id)
        return found, Order((nearest.c.distance, nearest.c.id, PRODUCTS.c.id), descending=False, grouped=True)


_HIT_ID: ColumnElement[Any] = column("hit_id", Uuid())
