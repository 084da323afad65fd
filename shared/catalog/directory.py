"""The vendors who sell to a buyer, as a list to choose from and one by one.

Whom a buyer sees follows from where its store is. Distances are measured from there as well, or from a position
that is given, such as that of a second location.
"""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field
from sqlalchemy import ARRAY, Boolean, ColumnElement, Double, Text, cast, func, literal_column, or_, select
from sqlalchemy.orm import Session, aliased

from shared.catalog.models import Category
from shared.catalog.summaries import RatingResponse
from shared.catalog.visibility import (
    Position,
    Spot,
    delivers_to,
    distance_meters,
    get_buyer_place,
    locate,
    vendor_sells_to,
)
from shared.identity.models import Store
from shared.identity.pictures import picture_url
from shared.identity.schemas import SocialLinks
from shared.kit.errors import InvalidRequest, NotFound
from shared.kit.pagination import Order, Page, PageQuery, page_of
from shared.kit.schemas import Query, Response

Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Radius = Annotated[int, Field(ge=1, le=1_000_000)]


class VendorSort(StrEnum):
    """`distance` is nearest first, `rating` best first and among equals the most rated, `name` from A to Z."""

    DISTANCE = "distance"
    RATING = "rating"
    NAME = "name"


class OriginQuery(Query):
    """From where distances are measured, in degrees (WGS 84); without it, from the buyer's store."""

    lat: Latitude | None = None
    lng: Longitude | None = None

    def origin(self, buyer: Spot) -> Spot:
        """The position that was given, else the buyer's. Raises InvalidRequest for half of one."""
        if self.lat is None and self.lng is None:
            return buyer
        if self.lat is None or self.lng is None:
            raise InvalidRequest.field("lat" if self.lat is None else "lng", "Give lat and lng together.")
        return Position(self.lat, self.lng)


class VendorsQuery(PageQuery, OriginQuery):
    """Vendors within `radius_m` of the origin, of any of the categories; `q` is part of a name or a city."""

    radius_m: Radius | None = None
    categories: list[Category] = []
    q: str | None = Field(default=None, min_length=1, max_length=100)
    sort: VendorSort = VendorSort.DISTANCE


class VendorRowResponse(Response):
    """A vendor in the directory; `distance_meters` along the earth's surface."""

    id: UUID
    name: str
    slug: str
    logo_url: str | None
    banner_url: str | None
    city: str
    state: str
    categories: list[Category]
    distance_meters: int
    rating: RatingResponse

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """From a row of `_vendors`."""
        rating = RatingResponse.of(row["rating_count"], row["rating_sum"])
        return cls.of_row(row, rating=rating, distance_meters=round(row["distance_meters"]))


class VendorResponse(VendorRowResponse):
    """The head of a vendor's storefront. `delivery_radius_meters` 0 means anywhere in its state.

    `delivers` says whether it delivers to the origin; to the buyer's store it does, as it would not be seen otherwise.
    """

    description: str | None
    social_links: SocialLinks
    delivery_radius_meters: int
    delivers: bool


def list_vendors(session: Session, buyer_store_id: UUID, query: VendorsQuery) -> Page[VendorRowResponse]:
    """One page of the vendors that this buyer sees. Raises InvalidRequest, and NotFound for a deleted store."""
    place, told = locate(session, buyer_store_id, *([_count(query)] if query.include_total else []))
    origin = query.origin(place)
    found = select(*_columns(origin)).where(vendor_sells_to(place), *_conditions(query, origin))
    page = page_of(session, found, query.model_copy(update={"include_total": False}), _order(query.sort, origin))
    rows = [VendorRowResponse.of(dict(row._mapping)) for row in page.items]
    return replace(page.of(rows), total=told.get("total"))


def get_vendor(session: Session, buyer_store_id: UUID, id_or_slug: str, query: OriginQuery) -> VendorResponse:
    """A vendor that this buyer sees. Raises InvalidRequest, and NotFound for every other."""
    place = get_buyer_place(session, buyer_store_id)
    origin = query.origin(place)
    more = (Store.description, Store.social_links, Store.delivery_radius_meters, delivers_to(origin).label("delivers"))
    found = select(*_columns(origin), *more).where(vendor_sells_to(place), _is_called(id_or_slug))
    row = session.execute(found).one_or_none()
    if row is None:
        raise NotFound
    return VendorResponse.of(dict(row._mapping))


def _is_called(id_or_slug: str) -> ColumnElement[bool]:
    try:
        return Store.id == UUID(id_or_slug)
    except ValueError:
        return Store.slug == id_or_slug


def _columns(origin: Spot) -> list[Any]:
    return [
        *(Store.id, Store.slug, Store.city, Store.state, Store.categories, Store.rating_count, Store.rating_sum),
        _name(Store).label("name"),
        picture_url(Store.logo_media_id).label("logo_url"),
        picture_url(Store.banner_media_id).label("banner_url"),
        distance_meters(origin).label("distance_meters"),
    ]


def _count(query: VendorsQuery) -> ColumnElement[int]:
    """How many vendors there are for the store that is asked about, as a column of its row."""
    vendor: Any = aliased(Store, name="vendor")
    here: Any = Store
    counted = select(func.count(vendor.id)).where(
        vendor_sells_to(here, vendor), *_conditions(query, query.origin(here), vendor)
    )
    return counted.correlate(Store).scalar_subquery().label("total")


def _conditions(query: VendorsQuery, origin: Spot, vendor: Any = Store) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if query.radius_m is not None:
        conditions.append(func.ST_DWithin(vendor.geom, origin.geom, query.radius_m, type_=Boolean()))
    if query.categories:
        wanted = cast([category.value for category in query.categories], ARRAY(Text))
        conditions.append(vendor.categories.has_any(wanted))
    if query.q is not None:
        conditions.append(or_(*(part.icontains(query.q, autoescape=True) for part in (_name(vendor), vendor.city))))
    return conditions


def _order(sort: VendorSort, origin: Spot) -> Order:
    match sort:
        case VendorSort.DISTANCE:
            return Order((distance_meters(origin), Store.id), descending=False)
        case VendorSort.RATING:
            count: ColumnElement[float] = func.greatest(
                cast(Store.rating_count, Double), literal_column("1"), type_=Double()
            )
            average = cast(Store.rating_sum, Double) / count
            return Order((average, Store.rating_count, Store.id))
        case VendorSort.NAME:
            return Order((func.lower(_name(Store), type_=Text()), Store.id), descending=False)


def _name(vendor: Any) -> ColumnElement[str]:
    return func.coalesce(vendor.dba_name, vendor.company_name, type_=Text())
