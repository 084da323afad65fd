"""The buyer's cart: ask what an intent costs, look at the answer again, drop it.

Serves /api/v1/cart. A quote never touches stock.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from shared.identity.callers import BuyerCaller, buyer
from shared.identity.permissions import Permission
from shared.kit import clock
from shared.kit.db import read_only, transaction
from shared.kit.errors import Forbidden, NotFound
from shared.kit.http import Api
from shared.kit.idempotency import DAY_1
from shared.kit.limits import Limit, per_store
from shared.kit.schemas import Query, Response
from shared.orders import carts, quoting
from shared.orders.carts import CartRows
from shared.orders.intent import QuoteRequest
from shared.orders.models import CartStatus, GroupStatus, ItemStatus

QUOTE_LIMIT = Limit("cart_quote", "60/minute", per_store)

api = Api("cart", prefix="/api/v1/cart")


class CartQuery(Query):
    """`refresh=true` prices the cart again from its intent."""

    refresh: bool = False


class WarningResponse(Response):
    type: str
    message: str
    details: dict[str, Any]


class CartItemResponse(Response):
    """One product. `qty` is what is priced, `requested_qty` what was asked for."""

    id: UUID
    product_id: UUID
    vendor_store_id: UUID | None
    status: ItemStatus
    requested_qty: int
    qty: int
    title: str
    sku: str
    category: str | None
    strain: str | None
    classification: str | None
    unit: str | None
    thumbnail_url: str | None
    thc_percent: Decimal | None
    cbd_percent: Decimal | None
    moq: int
    max_qty: int | None
    unit_price_cents: int
    tier_min_qty: int | None
    tier_percent: Decimal | None
    line_subtotal_cents: int
    line_discount_cents: int
    line_total_cents: int
    warnings: list[WarningResponse]


class CartGroupResponse(Response):
    """One vendor's part, over its `ok` items."""

    vendor_store_id: UUID
    vendor_name: str
    status: GroupStatus
    subtotal_cents: int
    line_discounts_cents: int
    promo_discount_cents: int
    total_cents: int
    promo_code: str | None
    warnings: list[WarningResponse]


class CartResponse(Response):
    """The whole quote. `expired` tells that `valid_until` has passed; `attribution_tokens` are those that were kept."""

    id: UUID
    status: CartStatus
    expired: bool
    valid_until: datetime
    currency: str
    subtotal_cents: int
    discounts_cents: int
    total_cents: int
    items: list[CartItemResponse]
    vendor_groups: list[CartGroupResponse]
    warnings: list[WarningResponse]
    attribution_tokens: list[str]
    shipping_address: dict[str, Any] | None
    created_at: datetime

    @classmethod
    def of(cls, held: CartRows) -> "CartResponse":
        """A stored cart as it is shown."""
        return cls.of_row(
            held.cart,
            expired=clock.now() >= held.cart["valid_until"],
            items=[CartItemResponse.of_row(item) for item in held.items],
            vendor_groups=[CartGroupResponse.of_row(group) for group in held.groups],
            attribution_tokens=[kept["token"] for kept in held.cart["attribution_tokens"]],
        )


@api.post("", allow=buyer(Permission.CART_WRITE), idempotent=DAY_1, limit=QUOTE_LIMIT, raises=(Forbidden,))
def quote(caller: BuyerCaller, body: QuoteRequest) -> CartResponse:
    """Price an intent over any vendors and keep it as the active cart; 403 unless the store is verified."""
    with transaction() as session:
        return CartResponse.of(quoting.quote(session, caller.store_id, body))


@api.get("", allow=buyer(Permission.CART_WRITE), limit=QUOTE_LIMIT, raises=(NotFound, Forbidden))
def show(caller: BuyerCaller, query: CartQuery) -> CartResponse:
    """The active cart, priced again when asked to; 404 without one."""
    if query.refresh:
        with transaction() as session:
            return CartResponse.of(quoting.quote_again(session, caller.store_id))
    with read_only() as session:
        return CartResponse.of(carts.get_active(session, caller.store_id))


@api.delete("", allow=buyer(Permission.CART_WRITE), raises=(NotFound,))
def drop(caller: BuyerCaller) -> None:
    """Drop the active cart; 404 without one."""
    with transaction() as session:
        if carts.drop_active(session, caller.store_id) is None:
            raise NotFound("There is no active cart.")


main = api.entry_point()
