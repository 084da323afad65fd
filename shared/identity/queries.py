"""What is read of people and stores, here and by other contexts; locks have one name each.

`lock_user` is the lock on a person's rights: whoever writes their sessions, and whoever changes what
those may do, holds it, so that no session keeps a right that was being taken away.
"""

from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, contains_eager

from shared.identity.models import KycStatus, MembershipStatus, Store, StoreMembership, User
from shared.identity.permissions import StoreType
from shared.kit.errors import NotFound

Row = TypeVar("Row")


def find_user_by_email(session: Session, email: str) -> User | None:
    """The person with this email, however it is capitalised."""
    return session.scalar(select(User).where(User.email == email))


def get_user(session: Session, user_id: UUID) -> User:
    """The person. Raises NotFound."""
    return _found(session.get(User, user_id))


def lock_user(session: Session, user_id: UUID) -> User:
    """The person, locked until the transaction ends. Raises NotFound."""
    statement = select(User).where(User.id == user_id).with_for_update(key_share=True)
    return _found(session.scalar(statement.execution_options(populate_existing=True)))


def select_memberships(user_id: UUID) -> Select[StoreMembership]:
    """Where a person belongs now, with the stores."""
    return (
        select(StoreMembership)
        .join(StoreMembership.store)
        .options(contains_eager(StoreMembership.store))
        .where(
            StoreMembership.user_id == user_id,
            StoreMembership.status == MembershipStatus.ACTIVE,
            Store.deleted_at.is_(None),
        )
    )


def list_memberships(session: Session, user_id: UUID) -> list[StoreMembership]:
    """Where a person belongs now, with the stores, the most recently used first."""
    order = (StoreMembership.last_used_at.desc().nulls_last(), StoreMembership.created_at, StoreMembership.id)
    return list(session.scalars(select_memberships(user_id).order_by(*order)))


def select_stores(
    *, kind: StoreType | None = None, kyc_statuses: Sequence[KycStatus] = (), state: str | None = None
) -> Select[Store]:
    """Stores that are not deleted; each condition narrows them if it is given."""
    statement = select(Store).where(Store.deleted_at.is_(None))
    if kind is not None:
        statement = statement.where(Store.type == kind)
    if kyc_statuses:
        statement = statement.where(Store.kyc_status.in_(kyc_statuses))
    return statement if state is None else statement.where(Store.state == state)


def get_store(session: Session, store_id: UUID) -> Store:
    """The store. Raises NotFound, also for a deleted one."""
    return _found(session.scalar(select(Store).where(Store.id == store_id, Store.deleted_at.is_(None))))


def lock_store(session: Session, store_id: UUID) -> Store:
    """The store, locked until the transaction ends. Raises NotFound, also for a deleted one."""
    statement = select(Store).where(Store.id == store_id, Store.deleted_at.is_(None)).with_for_update(key_share=True)
    return _found(session.scalar(statement.execution_options(populate_existing=True)))


def lock_store_and_people(session: Session, store_id: UUID) -> tuple[Store, list[UUID]]:
    """A store and everybody who gets rights from it, locked until the transaction ends; nobody joins it meanwhile.

    Raises NotFound, also for a deleted store.
    """
    _lock_people(session, store_id)
    # Locked like this, the store refuses new memberships too: they refer to it.
    statement = select(Store).where(Store.id == store_id, Store.deleted_at.is_(None)).with_for_update()
    store = _found(session.scalar(statement.execution_options(populate_existing=True)))
    # Again, for those who joined before the store was locked.
    return store, _lock_people(session, store_id)


def _lock_people(session: Session, store_id: UUID) -> list[UUID]:
    """Who belongs to a store, is invited or may be taken up again, locked in id order."""
    statement = (
        select(User.id)
        .join(StoreMembership, StoreMembership.user_id == User.id)
        .where(StoreMembership.store_id == store_id)
        .order_by(User.id)
        .with_for_update(key_share=True, of=User)
    )
    return list(session.scalars(statement))


def _found(row: Row | None) -> Row:
    if row is None:
        raise NotFound
    return row
