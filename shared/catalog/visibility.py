"""Who sees what: the one predicate behind browse, detail, directory, quote and ads.

A product is visible to a buyer when it is offered and its vendor sells to the buyer. The pieces are
SQL expressions over `Product` and `Store` (the vendor), to be joined by `Product.vendor_store_id`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Double,
    RowMapping,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    not_,
    select,
)
from sqlalchemy.orm import Session

from shared.catalog.models import Product
from shared.identity.models import Geography, KycStatus, Store
from shared.identity.permissions import StoreType
from shared.kit.errors import NotFound


class VendorRefusal(StrEnum):
    """Why a vendor does not sell to a buyer, in the order in which one of several is told."""

    DELETED = "deleted"
    SUSPENDED = "suspended"
    LICENSE_INVALID = "license_invalid"
    NOT_SUBSCRIBED = "not_subscribed"
    OTHER_STATE = "other_state"
    OUT_OF_RADIUS = "out_of_radius"


class Spot(Protocol):
    """A position, as SQL."""

    @property
    def geom(self) -> Any: ...


class Standpoint(Spot, Protocol):
    """Where a buyer stands, as SQL: values that were loaded before, or the row of its store (an alias)."""

    @property
    def state(self) -> Any: ...


@dataclass(frozen=True)
class Position:
    """A position in degrees (WGS 84)."""

    lat: float
    lng: float

    @property
    def geom(self) -> ColumnElement[Any]:
        """The position as PostGIS geography."""
        return _point(self.lng, self.lat)


@dataclass(frozen=True)
class BuyerPlace:
    """Where a buyer store is: its state's two letters and its position in degrees (WGS 84)."""

    store_id: UUID
    state: str
    lat: float
    lng: float

    @property
    def geom(self) -> ColumnElement[Any]:
        """The position as PostGIS geography."""
        return _point(self.lng, self.lat)

    @property
    def parameters(self) -> dict[str, Any]:
        """What `ANY_BUYER` leaves open."""
        return {"buyer_state": self.state, "buyer_lat": self.lat, "buyer_lng": self.lng}


def _point(lng: Any, lat: Any) -> ColumnElement[Any]:
    return cast(func.ST_SetSRID(func.ST_MakePoint(lng, lat), 4326), Geography())


class _AnyBuyer:
    state = bindparam("buyer_state", type_=Text())
    geom = _point(bindparam("buyer_lng", type_=Double()), bindparam("buyer_lat", type_=Double()))


ANY_BUYER: Standpoint = _AnyBuyer()
"""A standpoint for statements that are built once and executed with the `parameters` of a `BuyerPlace`."""


def get_buyer_place(session: Session, store_id: UUID) -> BuyerPlace:
    """Where this buyer store is. Raises NotFound."""
    return locate(session, store_id)[0]


def locate(
    session: Session, store_id: UUID, *more: ColumnElement[Any], given: Sequence[ColumnElement[bool]] = ()
) -> tuple[BuyerPlace, RowMapping]:
    """Where this buyer store is, and what else is asked in the same breath: `more` columns, by their labels.

    Both may look at the store as `Store`. Raises NotFound, also when one of the conditions `given` does not hold.
    """
    row = session.execute(
        select(Store.id, Store.state, Store.lat, Store.lng, *more).where(
            Store.id == store_id, Store.deleted_at.is_(None), *given
        )
    ).one_or_none()
    if row is None:
        raise NotFound
    return BuyerPlace(*row[:4]), row._mapping


def product_offered() -> ColumnElement[bool]:
    """The vendor offers the product: it is active and not archived."""
    return and_(Product.is_active, Product.deleted_at.is_(None))


def vendor_refusals(buyer: Standpoint, vendor: Any = Store) -> dict[VendorRefusal, ColumnElement[bool]]:
    """What stands between a vendor and this buyer: a condition per reason, true when the reason holds."""
    return {
        VendorRefusal.DELETED: vendor.deleted_at.is_not(None),
        VendorRefusal.SUSPENDED: vendor.kyc_status == KycStatus.SUSPENDED,
        VendorRefusal.LICENSE_INVALID: vendor.kyc_status.not_in([KycStatus.VERIFIED, KycStatus.SUSPENDED]),
        VendorRefusal.NOT_SUBSCRIBED: not_(vendor.subscription_active),
        VendorRefusal.OTHER_STATE: vendor.state != buyer.state,
        VendorRefusal.OUT_OF_RADIUS: not_(delivers_to(buyer, vendor)),
    }


def vendor_refusal(buyer: Standpoint, vendor: Any = Store) -> ColumnElement[str | None]:
    """The first reason why the vendor does not sell to this buyer (a `VendorRefusal`), null when it does."""
    reasons = vendor_refusals(buyer, vendor)
    return case(*((holds, literal(reason.value)) for reason, holds in reasons.items()), else_=None)


def vendor_sells_to(buyer: Standpoint, vendor: Any = Store) -> ColumnElement[bool]:
    """The vendor is verified, subscribed, not deleted, in the buyer's state and, with a radius, near enough."""
    return and_(
        vendor.type == StoreType.VENDOR,
        vendor.kyc_status == KycStatus.VERIFIED,
        vendor.subscription_active,
        vendor.deleted_at.is_(None),
        vendor.state == buyer.state,
        delivers_to(buyer, vendor),
    )


def visible_product(buyer: Standpoint, vendor: Any = Store) -> ColumnElement[bool]:
    """The buyer sees the product; `vendor` is the joined row of its store."""
    return and_(product_offered(), vendor.id == Product.vendor_store_id, vendor_sells_to(buyer, vendor))


def distance_meters(spot: Spot, vendor: Any = Store) -> ColumnElement[float]:
    """How far the vendor is from a spot, along the earth's surface."""
    return func.ST_Distance(vendor.geom, spot.geom, type_=Double())


def delivers_to(spot: Spot, vendor: Any = Store) -> ColumnElement[bool]:
    """The vendor delivers anywhere, or the spot is within its radius."""
    return func.delivers_to(vendor.geom, vendor.delivery_radius_meters, spot.geom, type_=Boolean())
