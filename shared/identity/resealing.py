"""Second factors sealed anew with the present key, so that a former one can be retired."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.identity import sealing
from shared.identity.models import User
from shared.identity.sealing import CannotUnseal

BATCH = 200


@dataclass(frozen=True)
class Resealed:
    """What a batch came to; `last_id` is where the next one begins, None when there is none."""

    sealed: int
    lost: int
    """Those that no key of ours opens: their people sign in with a backup code and enrol anew."""
    last_id: UUID | None


def reseal(session: Session, after: UUID | None) -> Resealed:
    """Seal the secrets of the next people, by id, that another than the present key sealed."""
    people = select(User).where(User.mfa_secret.is_not(None), User.mfa_secret.not_like(f"{sealing.present_kid()}.%"))
    if after is not None:
        people = people.where(User.id > after)
    batch = session.scalars(people.order_by(User.id).limit(BATCH).with_for_update()).all()
    lost = 0
    for user in batch:
        try:
            user.mfa_secret = sealing.seal(sealing.unseal(user.mfa_secret or "", owner_id=user.id), owner_id=user.id)
        except CannotUnseal:
            lost += 1
    return Resealed(len(batch) - lost, lost, batch[-1].id if len(batch) == BATCH else None)
