"""What no endpoint tells, read from the stack's database: stock with its movements, and the outbox."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import make_url

from infra.local.databases import DatabaseServer


@dataclass(frozen=True)
class Stock:
    """A product's stock, and the sums of its movements, which must be the same."""

    available_qty: int
    reserved_qty: int
    moved_available_qty: int
    moved_reserved_qty: int


@dataclass(frozen=True)
class OutboxLine:
    """An event that was written down."""

    event_type: str
    is_published: bool
    latency_ms: float


class Books:
    """Reads from the database at this URL; each call sees what is committed by then."""

    def __init__(self, database_url: str) -> None:
        self._server = DatabaseServer(database_url)
        self._database = make_url(database_url).database or ""

    def stock(self, product_id: str) -> Stock:
        [row] = self._rows(
            "SELECT available_qty, reserved_qty, coalesce(sum(delta_available_qty), 0)::int,"
            " coalesce(sum(delta_reserved_qty), 0)::int"
            " FROM inventory_items LEFT JOIN inventory_movements USING (product_id)"
            " WHERE product_id = %s::uuid GROUP BY product_id, available_qty, reserved_qty",
            product_id,
        )
        return Stock(*row)

    def events(self, aggregate_ids: Sequence[str]) -> list[OutboxLine]:
        """The events of these aggregates, oldest first."""
        rows = self._rows(
            "SELECT event_type, published_at IS NOT NULL,"
            " coalesce(extract(epoch FROM published_at - created_at) * 1000, 0)::float"
            " FROM outbox_events WHERE aggregate_id = ANY (%s::uuid[]) ORDER BY created_at, id",
            list(aggregate_ids),
        )
        return [OutboxLine(*row) for row in rows]

    def _rows(self, statement: str, *values: Any) -> Iterator[list[Any]]:
        with self._server.cursor(self._database) as cursor:
            cursor.execute(statement, values)
            yield from cursor.fetchall()
