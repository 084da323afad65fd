"""A store's orders as a file, read and written in batches, so that its size does not matter."""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import literal, tuple_

from shared.kit.db import read_only
from shared.kit.schemas import Instant, Query
from shared.kit.spreadsheet import CSV_TYPE, csv_of
from shared.orders.listing import OrderRowResponse, Side, order_rows
from shared.orders.models import Order

BATCH = 500

Batches = Iterator[list[OrderRowResponse]]


class ExportFormat(StrEnum):
    """The kind of file."""

    CSV = "csv"
    JSON = "json"


class ExportQuery(Query):
    """Which orders: those placed in a period, both its ends included; a file of all without one."""

    format: ExportFormat = ExportFormat.CSV
    side: Side | None = Field(default=None, alias="as")
    created_from: Instant | None = None
    created_to: Instant | None = None

    @property
    def content_type(self) -> str:
        """The media type of the file."""
        return "application/json" if self.format is ExportFormat.JSON else CSV_TYPE


def write_orders(store_id: UUID, query: ExportQuery, *, default: Side) -> Iterator[bytes]:
    """The pieces of the file, oldest order first. Each batch is a statement of its own, read when it is sent."""
    batches = _batches(store_id, query, query.side or default)
    return _as_csv(batches) if query.format is ExportFormat.CSV else _as_json(batches)


def _batches(store_id: UUID, query: ExportQuery, side: Side) -> Batches:
    key = (Order.created_at, Order.id)
    statement = order_rows(side.is_of(store_id)).order_by(*key).limit(BATCH)
    if query.created_from is not None:
        statement = statement.where(Order.created_at >= query.created_from)
    if query.created_to is not None:
        statement = statement.where(Order.created_at <= query.created_to)
    after: tuple[datetime, UUID] | None = None
    while True:
        here = statement
        if after is not None:
            bounds = (literal(value, column.type) for value, column in zip(after, key, strict=True))
            here = statement.where(tuple_(*key) > tuple_(*bounds))
        with read_only() as session:
            batch = [OrderRowResponse.model_validate(row) for row in session.execute(here)]
        yield batch
        if len(batch) < BATCH:
            return
        after = (batch[-1].created_at, batch[-1].id)


def _as_json(batches: Batches) -> Iterator[bytes]:
    """`{"data": […]}`, an order a line."""
    yield b'{"data":['
    separator = b"\n"
    for batch in batches:
        for row in batch:
            yield separator + row.model_dump_json().encode()
            separator = b",\n"
    yield b"\n]}\n"


_PLAIN = (
    "order_number",
    "id",
    "checkout_group_id",
    "created_at",
    "status",
    "fulfillment_status",
    "shipping_status",
    "refund_status",
    "payment_method",
    "payment_status",
    "currency",
    "subtotal_cents",
    "line_discounts_cents",
    "promo_discount_cents",
    "total_cents",
    "balance_due_cents",
    "delivered_at",
)
_COUNTS = ("lines", "pending", "accepted", "rejected", "fulfilled", "units")
_HEAD = (*_PLAIN, "buyer_store_id", "buyer_name", "vendor_store_id", "vendor_name", *_COUNTS)


def _as_csv(batches: Batches) -> Iterator[bytes]:
    """With a head. Times are RFC 3339."""
    yield csv_of([_HEAD])
    for batch in batches:
        yield csv_of([_cells(row) for row in batch])


def _cells(row: OrderRowResponse) -> list[Any]:
    told = row.model_dump(mode="json")
    sides = [told[side][name] for side in ("buyer", "vendor") for name in ("id", "name")]
    return [*(told[name] for name in _PLAIN), *sides, *(told["counts"][name] for name in _COUNTS)]
