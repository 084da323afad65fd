"""A model of the whole market, written from the specification: shelves, carts, orders, money and what is told.

It knows nothing of the code. Products go by their number, buyers and agents too; money is in cents.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

PRICES, SHELF = (1_000, 2_505, 4_000, 333), 9
VENDOR_OF = (0, 0, 1, 1)
"""Which vendor sells a product."""
TIER_PRODUCT, TIER_QTY, TIER_PERCENT = 1, 3, 5
PROMO_PERCENT, PROMO_USES, PROMO_USES_EACH = 10, 3, 2
"""Vendor 0's code: so much off, so often in all, so often for one buyer."""
QUOTE_LASTS, WINDOW, NUDGE_EVERY = timedelta(minutes=15), timedelta(days=5), timedelta(hours=12)

DEAD = {"rejected", "canceled", "expired"}
WAITS_FOR_VENDOR = {"created_pending", "accepted", "partially_accepted"}
HOLDABLE = {"accepted", "partially_accepted", "ready_for_dispatch"}
ON_THE_ROAD = {"in_transit", "delivered"}
OPEN_PAYMENTS = {"unpaid", "failed"}


def half_up(cents: int, percent: int) -> int:
    return (cents * percent + 50) // 100


def line_cents(product: int, qty: int) -> int:
    subtotal = PRICES[product] * qty
    return subtotal - (half_up(subtotal, TIER_PERCENT) if (product, qty >= TIER_QTY) == (TIER_PRODUCT, True) else 0)


@dataclass
class Line:
    product: int
    qty: int
    status: str = "pending"

    @property
    def cents(self) -> int:
        return line_cents(self.product, self.qty)


@dataclass
class InCart:
    """A quoted cart: what can be ordered of it, and whether vendor 0's code counts."""

    id: Any
    items: list[tuple[int, int]]
    valid_until: datetime
    with_promo: bool
    converted: bool = False

    def promo_cents(self, vendor: int) -> int:
        base = sum(line_cents(n, qty) for n, qty in self.items if VENDOR_OF[n] == vendor)
        return half_up(base, PROMO_PERCENT) if self.with_promo and vendor == 0 else 0

    @property
    def total_cents(self) -> int:
        return sum(line_cents(n, qty) for n, qty in self.items) - self.promo_cents(0)


@dataclass
class Placed:
    """An order. `promo_cents` is what its code would take off if there were room for it."""

    id: Any
    buyer: int
    lines: list[Line]
    promo_cents: int
    pending_until: datetime
    status: str = "created_pending"
    payment: str = "unpaid"
    agent: int | None = None
    held_from: str | None = None
    reminded: bool = False
    last_nudged_at: datetime | None = None
    retried_as: Any = None
    expired_lines: list[tuple[int, int]] = field(default_factory=list)
    ledger: list[tuple[str, int]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    @property
    def total_cents(self) -> int:
        standing = sum(line.cents for line in self.standing)
        return standing - min(self.promo_cents, standing)

    @property
    def balance_cents(self) -> int:
        return 0 if self.payment in {"settled", "paid"} or self.status in DEAD else self.total_cents

    @property
    def standing(self) -> list[Line]:
        return [line for line in self.lines if line.status != "rejected"]

    def of_status(self, status: str) -> list[Line]:
        return [line for line in self.lines if line.status == status]


class Books:
    """What is on the shelves, what is held for orders, and every order there is."""

    def __init__(self) -> None:
        self.free, self.held = [SHELF] * len(PRICES), [0] * len(PRICES)
        self.carts: dict[int, InCart] = {}
        self.orders: list[Placed] = []
        self.uses: Counter[int] = Counter()
        self.conversions = 0

    # Buyers

    def may_use_code(self, buyer: int) -> bool:
        return self.uses.total() < PROMO_USES and self.uses[buyer] < PROMO_USES_EACH

    def sellable(self, items: list[tuple[int, int]]) -> list[tuple[int, int]]:
        return [(n, qty) for n, qty in items if self.free[n] >= qty]

    def code_is_used_up(self, buyer: int, cart: InCart) -> bool:
        """Whether an order that would use the cart's code comes too late for it."""
        uses = cart.with_promo and any(VENDOR_OF[n] == 0 for n, _ in self.sellable(cart.items))
        return uses and not self.may_use_code(buyer)

    def place(self, buyer: int, cart: InCart, vendor: int, order_id: Any, now: datetime) -> None:
        """One vendor's part of a conversion. Lines without stock are rejected."""
        lines = [
            Line(n, qty, "pending" if self.free[n] >= qty else "rejected")
            for n, qty in cart.items
            if VENDOR_OF[n] == vendor
        ]
        placed = Placed(order_id, buyer, lines, cart.promo_cents(vendor), now + WINDOW)
        self._begin(placed)
        if cart.with_promo and vendor == 0 and placed.status == "created_pending":
            self.uses[buyer] += 1

    def place_again(self, former: Placed, order_id: Any, now: datetime) -> None:
        lines = [Line(n, qty, "pending" if self.free[n] >= qty else "rejected") for n, qty in former.expired_lines]
        again = Placed(order_id, former.buyer, lines, former.promo_cents, now + WINDOW, told=["order_retried"])
        former.retried_as = order_id
        self._begin(again)

    def _begin(self, placed: Placed) -> None:
        for line in placed.standing:
            self.free[line.product] -= line.qty
            self.held[line.product] += line.qty
        placed.status = "created_pending" if placed.standing else "rejected"
        self.orders.append(placed)

    def nudge(self, placed: Placed, now: datetime) -> None:
        fresh = placed.last_nudged_at is not None and now < placed.last_nudged_at + NUDGE_EVERY
        if placed.status in WAITS_FOR_VENDOR and not fresh:
            placed.last_nudged_at = now
            placed.told.append("order_nudged")

    def cancel(self, placed: Placed) -> None:
        if placed.status in {*WAITS_FOR_VENDOR, "ready_for_dispatch", "hold"}:
            self._end(placed, "canceled")

    # Vendors

    def accept(self, placed: Placed) -> None:
        if placed.status == "created_pending":
            for line in placed.of_status("pending"):
                line.status = "accepted"
            self._decided(placed)
            placed.told.append("order_decided")

    def reject(self, placed: Placed) -> None:
        if placed.status == "created_pending" and not placed.of_status("fulfilled"):
            for line in placed.standing:
                self._reject(line)
            placed.status = "rejected"
            placed.told.append("order_decided")

    def decide_line(self, placed: Placed, line: Line, decision: str) -> None:
        outcome = {"accept": "accepted", "reject": "rejected", "fulfill": "fulfilled"}[decision]
        allowed = {"pending": {"accepted", "rejected", "fulfilled"}, "accepted": {"rejected", "fulfilled"}}
        if placed.status not in WAITS_FOR_VENDOR or outcome not in allowed.get(line.status, set()):
            return
        was_pending = placed.status == "created_pending"
        if outcome == "rejected":
            self._reject(line)
        line.status = outcome
        self._decided(placed)
        if placed.status != "created_pending":
            if was_pending or outcome == "rejected":
                placed.told.append("order_decided")
            self._pack(placed)

    def fulfill(self, placed: Placed) -> None:
        if placed.status in {"accepted", "partially_accepted"}:
            for line in placed.of_status("accepted"):
                line.status = "fulfilled"
            self._pack(placed)

    def hold(self, placed: Placed) -> None:
        if placed.status in HOLDABLE:
            placed.held_from, placed.status = placed.status, "hold"

    def release(self, placed: Placed) -> None:
        if placed.status == "hold":
            placed.status = placed.held_from or ""
            if placed.status == "ready_for_dispatch" and placed.agent is None:
                placed.told.append("order_ready_for_dispatch")

    def _decided(self, placed: Placed) -> None:
        if placed.of_status("pending"):
            placed.status = "created_pending"
        elif not placed.standing:
            placed.status = "rejected"
        else:
            placed.status = "partially_accepted" if placed.of_status("rejected") else "accepted"

    def _pack(self, placed: Placed) -> None:
        if placed.of_status("fulfilled") and not placed.of_status("accepted"):
            placed.status = "ready_for_dispatch"
            placed.told.append("order_ready_for_dispatch")

    def _reject(self, line: Line) -> None:
        line.status = "rejected"
        self.free[line.product] += line.qty
        self.held[line.product] -= line.qty

    def _end(self, placed: Placed, status: str) -> None:
        for line in placed.standing:
            self._reject(line)
        placed.status, placed.agent = status, None
        placed.told.append(f"order_{status}")

    # Time

    def strike(self, now: datetime) -> None:
        for placed in self.orders:
            if placed.status == "created_pending" and placed.pending_until <= now:
                if placed.reminded:
                    placed.expired_lines = [(line.product, line.qty) for line in placed.standing]
                    self._end(placed, "expired")
                else:
                    placed.reminded, placed.pending_until = True, now + WINDOW
                    placed.told.append("order_pending_nudge")

    # Agents and admins

    def least_loaded(self, agents: int) -> set[int]:
        in_hand = Counter(
            placed.agent for placed in self.orders if placed.status in {"ready_for_dispatch", "hold", "in_transit"}
        )
        least = min(in_hand[agent] for agent in range(agents))
        return {agent for agent in range(agents) if in_hand[agent] == least}

    def waits_for_agent(self, placed: Placed) -> bool:
        return placed.status == "ready_for_dispatch" and placed.agent is None

    def assigned(self, placed: Placed, agent: int) -> None:
        placed.agent = agent
        placed.told.append("order_assigned")

    def reassign(self, placed: Placed, agent: int) -> None:
        if placed.status in {"ready_for_dispatch", *ON_THE_ROAD} and placed.agent != agent:
            self.assigned(placed, agent)

    def pick_up(self, placed: Placed, agent: int) -> None:
        if placed.status == "ready_for_dispatch" and placed.agent == agent:
            placed.status = "in_transit"
            placed.told.append("order_in_transit")

    def deliver(self, placed: Placed, agent: int) -> None:
        if placed.status == "in_transit" and placed.agent == agent:
            placed.status = "delivered"
            placed.told.append("order_delivered")
            for line in placed.standing:
                self.held[line.product] -= line.qty

    def collect(self, placed: Placed, agent: int, cents: int) -> None:
        if placed.status not in ON_THE_ROAD or placed.agent != agent or placed.payment not in OPEN_PAYMENTS:
            return
        if cents != placed.balance_cents:
            placed.payment = "failed"
            placed.told.append("payment_failed")
        else:
            placed.payment = "settled"
            placed.told.append("cash_collected")
            placed.ledger.append(("cash_collected", cents))

    def refuse_payment(self, placed: Placed) -> None:
        if placed.status not in DEAD and placed.payment in OPEN_PAYMENTS:
            placed.payment = "rejected"
            placed.told.append("payment_rejected")

    def reset_payment(self, placed: Placed) -> None:
        if placed.status not in DEAD and placed.payment in {"failed", "rejected"}:
            placed.payment = "unpaid"

    def pay_out(self, placed: Placed) -> None:
        if (placed.status, placed.payment) == ("delivered", "settled"):
            placed.status, placed.payment = "closed", "paid"
            placed.told.append("order_paid")
            placed.ledger.append(("vendor_payout", placed.total_cents))
