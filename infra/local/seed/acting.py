"""Doing things as somebody, so that audit rows and events name who did them."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from shared.identity.permissions import Role, SystemRole
from shared.kit.context import Work, working
from shared.kit.ids import new_id


@contextmanager
def acting(
    user_id: UUID | None = None, store_id: UUID | None = None, role: Role | SystemRole | None = None
) -> Iterator[None]:
    """What is done within the block is done by this person, for this store; by nobody, the system does it."""
    with working(Work("seed", f"seed-{new_id()}", user_id=user_id, store_id=store_id, role=role)):
        yield
