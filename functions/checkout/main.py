"""Checkout: a cart becomes vendor orders, once, however often it is asked for.

Serves /api/v1/checkout. Publishes order_created and checkout_converted.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from shared.identity.addresses import WrittenAddress
from shared.identity.callers import BuyerCaller, buyer
from shared.identity.permissions import Permission
from shared.kit.db import read_only, transaction
from shared.kit.errors import Conflict, Forbidden, NotFound, StateConflict
from shared.kit.http import Api, Reply
from shared.kit.idempotency import DAYS_7
from shared.kit.limits import Limit, per_store
from shared.kit.schemas import Request, Response
from shared.operations.flags import Flag, flag
from shared.orders.checkout import convert
from shared.orders.confirmation import get_confirmation
from shared.orders.drafting import Confirmed, Conversion
from shared.orders.models import IntentStatus, LineStatus, OrderStatus, PaymentMethod
from shared.orders.shipping import OPTIONS, get_option

CHECKOUT_LIMIT = Limit("checkout", "10/minute", per_store)

api = Api("checkout", prefix="/api/v1/checkout")


class ShippingLineRequest(Request):
    """The code of a shipping option; its price is the server's."""

    code: str = Field(min_length=1, max_length=50)

    example = {"code": "agent_standard"}


class CheckoutRequest(Request):
    """Which cart, where to, and how it is paid. Where it is delivered need not be on the map."""

    cart_id: UUID
    shipping_address: WrittenAddress
    payment_method: PaymentMethod
    shipping_line: ShippingLineRequest | None = None
    buyer_notes: Annotated[str | None, Field(max_length=1_000)] = None

    example = {
        "cart_id": "01980000-0000-7000-8000-000000000001",
        "shipping_address": WrittenAddress.example,
        "payment_method": "cash",
        "shipping_line": ShippingLineRequest.example,
    }

    def confirmed(self, *, lines_fall_back: bool) -> Confirmed:
        """What the buyer confirms. Raises InvalidRequest for an unknown shipping code."""
        option = get_option(self.shipping_line.code if self.shipping_line else None)
        return Confirmed(self.shipping_address, self.payment_method, option, self.buyer_notes, lines_fall_back)


class LineResponse(Response):
    """One product of an order, as it was quoted, in its current state."""

    id: UUID
    product_id: UUID
    cart_item_id: UUID | None
    status: LineStatus
    rejection_reason: str | None
    title: str
    sku: str
    category: str | None
    strain: str | None
    classification: str | None
    unit: str | None
    thumbnail_url: str | None
    thc_percent: Decimal | None
    cbd_percent: Decimal | None
    qty: int
    unit_price_cents: int
    tier_min_qty: int | None
    tier_percent: Decimal | None
    line_subtotal_cents: int
    line_discount_cents: int
    line_total_cents: int
    warnings: list[dict[str, Any]]


class PaymentIntentResponse(Response):
    method: PaymentMethod
    status: IntentStatus
    amount_cents: int


class OrderResponse(Response):
    """One vendor's part of the checkout, in its current state."""

    id: UUID
    order_number: int
    vendor_store_id: UUID
    status: OrderStatus
    subtotal_cents: int
    line_discounts_cents: int
    promo_discount_cents: int
    total_cents: int
    balance_due_cents: int
    promo_code: str | None
    payment_intent: PaymentIntentResponse
    lines: list[LineResponse]


class RejectedVendorResponse(Response):
    """A vendor of the cart that got no order, and why."""

    vendor_store_id: UUID
    vendor_name: str
    reason: str


class CheckoutResponse(Response):
    """All that came of a cart."""

    checkout_group_id: UUID
    cart_id: UUID
    vendor_orders: list[OrderResponse]
    rejected_vendors: list[RejectedVendorResponse]
    shipping_address: dict[str, Any]
    payment_method: PaymentMethod
    shipping_line: dict[str, Any]
    buyer_notes: str | None
    currency: str
    subtotal_cents: int
    discounts_cents: int
    total_cents: int
    converted_at: datetime

    @classmethod
    def of(cls, conversion: Conversion) -> "CheckoutResponse":
        """A conversion as it is shown."""
        cart, orders = conversion.cart, conversion.orders
        subtotal = sum(order["subtotal_cents"] for order in orders)
        total = sum(order["total_cents"] for order in orders)
        return cls.of_row(
            cart,
            cart_id=cart["id"],
            subtotal_cents=subtotal,
            discounts_cents=subtotal - total,
            total_cents=total,
            vendor_orders=[
                OrderResponse.of_row(
                    order,
                    payment_intent=PaymentIntentResponse.of_row(intent),
                    lines=[LineResponse.of_row(line) for line in conversion.lines_of(order)],
                )
                for order, intent in zip(orders, conversion.intents, strict=True)
            ],
        )


class ShippingOptionResponse(Response):
    code: str
    label: str
    price_cents: int


@api.post(
    "",
    allow=buyer(Permission.CHECKOUT),
    idempotent=DAYS_7,
    limit=CHECKOUT_LIMIT,
    status=201,
    or_status=200,
    raises=(NotFound, Forbidden, Conflict, StateConflict),
)
def check_out(caller: BuyerCaller, body: CheckoutRequest) -> Reply[CheckoutResponse]:
    """Turn a cart into one order per vendor, once: 201 the first time, 200 with the same orders ever after."""
    confirmed = body.confirmed(lines_fall_back=flag(Flag.ADS_LINE_FALLBACK, caller.store_id))
    if body.payment_method is PaymentMethod.ACH and not flag(Flag.ALLOW_ACH, caller.store_id):
        raise StateConflict("ACH is not open yet.", details={"reason": "ach_not_allowed"})
    with transaction() as session:
        conversion = convert(session, caller.store_id, body.cart_id, confirmed)
        if conversion is not None:
            return Reply(CheckoutResponse.of(conversion))
        former = get_confirmation(session, caller.store_id, body.cart_id)
        return Reply(CheckoutResponse.of(former), status=200)


@api.get("/shipping-options", allow=buyer(Permission.CART_WRITE))
def list_shipping_options(caller: BuyerCaller) -> list[ShippingOptionResponse]:  # noqa: ARG001 - the same for all
    """The ways an order can be delivered, with their prices."""
    return [ShippingOptionResponse.model_validate(option) for option in OPTIONS]


@api.get("/<uuid:group_or_cart_id>/confirmation", allow=buyer(Permission.ORDERS_READ), raises=(NotFound,))
def show_confirmation(caller: BuyerCaller, group_or_cart_id: UUID) -> CheckoutResponse:
    """What came of a checkout, with current states; found by checkout group or cart."""
    with read_only() as session:
        return CheckoutResponse.of(get_confirmation(session, caller.store_id, group_or_cart_id))


main = api.entry_point()
