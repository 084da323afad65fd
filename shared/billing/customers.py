"""A vendor as Square's customer."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from shared.identity.models import MembershipStatus, Store, StoreMembership, User
from shared.identity.permissions import Role, StoreType
from shared.integrations.square import payment_provider
from shared.kit.db import read_only, transaction
from shared.kit.errors import NotFound
from shared.operations.audit import audit


@dataclass(frozen=True)
class Customer:
    """The store's customer at Square; `is_new` when this call made the two known to each other."""

    id: str
    is_new: bool


def ensure_customer(store_id: UUID) -> Customer:
    """The customer of a vendor store, found or created at Square when we do not know it yet.

    Calls Square between two transactions. A failure after Square's answer is repaired by the next call,
    which finds the customer by its reference id. Raises NotFound when there is no such vendor.
    """
    with read_only() as session:
        store = _get_vendor(session, store_id)
        if store.square_customer_id is not None:
            return Customer(store.square_customer_id, is_new=False)
        email = store.email or _owners_email(session, store_id)
    customer_id = payment_provider().ensure_customer(store_id=store_id, company_name=store.company_name, email=email)
    with transaction() as session:
        linked = session.scalar(
            update(Store)
            .where(Store.id == store_id, Store.square_customer_id.is_(None))
            .values(square_customer_id=customer_id)
            .returning(Store.id)
        )
        if linked is not None:
            audit(session, "billing.customer_created", "store", store_id, after={"square_customer_id": customer_id})
    return Customer(customer_id, is_new=linked is not None)


def lock_account(session: Session, store_id: UUID) -> Store:
    """The store, locked for changes of its cards and subscription. Raises NotFound.

    The lock leaves rows free to refer to the store.
    """
    store = session.scalar(select(Store).where(Store.id == store_id).with_for_update(key_share=True))
    if store is None:
        raise NotFound
    return store


def _get_vendor(session: Session, store_id: UUID) -> Store:
    store = session.scalar(
        select(Store).where(Store.id == store_id, Store.type == StoreType.VENDOR, Store.deleted_at.is_(None))
    )
    if store is None:
        raise NotFound
    return store


def _owners_email(session: Session, store_id: UUID) -> str | None:
    return session.scalar(
        select(User.email)
        .join(StoreMembership, StoreMembership.user_id == User.id)
        .where(
            StoreMembership.store_id == store_id,
            StoreMembership.role == Role.OWNER,
            StoreMembership.status == MembershipStatus.ACTIVE,
        )
        .order_by(StoreMembership.created_at, StoreMembership.id)
        .limit(1)
    )
