"""A stateful walk over a whole market: buyers quote and check out, vendors and agents do what they please.

The model knows four products, what is on their shelves, and the orders; it is written from the
specification. After each step shelves, orders and money are as it says.
"""

from contextlib import ExitStack, suppress
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from shared.events.checkout import CheckoutConverted
from shared.kit import db
from shared.kit.db import read_only, transaction
from shared.kit.errors import StateConflict
from shared.kit.outbox import OutboxEvent, emit
from shared.orders import assignment, cancellation, checkout, decisions, delivery, payments, queries, quoting
from shared.orders.decisions import Decision
from shared.orders.drafting import Confirmed
from shared.orders.intent import QuoteRequest
from shared.orders.models import Order, PaymentIntent, PaymentMethod
from shared.orders.shipping import OPTIONS
from tests.builders.carts import HOME
from tests.builders.orders import an_agent
from tests.builders.products import a_product
from tests.builders.stores import a_buyer, a_vendor
from tests.invariants import broken_invariants
from tests.stock import stock_of

pytestmark = pytest.mark.usefixtures("committed_database")

PRICES, SHELF = (1_000, 2_500, 4_000, 333), 9
CONFIRMED = Confirmed(HOME, PaymentMethod.CASH, OPTIONS[0], None)
NEXT = {
    "accepted": "ready_for_dispatch",
    "partially_accepted": "ready_for_dispatch",
    "ready_for_dispatch": "in_transit",
    "in_transit": "delivered",
}
CANCELABLE = {"created_pending", "accepted", "partially_accepted", "ready_for_dispatch"}
a_buyers_place, a_basket = st.integers(0, 2), st.dictionaries(st.integers(0, 3), st.integers(1, 4), min_size=1)


@dataclass
class Placed:
    """An order as the model sees it. `lines` are product and quantity of what got its stock."""

    id: object
    status: str
    lines: list[tuple[int, int]]
    had_rejected: bool
    paid: str = "unpaid"

    @property
    def total_cents(self):
        return sum(PRICES[product] * qty for product, qty in self.lines)


@dataclass
class InCart:
    """A quoted cart: product and quantity of each item that can be ordered."""

    id: object
    items: list[tuple[int, int]]
    converted: bool = False


class Market(RuleBasedStateMachine):
    """Three buyers and two vendors with two products each, nine units on each shelf."""

    def __init__(self):
        super().__init__()
        self.undo = ExitStack()
        self.undo.enter_context(db.pinned_connection())

    def teardown(self):
        try:
            assert broken_invariants() == []
        finally:
            self.undo.close()

    @initialize(shopping=st.lists(st.tuples(a_buyers_place, a_basket, st.integers(0, 6)), min_size=2, max_size=5))
    def open(self, shopping):
        """A market that has been open for a while: orders stand at every place of the straight road."""
        vendors = [a_vendor(), a_vendor()]
        self.products = [a_product(vendors[n // 2], price_cents=PRICES[n], available_qty=SHELF) for n in range(4)]
        self.buyers = [a_buyer() for _ in range(3)]
        self.agent = an_agent()
        self.free, self.held = [SHELF] * 4, [0] * 4
        self.carts, self.orders, self.conversions = {}, [], 0
        for buyer, basket, steps in shopping:
            already = len(self.orders)
            self.quote(buyer, basket)
            self.check_out(buyer)
            for which in range(already, len(self.orders)):
                for _ in range(steps):
                    self.walk_on(which)

    @rule(buyer=a_buyers_place, basket=a_basket)
    def quote(self, buyer, basket):
        items = [{"product_id": self.products[n].id, "quantity": qty} for n, qty in basket.items()]
        with transaction() as session:
            made = quoting.quote(session, self.buyers[buyer].id, QuoteRequest(items=items))

        expected = [(n, min(qty, self.free[n])) for n, qty in basket.items() if self.free[n]]
        assert [item["qty"] for item in made.items if item["status"] == "ok"] == [qty for _, qty in expected]
        assert made.cart["total_cents"] == sum(PRICES[n] * qty for n, qty in expected)
        self.carts[buyer] = InCart(made.cart["id"], expected)

    @precondition(lambda self: self.carts)
    @rule(buyer=a_buyers_place)
    def check_out(self, buyer):
        if buyer not in self.carts:
            return
        cart = self.carts[buyer]
        sold = [(n, qty) for n, qty in cart.items if self.free[n] >= qty]
        refusal = checkout.NothingOrderable if not cart.items else checkout.OutOfStock if not sold else None
        if cart.converted:
            assert self._convert(buyer, cart) is None
        elif refusal:
            with pytest.raises(refusal):
                self._convert(buyer, cart)
        else:
            self._place(cart, sold, self._convert(buyer, cart))

    def _convert(self, buyer, cart):
        with transaction() as session:
            return checkout.convert(session, self.buyers[buyer].id, cart.id, CONFIRMED)

    def _place(self, cart, sold, conversion):
        cart.converted = True
        self.conversions += 1
        for order in conversion.orders:
            own = [n for n in range(4) if self.products[n].vendor_store_id == order["vendor_store_id"]]
            lines = [(n, qty) for n, qty in sold if n in own]
            wanted = [n for n, _ in cart.items if n in own]
            status = "created_pending" if lines else "rejected"
            self.orders.append(Placed(order["id"], status, lines, len(wanted) > len(lines)))
        for n, qty in sold:
            self.free[n] -= qty
            self.held[n] += qty

    def _do(self, placed, verb):
        """Ask for something; whether it was refused."""
        with suppress(StateConflict), transaction() as session:
            order = queries.lock_order(session, placed.id)
            emit(session, *verb(session, order))
            return True
        return False

    def _end(self, placed, status):
        for n, qty in placed.lines:
            self.free[n] += qty
            self.held[n] -= qty
        placed.status, placed.lines = status, []

    @precondition(lambda self: self.orders)
    @rule(which=st.integers(0, 99))
    def walk_on(self, which):
        """What would be done next if nothing went wrong."""
        placed = self.orders[which % len(self.orders)]
        if placed.status == "created_pending":
            self.decide(which, Decision.ACCEPT)
        elif placed.status in NEXT:
            self.go_on(which)
        elif placed.paid != "settled":
            self.collect(which, 0)
        else:
            self.pay_out(which)

    @precondition(lambda self: self.orders)
    @rule(which=st.integers(0, 99), decision=st.sampled_from(Decision))
    def decide(self, which, decision):
        placed = self.orders[which % len(self.orders)]
        self._do(placed, lambda session, order: decisions.decide(session, order, decision))
        if placed.status != "created_pending":
            return
        if decision is Decision.REJECT:
            self._end(placed, "rejected")
        else:
            placed.status = "partially_accepted" if placed.had_rejected else "accepted"

    @precondition(lambda self: self.orders)
    @rule(which=st.integers(0, 99))
    def go_on(self, which):
        placed = self.orders[which % len(self.orders)]
        if placed.status not in NEXT:
            return
        verbs = {
            "ready_for_dispatch": self._pick_up,
            "in_transit": lambda session, order: delivery.deliver(session, order, _assignment(session, order)),
        }
        assert self._do(placed, verbs.get(placed.status, decisions.fulfill))
        placed.status = NEXT[placed.status]
        if placed.status == "delivered":
            for n, qty in placed.lines:
                self.held[n] -= qty

    def _pick_up(self, session, order):
        claimed = assignment.claim(session, order, self.agent.id)
        return (*claimed, *delivery.pick_up(session, order, _assignment(session, order)))

    @precondition(lambda self: self.orders)
    @rule(which=st.integers(0, 99), short_cents=st.sampled_from([0, 0, 1]))
    def collect(self, which, short_cents):
        placed = self.orders[which % len(self.orders)]
        if placed.status not in {"in_transit", "delivered"}:
            return
        cents = placed.total_cents - short_cents
        collected = self._do(
            placed,
            lambda session, order: (
                payments.collect_cash(session, order, _assignment(session, order), amount_cents=cents),
            ),
        )
        assert collected is (placed.paid in {"unpaid", "failed"})
        if collected:
            placed.paid = "failed" if short_cents else "settled"

    @precondition(lambda self: self.orders)
    @rule(which=st.integers(0, 99))
    def pay_out(self, which):
        placed = self.orders[which % len(self.orders)]
        self._do(placed, payments.confirm_payout)
        if (placed.status, placed.paid) == ("delivered", "settled"):
            placed.status, placed.paid = "closed", "paid"

    @precondition(lambda self: self.orders)
    @rule(which=st.integers(0, 99), verb=st.sampled_from(["cancel", "expire"]))
    def end(self, which, verb):
        placed = self.orders[which % len(self.orders)]
        self._do(placed, getattr(cancellation, verb))
        if placed.status in ({"created_pending"} if verb == "expire" else CANCELABLE):
            self._end(placed, "expired" if verb == "expire" else "canceled")

    @invariant()
    def shelves_are_as_the_model_says(self):
        if hasattr(self, "products"):
            assert [stock_of(product.id) for product in self.products] == list(zip(self.free, self.held, strict=True))

    @invariant()
    def orders_and_money_are_as_the_model_says(self):
        with read_only() as session:
            joined = select(Order.id, Order.status, Order.total_cents, Order.balance_due_cents, PaymentIntent.status)
            rows = session.execute(joined.join(PaymentIntent, PaymentIntent.order_id == Order.id)).all()
        expected = {
            placed.id: (
                placed.status,
                placed.total_cents,
                0 if placed.paid in {"settled", "paid"} else placed.total_cents,
                placed.paid,
            )
            for placed in getattr(self, "orders", [])
        }
        assert {order_id: tuple(map(_plain, rest)) for order_id, *rest in rows} == expected

    @invariant()
    def each_conversion_was_told_once(self):
        with read_only() as session:
            told = select(func.count()).where(OutboxEvent.event_type == CheckoutConverted.event_type())
            assert session.scalar(told) == getattr(self, "conversions", 0)


def _assignment(session, order):
    return queries.find_open_assignment(session, order.id)


def _plain(value):
    return str(value) if isinstance(value, str) else value


def test_whatever_buyers_vendors_and_agents_do_shelves_and_books_stay_right():
    walks = settings(
        max_examples=30,
        stateful_step_count=30,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Market, settings=walks)
