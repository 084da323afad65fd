"""The audit log: who did what to what, written in the transaction of the change and never altered."""

from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, Session

from shared.kit import clock
from shared.kit.context import work
from shared.kit.ids import new_id
from shared.kit.logging import redact
from shared.kit.tables import Created, Id, Json, Table, insert_all


class AuditLog(Table):
    """One audited action. A trigger refuses UPDATE and DELETE."""

    __tablename__ = "audit_logs"
    __table_args__ = (
        Index("ix_audit_logs_target", "target_type", "target_id", "created_at"),
        Index("ix_audit_logs_store", "actor_store_id", "created_at"),
        Index("ix_audit_logs_actor", "actor_user_id", "created_at", "id"),
        Index("ix_audit_logs_action", "action", "created_at", "id"),
        Index("ix_audit_logs_created_at", "created_at", "id"),
    )

    id: Mapped[Id]
    actor_user_id: Mapped[UUID | None]
    actor_store_id: Mapped[UUID | None]
    actor_role: Mapped[str]
    action: Mapped[str]
    target_type: Mapped[str]
    target_id: Mapped[UUID | None]
    before: Mapped[Json | None]
    after: Mapped[Json | None]
    request_id: Mapped[str]
    created_at: Mapped[Created]


def entry(
    action: str,
    target_type: str,
    target_id: UUID | None,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """A row for the log, by the actor of the work in hand; secrets and personal data are left out."""
    this = work()
    return {
        "id": new_id(),
        "actor_user_id": this.user_id,
        "actor_store_id": this.store_id,
        "actor_role": this.role or ("user" if this.user_id else "system"),
        "action": action,
        "target_type": target_type,
        "target_id": target_id,
        "before": redact(before),
        "after": redact(after),
        "request_id": this.request_id,
        "created_at": clock.now().isoformat(),
    }


def audit(
    session: Session,
    action: str,
    target_type: str,
    target_id: UUID | None,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Record one action within the caller's transaction."""
    record(session, entry(action, target_type, target_id, before=before, after=after))


def record(session: Session, *entries: dict[str, Any]) -> None:
    """Record several actions by one statement."""
    insert_all(session, AuditLog, list(entries))
