"""Admins stop a store, let it go on, and correct its address."""

from uuid import UUID

from sqlalchemy.orm import Session

from shared.identity import queries, sessions
from shared.identity.addresses import Address
from shared.identity.models import KycStatus, Store
from shared.kit.errors import StateConflict
from shared.operations.audit import audit


class AlreadySuspended(StateConflict):
    default_message = "This store is suspended already."

    def __init__(self) -> None:
        super().__init__(details={"reason": "already_suspended"})


class NotSuspended(StateConflict):
    default_message = "This store is not suspended."

    def __init__(self) -> None:
        super().__init__(details={"reason": "not_suspended"})


def suspend(session: Session, store_id: UUID, reason: str) -> Store:
    """From the next request on its members may only read. Raises NotFound, AlreadySuspended."""
    store, people = queries.lock_store_and_people(session, store_id)
    if store.is_suspended:
        raise AlreadySuspended
    audit(
        session,
        "store.suspended",
        "store",
        store_id,
        before={"kyc_status": store.kyc_status},
        after={"kyc_status": KycStatus.SUSPENDED, "reason": reason},
    )
    store.kyc_status, store.suspended_reason = KycStatus.SUSPENDED, reason
    session.flush()
    sessions.make_read_only(store_id, *people)
    return store


def reinstate(session: Session, store_id: UUID, reason: str) -> Store:
    """Lift the suspension; what the store's licenses make of it is for `licensing.kyc.mirror` to say.

    Raises NotFound, NotSuspended.
    """
    store, people = queries.lock_store_and_people(session, store_id)
    if not store.is_suspended:
        raise NotSuspended
    audit(session, "store.reinstated", "store", store_id, after={"reason": reason})
    store.kyc_status, store.suspended_reason = KycStatus.PENDING_VERIFICATION, None
    session.flush()
    sessions.outdate(store_id, *people)
    return store


def override_address(session: Session, store_id: UUID, address: Address) -> Store:
    """Give a store another address. Raises NotFound."""
    store = queries.lock_store(session, store_id)
    after = address.model_dump()
    before = {field: getattr(store, field) for field in after}
    for field, value in after.items():
        setattr(store, field, value)
    session.flush()
    audit(session, "store.address_overridden", "store", store_id, before=before, after=after)
    return store
