"""A person and their store come to be: one email is one person, who may own several stores."""

import re
import secrets
import unicodedata
from collections.abc import Iterator
from typing import Any

from pydantic import SecretStr
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.events.stores import StoreRegistered
from shared.identity import credentials, passwords, queries
from shared.identity.addresses import Address
from shared.identity.credentials import Proof
from shared.identity.models import MembershipStatus, Store, StoreMembership, User
from shared.identity.permissions import Role, StoreType
from shared.identity.recovery import request_verification
from shared.kit import clock
from shared.kit.context import work
from shared.kit.db import read_only
from shared.kit.errors import Conflict
from shared.kit.ids import new_id
from shared.kit.outbox import emit
from shared.operations.audit import audit

_MAX_SLUG = 60


class EmailTaken(Conflict):
    default_message = "This email is registered already; sign in, or give its password to add a store."

    def __init__(self) -> None:
        super().__init__(details={"reason": "email_taken"})


def prove_or_hash(email: str, password: SecretStr) -> Proof | str:
    """For a known email the proof that it is theirs, for a new one the hash to keep.

    Raises EmailTaken for a known email with another password, which is audited as a failure to sign in, and
    InvalidRequest for a new weak one.
    """
    with read_only() as session:
        user = queries.find_user_by_email(session, email)
    if user is None:
        passwords.refuse_weak(password, email=email)
        return passwords.hash_of(password)
    proof = credentials.match(user, password)
    if proof is None:
        credentials.note_failure(user.id)
        raise EmailTaken
    return proof


def find_or_create_user(session: Session, known: Proof | str, *, email: str, **fields: Any) -> User:
    """The person of a proof, locked, or a new one with the hash; see `prove_or_hash`. Raises EmailTaken.

    Raises WrongCredentials when the password was changed since it was proved.
    """
    if isinstance(known, str):
        user = create_user(session, email=email, password_hash=known, **fields)
        work().user_id = user.id
        request_verification(session, user)
        return user
    user = queries.lock_user(session, known.user_id)
    known.confirm(user)
    return user


def create_user(session: Session, *, email: str, password_hash: str | None, **fields: Any) -> User:
    """A new person; `fields` are further columns. Raises EmailTaken, also when a rival was faster."""
    statement = insert(User).values(email=email, password_hash=password_hash, **fields)
    user: User | None = session.scalar(statement.on_conflict_do_nothing(index_elements=["email"]).returning(User))
    if user is None:
        raise EmailTaken
    return user


def found_store(
    session: Session, owner: User, *, store_type: StoreType, company_name: str, dba_name: str | None, address: Address
) -> Store:
    """A new store that `owner` owns, waiting for its license to be verified. Announced and audited."""
    facts = {
        "type": store_type,
        "company_name": company_name,
        "dba_name": dba_name,
        **address.model_dump(),
    }
    store = _insert_store(session, facts, slugs_for(dba_name or company_name, address.city))
    session.add(
        StoreMembership(
            id=new_id(), store_id=store.id, user_id=owner.id, role=Role.OWNER, status=MembershipStatus.ACTIVE
        )
    )
    work().store_id = store.id
    audit(session, "store.registered", "store", store.id, after={"type": store_type, "tos_accepted_at": clock.now()})
    emit(session, StoreRegistered(store_id=store.id, store_type=store_type, owner_user_id=owner.id))
    return store


def slugs_for(name: str, city: str) -> Iterator[str]:
    """Slugs to try in turn: the name, the name with its city, then the name with something random."""
    base = _slug(name) or "store"
    yield base
    if place := _slug(city):
        yield f"{base}-{place}"
    while True:
        yield f"{base}-{secrets.token_hex(3)}"


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:_MAX_SLUG].strip("-")


def _insert_store(session: Session, facts: dict[str, Any], slugs: Iterator[str]) -> Store:
    """Insert under the first slug that is free; the database decides, so that rivals cannot take the same."""
    for slug in slugs:
        statement = insert(Store).values(**facts, slug=slug)
        store: Store | None = session.scalar(statement.on_conflict_do_nothing(index_elements=["slug"]).returning(Store))
        if store is not None:
            return store
    raise AssertionError("unreachable: there is always another slug")
