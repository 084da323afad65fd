"""A vendor's cards. Numbers never come here: the browser gives them to Square and us a one-time token."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from shared.billing import cards
from shared.billing.models import PaymentMethod
from shared.identity.callers import VendorCaller, vendor
from shared.identity.permissions import Permission
from shared.kit.db import read_only
from shared.kit.errors import Conflict, InvalidRequest, NotFound, StateConflict
from shared.kit.http import Api, Reply
from shared.kit.idempotency import DAYS_7
from shared.kit.pagination import Order, Page, PageQuery, page_of
from shared.kit.schemas import Request, Response

api = Api("billing-cards", prefix="/api/v1/vendor/payment-methods")

NEWEST_FIRST = Order((PaymentMethod.created_at, PaymentMethod.id))


class CardRequest(Request):
    """A card by the token of Square's Web Payments SDK."""

    source_id: Annotated[str, Field(min_length=1, max_length=500)]
    verification_token: Annotated[str | None, Field(min_length=1, max_length=500)] = None
    cardholder_name: Annotated[str | None, Field(min_length=1, max_length=96)] = None
    is_default: bool = False

    example = {"source_id": "cnon:card-nonce-ok", "cardholder_name": "Rosa Diaz", "is_default": True}


class DefaultCardRequest(Request):
    """There is always one default card: name the next one, and the present one is it no more."""

    is_default: Literal[True]

    example = {"is_default": True}


class PaymentMethodResponse(Response):
    """All that is known of a card."""

    id: UUID
    brand: str
    last4: str
    exp_month: int
    exp_year: int
    is_default: bool
    created_at: datetime


@api.get("", allow=vendor(Permission.BILLING_MANAGE))
def list_cards(vendor: VendorCaller, query: PageQuery) -> Page[PaymentMethodResponse]:
    """The store's cards, newest first."""
    with read_only() as session:
        page = page_of(session, cards.live(vendor.store_id), query, NEWEST_FIRST)
    return page.of([PaymentMethodResponse.model_validate(row[0]) for row in page.items])


@api.post(
    "/cc",
    allow=vendor(Permission.BILLING_MANAGE),
    idempotent=DAYS_7,
    status=201,
    or_status=200,
    raises=(NotFound, StateConflict, InvalidRequest),
)
def add(vendor: VendorCaller, body: CardRequest) -> Reply[PaymentMethodResponse]:
    """Keep a card: 201, or 200 with the one that is there when it is the same card; 422 when it is declined."""
    kept = cards.add_card(
        vendor.store_id,
        source_id=body.source_id,
        verification_token=body.verification_token,
        cardholder_name=body.cardholder_name,
        as_default=body.is_default,
    )
    return Reply(PaymentMethodResponse.model_validate(kept.method), status=201 if kept.is_new else 200)


@api.patch(
    "/<uuid:payment_method_id>",
    allow=vendor(Permission.BILLING_MANAGE),
    raises=(NotFound, StateConflict, InvalidRequest),
)
def make_default(vendor: VendorCaller, payment_method_id: UUID, body: DefaultCardRequest) -> PaymentMethodResponse:  # noqa: ARG001 - the body says one thing
    """Make a card the default, to which the subscription is charged from now on."""
    return PaymentMethodResponse.model_validate(cards.make_default(vendor.store_id, payment_method_id))


@api.delete(
    "/<uuid:payment_method_id>", allow=vendor(Permission.BILLING_MANAGE), raises=(NotFound, Conflict, InvalidRequest)
)
def remove(vendor: VendorCaller, payment_method_id: UUID) -> None:
    """Remove a card; another becomes the default, and without one 409 while a subscription is charged to it."""
    cards.remove_card(vendor.store_id, payment_method_id)
