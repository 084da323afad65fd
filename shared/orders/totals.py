"""What an order costs: the sums over the lines that stand, and what of it is still owed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self

from shared.orders.lifecycle import DEAD
from shared.orders.models import IntentStatus, LineStatus, Order, PaymentIntent
from shared.orders.pricing import LinePrice, Totals, sum_lines

_PAID = (IntentStatus.SETTLED, IntentStatus.PAID)


class PricedLine(Protocol):
    """What of a line counts."""

    @property
    def status(self) -> LineStatus: ...
    @property
    def line_subtotal_cents(self) -> int: ...
    @property
    def line_discount_cents(self) -> int: ...


@dataclass(frozen=True, slots=True)
class LineFigures:
    """What counts of a line that is not more than a row yet."""

    status: LineStatus
    line_subtotal_cents: int
    line_discount_cents: int

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """The figures of an order line's row."""
        return cls(row["status"], row["line_subtotal_cents"], row["line_discount_cents"])


def totals_of(lines: Iterable[PricedLine], promo_discount_cents: int) -> Totals:
    """The sums over the lines that are not rejected; of the promo, as much as they leave room for."""
    standing = [line for line in lines if line.status is not LineStatus.REJECTED]
    prices = [LinePrice(None, line.line_subtotal_cents, line.line_discount_cents) for line in standing]
    return sum_lines(prices, promo_discount_cents)


def retotal(order: Order, intent: PaymentIntent, lines: Iterable[PricedLine]) -> None:
    """Bring order and payment intent in line with what stands."""
    totals = totals_of(lines, order.promo_discount_cents)
    order.subtotal_cents = totals.subtotal_cents
    order.line_discounts_cents = totals.line_discounts_cents
    order.promo_discount_cents = totals.promo_discount_cents
    order.total_cents = intent.amount_cents = totals.total_cents
    order.balance_due_cents = balance_due_cents(order, intent)


def balance_due_cents(order: Order, intent: PaymentIntent) -> int:
    """What the buyer still owes: nothing once settled, canceled, expired or rejected."""
    return 0 if intent.status in _PAID or order.status in DEAD else order.total_cents
