"""Keyset pages: a page costs the same at any depth, and no row repeats or vanishes while rows are added."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import Field, field_validator
from sqlalchemy import ColumnElement, Row, Select, String, and_, cast, func, literal, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from shared.kit.config import Settings
from shared.kit.context import work
from shared.kit.errors import InvalidRequest
from shared.kit.schemas import Page, Query

__all__ = ["CursorSettings", "Order", "Page", "PageQuery", "page_of"]


class CursorSettings(Settings):
    """The secrets of cursors, separated by commas; the first signs, all are accepted."""

    cursor_key: str

    @field_validator("cursor_key")
    @classmethod
    def _usable(cls, value: str) -> str:
        if any(len(key) < 32 for key in value.split(",")):
            raise ValueError("expected secrets of 32 characters or more, separated by commas")
        return value

    @property
    def keys(self) -> list[bytes]:
        return [key.encode() for key in self.cursor_key.split(",")]


class PageQuery(Query):
    """The query parameters of every list; a list's filters are fields of its subclass."""

    limit: int = Field(default=25, ge=1, le=100)
    cursor: str | None = Field(default=None, max_length=1_000)
    include_total: bool = False

    def filters(self) -> dict[str, Any]:
        """What narrows the list: every parameter that is not about paging."""
        return self.model_dump(mode="json", exclude={"limit", "cursor", "include_total"})


@dataclass(frozen=True)
class Seek:
    """Where a page begins: past the row with these sort values (at the first row without them).

    `limit` counts one row more than the page holds, which tells whether there is more.
    """

    limit: int
    values: list[str] | None = None
    backwards: bool = False


@dataclass(frozen=True)
class Order:
    """A total order: sort expressions with the id last, all in one direction, none ever null.

    `grouped` says that many rows share the first key and are reached through it: its bound is then
    given apart, so that whole groups are passed over.
    """

    keys: tuple[ColumnElement[Any] | InstrumentedAttribute[Any], ...]
    descending: bool = True
    grouped: bool = False

    def clauses(self, *, backwards: bool) -> list[ColumnElement[Any]]:
        return [key.desc() if self.descending != backwards else key.asc() for key in self.keys]

    def marks(self) -> list[ColumnElement[str]]:
        """What a row's cursor is made of; the last columns of every row that is fetched for a page."""
        return [cast(key, String).label(f"page_key_{n}") for n, key in enumerate(self.keys)]

    def beyond(self, values: Sequence[str], *, backwards: bool) -> ColumnElement[bool]:
        """Rows that come after the row with these sort values (before it, when going backwards)."""
        bounds = [cast(literal(value, String), key.type) for key, value in zip(self.keys, values, strict=True)]
        here, falling = tuple_(*self.keys), self.descending != backwards
        past = here < tuple_(*bounds) if falling else here > tuple_(*bounds)
        if not self.grouped:
            return past
        return and_(self.keys[0] <= bounds[0] if falling else self.keys[0] >= bounds[0], past)

    def sought(self, statement: Select[Any], seek: Seek) -> Select[Any]:
        """The rows of `statement` that the page needs, in the direction in which it is sought."""
        if seek.values is not None:
            statement = statement.where(self.beyond(seek.values, backwards=seek.backwards))
        return statement.order_by(*self.clauses(backwards=seek.backwards)).limit(seek.limit)


Fetch = Callable[[Seek], Sequence[Row[Any]]]


def page_of(
    session: Session, statement: Select[Any], query: PageQuery, order: Order, *, counted: Select[Any] | None = None
) -> Page[Row[Any]]:
    """One page of `statement` in `order`: one SQL statement, one more when a total is asked for.

    `counted` may be a plainer statement that has as many rows. Raises InvalidRequest for a cursor that was
    tampered with or made under other filters.
    """
    marked = statement.add_columns(*order.marks())
    page = page_from(lambda seek: list(session.execute(order.sought(marked, seek))), query, order)
    if not query.include_total:
        return page
    rows = (statement if counted is None else counted).order_by(None).subquery()
    return replace(page, total=session.scalar(select(func.count()).select_from(rows)))


def page_from(fetch: Fetch, query: PageQuery, order: Order) -> Page[Row[Any]]:
    """One page of what `fetch` finds: rows in the direction sought, each ending with `order.marks()`.

    Raises InvalidRequest for a cursor that was tampered with or made under other filters.
    """
    purpose = _purpose(query, order)
    seek = _read(query.cursor, purpose, query.limit + 1) if query.cursor else Seek(query.limit + 1)
    found = list(fetch(seek))
    more, rows = len(found) > query.limit, found[: query.limit]
    if seek.backwards:
        rows.reverse()
    onward = bool(rows) and (seek.backwards or more)
    back = bool(rows) and (more if seek.backwards else seek.values is not None)
    width = len(order.keys)
    return Page(
        rows,
        query.limit,
        next=_write(_values(rows[-1], width), purpose, backwards=False) if onward else None,
        prev=_write(_values(rows[0], width), purpose, backwards=True) if back else None,
    )


def _values(row: Row[Any], count: int) -> list[str]:
    return list(row[-count:])


def _purpose(query: PageQuery, order: Order) -> str:
    """What a cursor is good for: this list of this route, these filters, this order."""
    told = [work().action, type(query).__name__, query.filters(), [str(key) for key in order.keys], order.descending]
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _mac(payload: bytes, purpose: str, key: bytes) -> bytes:
    return hmac.digest(key, purpose.encode() + payload, "sha256")[:12]


def _write(values: list[str], purpose: str, *, backwards: bool) -> str:
    payload = json.dumps([int(backwards), *values], separators=(",", ":")).encode()
    signed = _mac(payload, purpose, CursorSettings.current().keys[0]) + payload
    return base64.urlsafe_b64encode(signed).decode().rstrip("=")


def _read(cursor: str, purpose: str, limit: int) -> Seek:
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError:
        raw = b""
    mac, payload = raw[:12], raw[12:]
    if not any(hmac.compare_digest(mac, _mac(payload, purpose, key)) for key in CursorSettings.current().keys):
        raise InvalidRequest.field("cursor", "This cursor was not made for this list and these filters.")
    backwards, *values = json.loads(payload)
    return Seek(limit, values, bool(backwards))
