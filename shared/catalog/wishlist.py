"""What a buyer store would like to have: one list per store, of products that it saw.

An item outlives its product's visibility: it is then marked, and shows no more than the title under which it was
wished for.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from shared.catalog.models import Product, Wishlist, WishlistItem
from shared.catalog.summaries import ProductSummaryResponse, summary_columns
from shared.catalog.visibility import visible_product
from shared.identity.models import Store
from shared.inventory.models import InventoryItem
from shared.kit import clock
from shared.kit.errors import NotFound, StateConflict
from shared.kit.ids import new_id
from shared.kit.pagination import Order, Page, PageQuery, page_of
from shared.kit.schemas import Response

MAX_ITEMS = 1_000
"""So that all ids of a list fit into one answer."""

_LAST_WISHED = Order((WishlistItem.created_at, WishlistItem.product_id))


class WishlistFull(StateConflict):
    default_message = f"A wishlist holds {MAX_ITEMS} products; remove some first."


class WishResponse(Response):
    """That a product is on the list."""

    product_id: UUID
    created_at: datetime


class WishlistItemResponse(WishResponse):
    """An item of the list. `product` is there while the buyer sees it, `title` is how it was called when wished for."""

    title: str
    is_visible: bool
    product: ProductSummaryResponse | None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """From a row of a product's summary and its item."""
        return cls(
            product_id=row["product_id"],
            created_at=row["wished_at"],
            title=row["wished_title"],
            is_visible=row["is_visible"],
            product=ProductSummaryResponse.of(row) if row["is_visible"] else None,
        )


def list_wishes(session: Session, buyer_store_id: UUID, query: PageQuery) -> Page[WishlistItemResponse]:
    """One page of a store's list, what was added last first."""
    buyer: Any = aliased(Store, name="buyer_store")
    items = (
        select(
            *summary_columns(buyer, clock.now()),
            WishlistItem.product_id,
            WishlistItem.title.label("wished_title"),
            WishlistItem.created_at.label("wished_at"),
            visible_product(buyer).label("is_visible"),
        )
        .select_from(WishlistItem)
        .join(Wishlist, Wishlist.id == WishlistItem.wishlist_id)
        .join(buyer, buyer.id == Wishlist.store_id)
        .join(Product, Product.id == WishlistItem.product_id)
        .join(Store, Store.id == Product.vendor_store_id)
        .join(InventoryItem, InventoryItem.product_id == Product.id)
        .where(Wishlist.store_id == buyer_store_id)
    )
    page = page_of(session, items, query, _LAST_WISHED)
    return page.of([WishlistItemResponse.of(dict(row._mapping)) for row in page.items])


def list_ids(session: Session, buyer_store_id: UUID) -> list[UUID]:
    """Everything on a store's list, what was added last first."""
    mine = select(WishlistItem.product_id).join(Wishlist).where(Wishlist.store_id == buyer_store_id)
    return list(session.scalars(mine.order_by(*_LAST_WISHED.clauses(backwards=False))))


def is_wished(buyer_store_id: UUID) -> ColumnElement[bool]:
    """The store has the product (`Product`) on its list."""
    mine = select(Wishlist.id).where(Wishlist.store_id == buyer_store_id).scalar_subquery()
    return exists().where(WishlistItem.wishlist_id == mine, WishlistItem.product_id == Product.id)


def wish(session: Session, buyer_store_id: UUID, product_id: UUID) -> tuple[WishResponse, bool]:
    """Put a product on a store's list; whether it is new there.

    Raises NotFound for a product that the buyer does not see, unless it is on the list already, and WishlistFull.
    """
    wishlist_id = _lock_list(session, buyer_store_id)
    present = session.get(WishlistItem, (wishlist_id, product_id))
    if present is not None:
        return WishResponse.model_validate(present), False
    item = WishlistItem(
        wishlist_id=wishlist_id,
        product_id=product_id,
        title=_get_visible_title(session, buyer_store_id, product_id),
    )
    count = select(func.count()).select_from(WishlistItem).where(WishlistItem.wishlist_id == wishlist_id)
    if session.scalars(count).one() >= MAX_ITEMS:
        raise WishlistFull(details={"reason": "wishlist_full"})
    session.add(item)
    session.flush()
    return WishResponse.model_validate(item), True


def unwish(session: Session, buyer_store_id: UUID, product_id: UUID) -> None:
    """Take a product off a store's list. Raises NotFound when it is not there."""
    mine = select(Wishlist.id).where(Wishlist.store_id == buyer_store_id).scalar_subquery()
    gone = delete(WishlistItem).where(WishlistItem.wishlist_id == mine, WishlistItem.product_id == product_id)
    if session.execute(gone.returning(WishlistItem.product_id)).first() is None:
        raise NotFound


def _lock_list(session: Session, store_id: UUID) -> UUID:
    """The store's list, made if need be, and locked so that it grows by one product at a time."""
    made = insert(Wishlist).values(id=new_id(), store_id=store_id, created_at=clock.now())
    # An update to the same value, because that locks the row and returns it.
    locked = made.on_conflict_do_update(index_elements=[Wishlist.store_id], set_={"store_id": store_id})
    return session.scalars(locked.returning(Wishlist.id)).one()


def _get_visible_title(session: Session, buyer_store_id: UUID, product_id: UUID) -> str:
    buyer: Any = aliased(Store, name="buyer_store")
    title = session.scalar(
        select(Product.title)
        .join(Store, Store.id == Product.vendor_store_id)
        .join(buyer, buyer.id == buyer_store_id)
        .where(Product.id == product_id, visible_product(buyer), buyer.deleted_at.is_(None))
    )
    if title is None:
        raise NotFound
    return title
