"""Inviting people to a store: who has an account belongs at once, who is new belongs with their first password."""

from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.events.users import MemberInvited
from shared.identity import members
from shared.identity.callers import MemberCaller
from shared.identity.models import MembershipStatus, StoreMembership, User
from shared.identity.permissions import Role
from shared.kit.errors import Conflict, NotFound, StateConflict
from shared.kit.ids import new_id
from shared.kit.outbox import emit
from shared.operations.audit import audit, entry, record


class AlreadyMember(Conflict):
    default_message = "This person belongs to the store already, or is invited."

    def __init__(self) -> None:
        super().__init__(details={"reason": "already_member"})


class NotInvited(StateConflict):
    default_message = "This person has no open invitation."

    def __init__(self) -> None:
        super().__init__(details={"reason": "not_invited"})


def invite(
    session: Session, store_id: UUID, *, by: MemberCaller, email: str, role: Role, first_name: str, last_name: str
) -> StoreMembership:
    """Make someone a member, or invite them; told to them and audited. Raises RoleAboveYours, AlreadyMember."""
    members.refuse_above(by, role)
    user = _find_or_create(session, email, first_name, last_name)
    status = MembershipStatus.INVITED if user.password_hash is None else MembershipStatus.ACTIVE
    membership = _join(session, store_id, user.id, role, status, by.user_id)
    audit(session, "member.invited", "user", user.id, after={"role": role, "status": status})
    emit(session, MemberInvited(user_id=user.id, store_id=store_id, role=role, invited_by=by.user_id))
    return membership


def resend(session: Session, store_id: UUID, user_id: UUID, *, by: MemberCaller) -> None:
    """Have the invitation sent again. Raises NotFound, NotInvited for someone who belongs already."""
    statement = members.select_people(store_id).where(StoreMembership.user_id == user_id)
    membership = session.scalar(statement.with_for_update(of=StoreMembership))
    if membership is None:
        raise NotFound
    if membership.status is not MembershipStatus.INVITED:
        raise NotInvited
    emit(session, MemberInvited(user_id=user_id, store_id=store_id, role=membership.role, invited_by=by.user_id))


def accept_all(session: Session, user_id: UUID) -> None:
    """Let every store that invited a person have them: they proved the mailbox and set a password. Audited."""
    invited = (StoreMembership.user_id == user_id, StoreMembership.status == MembershipStatus.INVITED)
    accepted = update(StoreMembership).where(*invited).values(status=MembershipStatus.ACTIVE)
    joined = session.execute(accepted.returning(StoreMembership.store_id, StoreMembership.role)).all()
    entries = [
        entry("member.joined", "user", user_id, after={"store_id": str(row.store_id), "role": row.role})
        for row in joined
    ]
    if entries:
        record(session, *entries)


def _find_or_create(session: Session, email: str, first_name: str, last_name: str) -> User:
    """The person with this email, locked, so that their first password and this invitation come in some order."""
    statement = insert(User).values(email=email, first_name=first_name, last_name=last_name)
    session.execute(statement.on_conflict_do_nothing(index_elements=["email"]))
    return session.scalars(select(User).where(User.email == email).with_for_update(key_share=True)).one()


def _join(
    session: Session, store_id: UUID, user_id: UUID, role: Role, status: MembershipStatus, invited_by: UUID
) -> StoreMembership:
    """The membership, new or taken up again by someone who had left. Raises AlreadyMember."""
    facts = {"role": role, "status": status, "invited_by": invited_by}
    statement = (
        insert(StoreMembership)
        .values(id=new_id(), store_id=store_id, user_id=user_id, **facts)
        .on_conflict_do_update(
            index_elements=["store_id", "user_id"],
            set_=facts,
            where=StoreMembership.status == MembershipStatus.REMOVED,
        )
        .returning(StoreMembership.id)
    )
    if session.scalar(statement) is None:
        raise AlreadyMember
    joined = members.select_people(store_id).where(StoreMembership.user_id == user_id)
    return session.scalars(joined.execution_options(populate_existing=True)).one()
