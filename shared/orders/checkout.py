"""Conversion: an active cart becomes vendor orders, once, in one transaction and a constant number of statements.

The steps are numbered as in the specification of the checkout. Rows are locked in one order
everywhere: the cart, then stock by product, then promos by id.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, func, select, text
from sqlalchemy.orm import Session

from shared.catalog.models import PromoRedemption
from shared.catalog.visibility import ANY_BUYER, BuyerPlace, vendor_refusal
from shared.events.checkout import CheckoutConverted, OrderCreated
from shared.identity.models import KycStatus, Store
from shared.inventory.reservation import StockLine, reserve
from shared.kit import clock
from shared.kit.db import planned_once
from shared.kit.errors import Conflict, NotFound
from shared.kit.ids import new_id
from shared.kit.logging import metric
from shared.kit.outbox import emit
from shared.kit.tables import insert_together
from shared.operations.audit import AuditLog, entry
from shared.orders import carts
from shared.orders.carts import BuyerNotVerified, Row
from shared.orders.drafting import Confirmed, Conversion, drafted
from shared.orders.lifecycle import status_at_checkout
from shared.orders.models import (
    Cart,
    CartStatus,
    CartVendorGroup,
    ItemStatus,
    LineStatus,
    Order,
    OrderLine,
    OrderStatus,
    PaymentIntent,
)
from shared.orders.totals import LineFigures, totals_of

INSUFFICIENT_INVENTORY = "insufficient_inventory"


class QuoteExpired(Conflict):
    default_message = "The quote is older than 15 minutes; ask for a new one."


class NothingOrderable(Conflict):
    default_message = "Nothing in this cart can be ordered."


class OutOfStock(Conflict):
    default_message = "Nothing in this cart is in stock any more."


class PromoNoLongerApplies(Conflict):
    default_message = "A code in this cart was used up meanwhile; ask for a new quote."


class _Held(NamedTuple):
    """The locked cart, and its buyer as of now."""

    cart: Row
    buyer: BuyerPlace
    postal_code: str
    kyc_status: KycStatus


def convert(session: Session, buyer_store_id: UUID, cart_id: UUID, confirmed: Confirmed) -> Conversion | None:
    """Turn a cart into orders; None when it had been turned already, and then nothing is written.

    Raises NotFound, BuyerNotVerified, QuoteExpired, NothingOrderable, OutOfStock, PromoNoLongerApplies.
    """
    try:
        return _convert(session, buyer_store_id, cart_id, confirmed)
    except Conflict as refusal:
        metric("checkout_conflict", reason=(refusal.details or {})["reason"])
        raise


def _convert(session: Session, buyer_store_id: UUID, cart_id: UUID, confirmed: Confirmed) -> Conversion | None:
    now = clock.now()
    held = _lock(session, buyer_store_id, cart_id)
    if held.cart["status"] is CartStatus.CONVERTED:
        return None
    _refuse_unless_fresh(held, now)
    groups = _groups_as_of_now(session, held)
    orderable = {group["vendor_store_id"] for group in groups if group["refusal"] is None}
    items = [
        item
        for item in carts.list_items_as_of_now(session, cart_id)
        if item["status"] is ItemStatus.OK and item["vendor_store_id"] in orderable
    ]
    if not items:
        raise NothingOrderable(details={"reason": "nothing_orderable"})
    conversion = drafted(held.cart, groups, items, confirmed, now)
    _reserve(session, conversion)
    _total(conversion)
    redemptions = _redeem(session, conversion, now)
    _write(session, conversion, redemptions)
    _announce(session, held, conversion)
    metric("checkout_converted", len(conversion.orders))
    return conversion


_CARTS, _GROUPS, _STORES = Cart.__table__, CartVendorGroup.__table__, Store.__table__
_LOCK = planned_once(
    select(
        *_CARTS.c,
        _STORES.c.state.label("buyer_state"),
        _STORES.c.lat.label("buyer_lat"),
        _STORES.c.lng.label("buyer_lng"),
        _STORES.c.postal_code.label("buyer_postal_code"),
        _STORES.c.kyc_status.label("buyer_kyc_status"),
    )
    .join(_STORES, _STORES.c.id == _CARTS.c.buyer_store_id)
    .where(
        _CARTS.c.buyer_store_id == bindparam("held_by"),
        _CARTS.c.id == bindparam("cart_id"),
        _STORES.c.deleted_at.is_(None),
    )
    .with_for_update(of=_CARTS)
)


def _lock(session: Session, buyer_store_id: UUID, cart_id: UUID) -> _Held:
    """Step 1: the cart by buyer and id, with the buyer's place and standing. Raises NotFound."""
    found = session.execute(_LOCK, {"held_by": buyer_store_id, "cart_id": cart_id})
    row = found.mappings().one_or_none()
    if row is None:
        raise NotFound("There is no such cart.")
    cart = dict(row)
    place = BuyerPlace(buyer_store_id, cart.pop("buyer_state"), cart.pop("buyer_lat"), cart.pop("buyer_lng"))
    return _Held(cart, place, cart.pop("buyer_postal_code"), cart.pop("buyer_kyc_status"))


def _refuse_unless_fresh(held: _Held, now: datetime) -> None:
    if held.kyc_status is not KycStatus.VERIFIED:
        raise BuyerNotVerified(held.kyc_status)
    if now >= held.cart["valid_until"]:
        raise QuoteExpired(details={"reason": "quote_expired"})


_GROUPS_NOW = planned_once(
    select(
        *_GROUPS.c,
        vendor_refusal(ANY_BUYER).label("refusal"),
        func.nextval("order_number_seq").label("order_number"),
    )
    .join(Store, Store.id == _GROUPS.c.vendor_store_id)
    .where(_GROUPS.c.cart_id == bindparam("cart_id"))
    .order_by(_GROUPS.c.vendor_store_id)
)


def _groups_as_of_now(session: Session, held: _Held) -> list[Row]:
    """The vendor groups, each with why its vendor may not sell (any more), and a number for its order."""
    rows = session.execute(_GROUPS_NOW, {"cart_id": held.cart["id"], **held.buyer.parameters})
    return [dict(row) for row in rows.mappings()]


def _reserve(session: Session, conversion: Conversion) -> None:
    """Step 3: take stock for all lines at once; what got none is rejected. Raises OutOfStock when nothing did."""
    wanted = [line for line in conversion.lines if line["status"] is LineStatus.PENDING]
    reserved = reserve(
        session, [StockLine(line["product_id"], line["qty"], line["order_id"], line["id"]) for line in wanted]
    )
    refused = [line for line in wanted if line["id"] not in reserved]
    for line in refused:
        line["status"], line["rejection_reason"] = LineStatus.REJECTED, INSUFFICIENT_INVENTORY
    if refused:
        metric("reservation_failed", len(refused))
    if not reserved:
        lines = [{"product_id": str(line["product_id"]), "requested_qty": line["qty"]} for line in conversion.lines]
        raise OutOfStock(details={"reason": "out_of_stock", "lines": lines})


def _total(conversion: Conversion) -> None:
    """Step 4: take rejected lines off each order's totals; nothing is priced again."""
    for order, intent in zip(conversion.orders, conversion.intents, strict=True):
        own = conversion.lines_of(order)
        totals = totals_of(map(LineFigures.of, own), order["promo_discount_cents"])
        order |= {
            "subtotal_cents": totals.subtotal_cents,
            "line_discounts_cents": totals.line_discounts_cents,
            "promo_discount_cents": totals.promo_discount_cents,
            "total_cents": totals.total_cents,
            "balance_due_cents": totals.total_cents,
            "status": status_at_checkout(line["status"] for line in own),
        }
        intent["amount_cents"] = totals.total_cents


_LOCK_PROMOS = text("SELECT id FROM vendor_promos WHERE id = ANY(:ids) ORDER BY id FOR UPDATE")
_REDEEM = text(
    """
    UPDATE vendor_promos AS promo SET redeemed_count = redeemed_count + 1
    WHERE id = ANY(:ids) AND is_active AND (max_redemptions IS NULL OR redeemed_count < max_redemptions)
      AND (per_buyer_limit IS NULL OR per_buyer_limit >
           (SELECT count(*) FROM promo_redemptions WHERE promo_id = promo.id AND buyer_store_id = :buyer_store_id))
    RETURNING id
    """
)


def _redeem(session: Session, conversion: Conversion, now: datetime) -> list[Row]:
    """Step 8: count promos under their locks. Raises PromoNoLongerApplies when one was used up since the quote."""
    used = [
        order
        for order in conversion.orders
        if order["promo_id"] is not None and order["status"] is OrderStatus.CREATED_PENDING
    ]
    if not used:
        return []
    ids = [order["promo_id"] for order in used]
    session.execute(_LOCK_PROMOS, {"ids": ids})
    buyer_store_id = conversion.cart["buyer_store_id"]
    counted = set(session.scalars(_REDEEM, {"ids": ids, "buyer_store_id": buyer_store_id}))
    if counted != set(ids):
        codes = [order["promo_code"] for order in used if order["promo_id"] not in counted]
        raise PromoNoLongerApplies(details={"reason": "promo_used_up", "codes": codes})
    return [
        {
            "id": new_id(),
            "promo_id": order["promo_id"],
            "buyer_store_id": buyer_store_id,
            "order_id": order["id"],
            "created_at": now,
        }
        for order in used
    ]


def _write(session: Session, conversion: Conversion, redemptions: Sequence[Row]) -> None:
    """Steps 2, 4 to 8 and 10 in the database."""
    cart = conversion.cart
    carts.confirm(session, cart)
    group = {"checkout_group_id": str(cart["checkout_group_id"]), "cart_id": str(cart["id"])}
    audits = [
        entry(
            "order.created",
            "vendor_order",
            order["id"],
            after={**group, "status": order["status"], "total_cents": order["total_cents"]},
        )
        for order in conversion.orders
    ]
    insert_together(
        session,
        (Order, conversion.orders),
        (OrderLine, conversion.lines),
        (PaymentIntent, conversion.intents),
        (PromoRedemption, redemptions),
        (AuditLog, audits),
    )


def _announce(session: Session, held: _Held, conversion: Conversion) -> None:
    """Step 9: exactly two events, each written only once ever for a checkout group."""
    cart, orders = conversion.cart, conversion.orders
    common: dict[str, Any] = {
        "checkout_group_id": cart["checkout_group_id"],
        "cart_id": cart["id"],
        "buyer_store_id": cart["buyer_store_id"],
    }
    created = OrderCreated(
        **common,
        vendor_store_ids=[order["vendor_store_id"] for order in orders],
        order_ids=[order["id"] for order in orders],
        product_ids=[line["product_id"] for line in conversion.lines if line["status"] is LineStatus.PENDING],
    )
    converted = CheckoutConverted(
        **common,
        buyer_state=held.buyer.state,
        buyer_zip=held.postal_code,
        buyer_lat=held.buyer.lat,
        buyer_lng=held.buyer.lng,
        payment_method=cart["payment_method"],
        currency=cart["currency"],
        total_cents=sum(order["total_cents"] for order in orders),
        orders=[_told_order(order, conversion.lines_of(order)) for order in orders],
    )
    emit(session, created, converted)


_TOLD_ORDER = (
    "order_number",
    "status",
    "subtotal_cents",
    "line_discounts_cents",
    "promo_discount_cents",
    "total_cents",
    "promo_code",
    "attribution",
)
_TOLD_LINE = (
    "title",
    "category",
    "strain",
    "classification",
    "qty",
    "unit_price_cents",
    "line_subtotal_cents",
    "line_discount_cents",
    "line_total_cents",
    "status",
    "attribution",
)


def _told_order(order: Row, lines: Sequence[Row]) -> Row:
    """An order with its lines as analytics hears of it; nothing personal in it."""
    return {
        "order_id": str(order["id"]),
        "vendor_store_id": str(order["vendor_store_id"]),
        **{name: order[name] for name in _TOLD_ORDER},
        "lines": [
            {
                "line_item_id": str(line["id"]),
                "product_id": str(line["product_id"]),
                **{name: line[name] for name in _TOLD_LINE},
            }
            for line in lines
        ],
    }
