"""Operators search the audit log: by who did it, for which store, what, to what, and when."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import Select, literal, select, tuple_
from sqlalchemy.orm import Session

from shared.kit.db import read_only
from shared.kit.pagination import Order, PageQuery, page_of
from shared.kit.schemas import Instant, Page, Query, Response
from shared.kit.spreadsheet import csv_of
from shared.operations.audit import AuditLog

BATCH = 500

_KEY = (AuditLog.created_at, AuditLog.id)
_NEWEST = Order(_KEY)


class AuditFilters(Query):
    """What narrows the log: the period includes both its ends; `store_id` is the store that was acted for."""

    actor_user_id: UUID | None = None
    actor_role: str | None = Field(default=None, max_length=40)
    store_id: UUID | None = None
    action: list[str] = Field(default=[], max_length=20)
    target_type: str | None = Field(default=None, max_length=60)
    target_id: UUID | None = None
    request_id: str | None = Field(default=None, max_length=64)
    created_from: Instant | None = None
    created_to: Instant | None = None


class AuditQuery(AuditFilters, PageQuery):
    """The same, by pages."""


class AuditEntryResponse(Response):
    """One audited action. Secrets and personal data were left out of `before` and `after` when it was written."""

    id: UUID
    actor_user_id: UUID | None
    actor_store_id: UUID | None
    actor_role: str
    action: str
    target_type: str
    target_id: UUID | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    request_id: str
    created_at: datetime


_COLUMNS = tuple(getattr(AuditLog, name) for name in AuditEntryResponse.model_fields)


def list_entries(session: Session, query: AuditQuery) -> Page[AuditEntryResponse]:
    """Newest first."""
    page = page_of(session, _entries(query), query, _NEWEST)
    return page.of([AuditEntryResponse.of_row(row._asdict()) for row in page.items])


def write_entries(filters: AuditFilters) -> Iterator[bytes]:
    """The pieces of a CSV file, oldest first. Each batch is a statement of its own, read when it is sent."""
    yield csv_of([AuditEntryResponse.model_fields])
    for batch in _batches(filters):
        yield csv_of([_cells(row) for row in batch])


def _entries(filters: AuditFilters) -> Select[Any]:
    columns = {
        AuditLog.actor_user_id: filters.actor_user_id,
        AuditLog.actor_role: filters.actor_role,
        AuditLog.actor_store_id: filters.store_id,
        AuditLog.target_type: filters.target_type,
        AuditLog.target_id: filters.target_id,
        AuditLog.request_id: filters.request_id,
    }
    conditions = [column == value for column, value in columns.items() if value is not None]
    if filters.action:
        conditions.append(AuditLog.action.in_(filters.action))
    if filters.created_from is not None:
        conditions.append(AuditLog.created_at >= filters.created_from)
    if filters.created_to is not None:
        conditions.append(AuditLog.created_at <= filters.created_to)
    return select(*_COLUMNS).where(*conditions)


def _batches(filters: AuditFilters) -> Iterator[Sequence[Any]]:
    statement = _entries(filters).order_by(*_KEY).limit(BATCH)
    after: tuple[datetime, UUID] | None = None
    while True:
        here = statement
        if after is not None:
            bounds = (literal(value, column.type) for value, column in zip(after, _KEY, strict=True))
            here = statement.where(tuple_(*_KEY) > tuple_(*bounds))
        with read_only() as session:
            batch = session.execute(here).all()
        yield batch
        if len(batch) < BATCH:
            return
        after = (batch[-1].created_at, batch[-1].id)


def _cells(row: Any) -> list[Any]:
    return [_text(value) for value in row]


def _text(value: Any) -> Any:
    """Times as RFC 3339, payloads as JSON."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return json.dumps(value) if isinstance(value, dict) else value
