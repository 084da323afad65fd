"""A store is deleted by its owner: out of everybody's sight at once, and a month later erased."""

from uuid import UUID

from sqlalchemy.orm import Session

from shared.identity import queries, sessions
from shared.kit import clock
from shared.operations.audit import audit


def delete_store(session: Session, store_id: UUID) -> None:
    """Lock everybody out of a store and hide it; who acts for it goes on without. Raises NotFound."""
    store, people = queries.lock_store_and_people(session, store_id)
    store.deleted_at = clock.now()
    audit(session, "store.deleted", "store", store_id)
    session.flush()
    sessions.outdate(store_id, *people)
