"""Vendors' codes: when one is good, and how a vendor makes, changes and removes one."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints
from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from shared.catalog.models import PromoKind, VendorPromo
from shared.kit import clock
from shared.kit.db import violated_constraint
from shared.kit.errors import Conflict, InvalidRequest, NotFound
from shared.kit.ids import new_id
from shared.kit.pagination import Order, Page, PageQuery, page_of
from shared.kit.schemas import NOT_NULL, Instant, Request, Response

NEWEST_FIRST = Order((VendorPromo.created_at, VendorPromo.id))

Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{2,39}$")]
Value = Annotated[Decimal, Field(gt=0, lt=100_000_000, decimal_places=4)]
Cents = Annotated[int, Field(ge=0, le=1_000_000_000)]
Times = Annotated[int, Field(ge=1, le=1_000_000_000)]


class CodeTaken(Conflict):
    default_message = "You have a promo with this code, in capital letters or not."

    def __init__(self) -> None:
        super().__init__(details={"reason": "code_taken"})


class PromoRedeemed(Conflict):
    default_message = "Orders used this promo. Deactivate it instead."

    def __init__(self) -> None:
        super().__init__(details={"reason": "promo_redeemed"})


class CreatePromoRequest(Request):
    """`value` is a percentage up to 100 (percent) or whole cents (fixed). Without a beginning it starts now."""

    code: Code
    kind: PromoKind
    value: Value
    min_subtotal_cents: Cents = 0
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    max_redemptions: Times | None = None
    per_buyer_limit: Times | None = None
    is_active: bool = True

    example = {"code": "SPRING10", "kind": "percent", "value": "10", "min_subtotal_cents": 50_000}


class UpdatePromoRequest(Request):
    """What shall change; what is left out stays."""

    code: Annotated[Code | None, NOT_NULL] = None
    kind: Annotated[PromoKind | None, NOT_NULL] = None
    value: Annotated[Value | None, NOT_NULL] = None
    min_subtotal_cents: Annotated[Cents | None, NOT_NULL] = None
    starts_at: Annotated[Instant | None, NOT_NULL] = None
    ends_at: Instant | None = None
    max_redemptions: Times | None = None
    per_buyer_limit: Times | None = None
    is_active: Annotated[bool | None, NOT_NULL] = None

    example = {"is_active": False}


class PromoResponse(Response):
    """A vendor's code and how often orders used it."""

    id: UUID
    code: str
    kind: PromoKind
    value: Decimal
    min_subtotal_cents: int
    starts_at: datetime
    ends_at: datetime | None
    max_redemptions: int | None
    per_buyer_limit: int | None
    redeemed_count: int
    is_active: bool
    created_at: datetime


class PromosQuery(PageQuery):
    """Filters of a vendor's promos. `live` ones are good at this moment."""

    is_active: bool | None = None
    live: bool | None = None


def promo_is_live(at: datetime) -> ColumnElement[bool]:
    """The promo is active, has begun, has not ended, and is not used up."""
    return and_(
        VendorPromo.is_active,
        VendorPromo.starts_at <= at,
        or_(VendorPromo.ends_at.is_(None), VendorPromo.ends_at > at),
        or_(VendorPromo.max_redemptions.is_(None), VendorPromo.redeemed_count < VendorPromo.max_redemptions),
    )


def list_promos(session: Session, store_id: UUID, query: PromosQuery) -> Page[PromoResponse]:
    """A vendor's promos, the newest first."""
    statement = select(VendorPromo).where(VendorPromo.store_id == store_id)
    if query.is_active is not None:
        statement = statement.where(VendorPromo.is_active == query.is_active)
    if query.live is not None:
        live = promo_is_live(clock.now())
        statement = statement.where(live if query.live else ~live)
    page = page_of(session, statement, query, NEWEST_FIRST)
    return page.of([PromoResponse.model_validate(row[0]) for row in page.items])


def create_promo(session: Session, store_id: UUID, wanted: CreatePromoRequest) -> VendorPromo:
    """A new promo. Raises CodeTaken, InvalidRequest for a value or a period that makes no sense."""
    promo = VendorPromo(id=new_id(), store_id=store_id, redeemed_count=0, **wanted.model_dump())
    promo.starts_at = wanted.starts_at or clock.now()
    _refuse_nonsense(promo)
    session.add(promo)
    _flush(session)
    return promo


def update_promo(session: Session, store_id: UUID, promo_id: UUID, wanted: UpdatePromoRequest) -> VendorPromo:
    """Change what was given. Raises NotFound, CodeTaken, InvalidRequest."""
    promo = lock_promo(session, store_id, promo_id)
    for name in wanted.model_fields_set:
        setattr(promo, name, getattr(wanted, name))
    _refuse_nonsense(promo)
    _flush(session)
    return promo


def delete_promo(session: Session, store_id: UUID, promo_id: UUID) -> None:
    """Remove a promo that no order used. Raises NotFound, PromoRedeemed."""
    promo = lock_promo(session, store_id, promo_id)
    if promo.redeemed_count:
        raise PromoRedeemed
    session.delete(promo)


def lock_promo(session: Session, store_id: UUID, promo_id: UUID) -> VendorPromo:
    """A vendor's promo, held until the transaction ends, so that no order uses it meanwhile. Raises NotFound."""
    promo = session.scalar(
        select(VendorPromo).where(VendorPromo.id == promo_id, VendorPromo.store_id == store_id).with_for_update()
    )
    if promo is None:
        raise NotFound
    return promo


def _refuse_nonsense(promo: VendorPromo) -> None:
    if promo.kind is PromoKind.PERCENT and promo.value > 100:
        raise InvalidRequest.field("value", "A percentage is at most 100.")
    if promo.kind is PromoKind.FIXED and promo.value != promo.value.to_integral_value():
        raise InvalidRequest.field("value", "A fixed amount is in whole cents.")
    if promo.ends_at is not None and promo.ends_at <= promo.starts_at:
        raise InvalidRequest.field("ends_at", "It would end before it begins.")
    if promo.max_redemptions is not None and promo.max_redemptions < promo.redeemed_count:
        raise InvalidRequest.field("max_redemptions", "Orders used it more often than that.")


def _flush(session: Session) -> None:
    try:
        session.flush()
    except DBAPIError as error:
        if violated_constraint(error) == "uq_vendor_promos_store_id_code":
            raise CodeTaken from error
        raise
