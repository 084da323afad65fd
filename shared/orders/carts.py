"""Keeping quotes: one active cart per buyer store, replaced whole by each new quote."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, text, update
from sqlalchemy.orm import Session

from shared.ads.attribution import Touch
from shared.catalog.models import Product
from shared.catalog.visibility import BuyerPlace, product_offered
from shared.identity.models import KycStatus, Store
from shared.kit import clock
from shared.kit.db import planned_once
from shared.kit.errors import Forbidden, NotFound
from shared.kit.ids import new_id
from shared.kit.tables import insert_together
from shared.orders.intent import QuoteRequest
from shared.orders.models import Cart, CartItem, CartStatus, CartVendorGroup
from shared.orders.quote import Quote, QuotedGroup, QuotedItem

VALID_FOR = timedelta(minutes=15)

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CartRows:
    """A cart as it is stored: its record, its items in order, its vendor groups."""

    cart: Row
    items: list[Row]
    groups: list[Row]


class BuyerNotVerified(Forbidden):
    """The store's license is not in order; `details.reason` is `kyc_<status>`."""

    def __init__(self, status: KycStatus) -> None:
        super().__init__("Your store is not verified.", details={"reason": f"kyc_{status}"})


_STORES = Store.__table__.c
_LOCK_BUYER = planned_once(
    select(_STORES.id, _STORES.state, _STORES.lat, _STORES.lng, _STORES.kyc_status)
    .where(_STORES.id == bindparam("store_id"), _STORES.deleted_at.is_(None))
    .with_for_update(key_share=True)
)


def lock_buyer(session: Session, store_id: UUID) -> BuyerPlace:
    """Where the buyer is, locked so that its carts change one at a time. Raises BuyerNotVerified, NotFound."""
    row = session.execute(_LOCK_BUYER, {"store_id": store_id}).one_or_none()
    if row is None:
        raise NotFound
    if row.kyc_status is not KycStatus.VERIFIED:
        raise BuyerNotVerified(row.kyc_status)
    return BuyerPlace(store_id=row.id, state=row.state, lat=row.lat, lng=row.lng)


_DROP_ACTIVE = planned_once(
    text(
        """
    WITH former AS (
        SELECT item.product_id, item.unit_price_cents
        FROM cart_items AS item JOIN cart_records AS cart ON cart.id = item.cart_id
        WHERE cart.buyer_store_id = :buyer_store_id AND cart.status = 'active' AND item.unit_price_cents > 0
    ), dropped AS (
        DELETE FROM cart_records WHERE buyer_store_id = :buyer_store_id AND status = 'active' RETURNING id
    )
    SELECT former.product_id, former.unit_price_cents, dropped.id
    FROM dropped LEFT JOIN former ON true
    """
    )
)


def drop_active(session: Session, buyer_store_id: UUID) -> dict[UUID, int] | None:
    """Drop the buyer's active cart; the unit prices in cents that it quoted, or none when there was no cart."""
    rows = session.execute(_DROP_ACTIVE, {"buyer_store_id": buyer_store_id}).all()
    if not rows:
        return None
    return {row.product_id: row.unit_price_cents for row in rows if row.product_id is not None}


def save(
    session: Session, buyer_store_id: UUID, request: QuoteRequest, quote: Quote, touches: Sequence[Touch] = ()
) -> CartRows:
    """Keep a quote as the buyer's active cart, by one statement. There must be no active cart before."""
    now = clock.now()
    cart: Row = {
        "id": new_id(),
        "buyer_store_id": buyer_store_id,
        "status": CartStatus.ACTIVE,
        "currency": "USD",
        "subtotal_cents": quote.subtotal_cents,
        "discounts_cents": quote.subtotal_cents - quote.total_cents,
        "total_cents": quote.total_cents,
        "valid_until": now + VALID_FOR,
        "intent": request.model_dump(mode="json", exclude={"attribution_tokens"}),
        "warnings": quote.warnings,
        "attribution_tokens": [touch.as_json() for touch in touches],
        "shipping_address": request.shipping_address.model_dump() if request.shipping_address else None,
        "created_at": now,
    }
    items = [_item_row(cart["id"], position, item) for position, item in enumerate(quote.items)]
    groups = [_group_row(cart["id"], group) for group in quote.groups]
    insert_together(session, (Cart, [cart]), (CartItem, items), (CartVendorGroup, groups))
    return CartRows(cart, items, groups)


def _item_row(cart_id: UUID, position: int, item: QuotedItem) -> Row:
    offer, price = item.offer, item.price
    # Of a product that the buyer may not see, nothing is told but that.
    seen = offer if offer is not None and offer.is_visible else None
    return {
        "id": new_id(),
        "cart_id": cart_id,
        "position": position,
        "product_id": item.product_id,
        "vendor_store_id": offer and offer.vendor_store_id,
        "status": item.status,
        "requested_qty": item.requested_qty,
        "qty": item.qty,
        "title": seen.title if seen else "",
        "sku": seen.sku if seen else "",
        "category": seen and seen.category,
        "strain": seen and seen.strain,
        "classification": seen and seen.classification,
        "unit": seen and seen.unit,
        "thumbnail_url": seen and seen.thumbnail_url,
        "thc_percent": seen and seen.thc_percent,
        "cbd_percent": seen and seen.cbd_percent,
        "moq": seen.moq if seen else 1,
        "max_qty": seen and seen.max_qty,
        "unit_price_cents": seen.unit_price_cents if seen else 0,
        "tier_min_qty": price.tier and price.tier.min_qty,
        "tier_percent": price.tier and price.tier.percent,
        "line_subtotal_cents": price.subtotal_cents,
        "line_discount_cents": price.discount_cents,
        "line_total_cents": price.total_cents,
        "warnings": item.warnings,
    }


def _group_row(cart_id: UUID, group: QuotedGroup) -> Row:
    totals = group.totals
    return {
        "cart_id": cart_id,
        "vendor_store_id": group.vendor_store_id,
        "vendor_name": group.vendor_name,
        "status": group.status,
        "subtotal_cents": totals.subtotal_cents,
        "line_discounts_cents": totals.line_discounts_cents,
        "promo_discount_cents": totals.promo_discount_cents,
        "total_cents": totals.total_cents,
        "promo_id": group.promo and group.promo.id,
        "promo_code": group.promo and group.promo.code,
        "warnings": group.warnings,
    }


_CARTS, _ITEMS, _GROUPS = Cart.__table__, CartItem.__table__, CartVendorGroup.__table__
_IS_ACTIVE = (_CARTS.c.buyer_store_id == bindparam("buyer_store_id"), _CARTS.c.status == CartStatus.ACTIVE)
_ACTIVE = select(_CARTS).where(*_IS_ACTIVE)
_ITEMS_OF = select(_ITEMS).where(_ITEMS.c.cart_id == bindparam("cart_id")).order_by(_ITEMS.c.position)
_ITEMS_NOW = planned_once(
    select(_ITEMS, product_offered().label("is_offered"))
    .join(Product, Product.id == _ITEMS.c.product_id)
    .where(_ITEMS.c.cart_id == bindparam("cart_id"))
    .order_by(_ITEMS.c.position)
)
_GROUPS_OF = select(_GROUPS).where(_GROUPS.c.cart_id == bindparam("cart_id")).order_by(_GROUPS.c.vendor_store_id)


def get_active(session: Session, buyer_store_id: UUID) -> CartRows:
    """The buyer's active cart, whole, by three statements. Raises NotFound."""
    cart = session.execute(_ACTIVE, {"buyer_store_id": buyer_store_id}).mappings().one_or_none()
    if cart is None:
        raise NotFound("There is no active cart.")
    return CartRows(dict(cart), list_items(session, cart["id"]), list_groups(session, cart["id"]))


_INTENT = select(_CARTS.c.intent, _CARTS.c.attribution_tokens).where(*_IS_ACTIVE).with_for_update()


def lock_intent(session: Session, buyer_store_id: UUID) -> Row | None:
    """What the active cart of a locked buyer was asked for, with the ad tokens that it kept, or none.

    Waits for a checkout of the cart, which leaves none.
    """
    row = session.execute(_INTENT, {"buyer_store_id": buyer_store_id}).one_or_none()
    if row is None:
        return None
    return {**row.intent, "attribution_tokens": [kept["token"] for kept in row.attribution_tokens]}


def list_items(session: Session, cart_id: UUID) -> list[Row]:
    """The items of a cart, in order."""
    return [dict(row) for row in session.execute(_ITEMS_OF, {"cart_id": cart_id}).mappings()]


def list_items_as_of_now(session: Session, cart_id: UUID) -> list[Row]:
    """The items of a cart whose products there are, in order, each with whether its product is still offered."""
    return [dict(row) for row in session.execute(_ITEMS_NOW, {"cart_id": cart_id}).mappings()]


def list_groups(session: Session, cart_id: UUID) -> list[Row]:
    """The vendor groups of a cart, by vendor."""
    return [dict(row) for row in session.execute(_GROUPS_OF, {"cart_id": cart_id}).mappings()]


CONFIRMED_COLUMNS = (
    "checkout_group_id",
    "shipping_address",
    "payment_method",
    "shipping_line",
    "buyer_notes",
    "converted_at",
    "rejected_vendors",
)
# The columns that it sets are those that it is executed with.
_CONFIRM = planned_once(update(Cart.metadata.tables[Cart.__tablename__]).where(_CARTS.c.id == bindparam("cart_id")))


def confirm(session: Session, cart: Row) -> None:
    """Keep on the cart what was confirmed, and that it is converted."""
    confirmed = {name: cart[name] for name in CONFIRMED_COLUMNS}
    session.execute(_CONFIRM, {"cart_id": cart["id"], "status": CartStatus.CONVERTED, **confirmed})
