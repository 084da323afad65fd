"""Backup codes: ten for the day when the phone is lost, each good once. Only digests are kept.

A code has 79 random bits, which need no slow hash.
"""

import hashlib
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from shared.identity import passwords
from shared.identity.models import BackupCode
from shared.kit import clock
from shared.kit.ids import new_id
from shared.kit.tables import insert_all

COUNT = 10


def renew(session: Session, user_id: UUID) -> list[str]:
    """New codes in place of all former ones; this is the only time that they are told."""
    discard(session, user_id)
    codes = [passwords.temporary().get_secret_value() for _ in range(COUNT)]
    rows = [
        {"id": new_id(), "user_id": user_id, "digest": _digest(code), "created_at": clock.now().isoformat()}
        for code in codes
    ]
    insert_all(session, BackupCode, rows)
    return codes


def discard(session: Session, user_id: UUID) -> None:
    """Forget every code of a person."""
    session.execute(delete(BackupCode).where(BackupCode.user_id == user_id))


def spend(session: Session, user_id: UUID, code: str) -> bool:
    """Use a code, once only; whether it was good."""
    statement = (
        update(BackupCode)
        .where(BackupCode.user_id == user_id, BackupCode.digest == _digest(code), BackupCode.used_at.is_(None))
        .values(used_at=clock.now())
        .returning(BackupCode.id)
    )
    return session.scalar(statement) is not None


def count_left(session: Session, user_id: UUID) -> int:
    """How many codes a person can still use."""
    left = select(func.count()).where(BackupCode.user_id == user_id, BackupCode.used_at.is_(None))
    return session.scalar(left) or 0


def _digest(code: str) -> str:
    """The same for a code typed in capitals, or without its hyphens."""
    return hashlib.sha256(code.replace("-", "").replace(" ", "").lower().encode()).hexdigest()
