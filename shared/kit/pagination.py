"""Keyset pages: a page costs the same at any depth, and no row repeats or vanishes while rows are added."""

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from pydantic import Field
from sqlalchemy import ColumnElement, Row, Select, String, cast, func, literal, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from shared.kit.config import Settings
from shared.kit.errors import InvalidRequest
from shared.kit.schemas import Query

Item = TypeVar("Item")
Other = TypeVar("Other")


class CursorSettings(Settings):
    """The secret with which cursors are signed."""

    cursor_key: str = Field(min_length=32)


class PageQuery(Query):
    """The query parameters of every list; a list's filters are fields of its subclass."""

    limit: int = Field(default=25, ge=1, le=100)
    cursor: str | None = Field(default=None, max_length=1_000)
    include_total: bool = False

    def filters(self) -> dict[str, Any]:
        """What narrows the list: every parameter that is not about paging."""
        return self.model_dump(mode="json", exclude={"limit", "cursor", "include_total"})


@dataclass(frozen=True)
class Page(Generic[Item]):
    """One page of a list. `next` and `prev` are cursors; `total` is there when it was asked for.

    `totals` are sums over the whole list, for lists that have them.
    """

    items: list[Item]
    limit: int
    next: str | None = None
    prev: str | None = None
    total: int | None = None
    totals: dict[str, int] | None = None

    def of(self, items: list[Other]) -> "Page[Other]":
        """The same page holding other items."""
        return Page(items, self.limit, self.next, self.prev, self.total, self.totals)

    def with_totals(self, totals: dict[str, int]) -> "Page[Item]":
        """The same page with the sums of the whole list."""
        return replace(self, totals=totals)


@dataclass(frozen=True)
class Order:
    """A total order: sort expressions with the id last, all in one direction, none ever null."""

    keys: tuple[ColumnElement[Any] | InstrumentedAttribute[Any], ...]
    descending: bool = True

    def clauses(self, *, backwards: bool) -> list[ColumnElement[Any]]:
        return [key.desc() if self.descending != backwards else key.asc() for key in self.keys]

    def beyond(self, values: Sequence[str], *, backwards: bool) -> ColumnElement[bool]:
        """Rows that come after the row with these sort values (before it, when going backwards)."""
        bounds = tuple_(*(cast(literal(value, String), key.type) for key, value in zip(self.keys, values, strict=True)))
        here = tuple_(*self.keys)
        return here < bounds if self.descending != backwards else here > bounds


def page_of(session: Session, statement: Select[Any], query: PageQuery, order: Order) -> Page[Row[Any]]:
    """One page of `statement` in `order`: one SQL statement, one more when a total is asked for.

    Raises InvalidRequest for a cursor that was tampered with or made under other filters.
    """
    purpose = _purpose(query, order)
    position = _read(query.cursor, purpose) if query.cursor else None
    backwards = bool(position and position.backwards)
    sought = statement.where(order.beyond(position.values, backwards=backwards)) if position else statement
    marks = [cast(key, String).label(f"page_key_{n}") for n, key in enumerate(order.keys)]
    sought = sought.add_columns(*marks).order_by(*order.clauses(backwards=backwards)).limit(query.limit + 1)
    found = list(session.execute(sought))
    more, rows = len(found) > query.limit, found[: query.limit]
    if backwards:
        rows.reverse()
    onward = bool(rows) and (backwards or more)
    back = bool(rows) and (more if backwards else position is not None)
    counted = select(func.count()).select_from(statement.order_by(None).subquery())
    return Page(
        rows,
        query.limit,
        next=_write(_values(rows[-1], len(marks)), purpose, backwards=False) if onward else None,
        prev=_write(_values(rows[0], len(marks)), purpose, backwards=True) if back else None,
        total=session.scalar(counted) if query.include_total else None,
    )


@dataclass(frozen=True)
class _Position:
    values: list[str]
    backwards: bool


def _values(row: Row[Any], count: int) -> list[str]:
    return list(row[-count:])


def _purpose(query: PageQuery, order: Order) -> str:
    """What a cursor is good for: this list, these filters, this order."""
    told = [type(query).__name__, query.filters(), [str(key) for key in order.keys], order.descending]
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _mac(payload: bytes, purpose: str) -> bytes:
    secret = CursorSettings.current().cursor_key.encode()
    return hmac.digest(secret, purpose.encode() + payload, "sha256")[:12]


def _write(values: list[str], purpose: str, *, backwards: bool) -> str:
    payload = json.dumps([int(backwards), *values], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_mac(payload, purpose) + payload).decode().rstrip("=")


def _read(cursor: str, purpose: str) -> _Position:
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError:
        raw = b""
    mac, payload = raw[:12], raw[12:]
    if not hmac.compare_digest(mac, _mac(payload, purpose)):
        raise InvalidRequest.field("cursor", "This cursor was not made for this list and these filters.")
    backwards, *values = json.loads(payload)
    return _Position(values, bool(backwards))
