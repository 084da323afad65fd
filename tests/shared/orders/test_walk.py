"""A stateful walk: whatever is asked of an order in whatever sequence, the books stay right.

The model below is written from the specification and knows nothing of the code's tables.
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

from shared.kit import db
from shared.kit.db import read_only, transaction
from shared.kit.errors import StateConflict
from shared.kit.outbox import OutboxEvent, emit
from shared.operations.audit import AuditLog
from shared.orders import assignment, cancellation, decisions, delivery, holds, payments, queries
from shared.orders.decisions import Decision, LineDecision, step_of
from shared.orders.models import IntentStatus, LineStatus, Order, OrderLine, OrderStatus, PaymentIntent
from tests.builders.orders import A, an_agent, an_order
from tests.orders import intent_now, ledger_of, lines_now, now
from tests.stock import stock_of

pytestmark = pytest.mark.usefixtures("committed_database")

DEAD = {"rejected", "canceled", "expired"}
GONE = {"delivered", "closed"}
PRICES = (2_500, 4_000, 1_250)
QTY = 2


@dataclass(frozen=True)
class Books:
    """All that is known of the order at one moment."""

    order: Order
    intent: PaymentIntent
    lines: list[OrderLine]
    stock: list[tuple[int, int]]
    ledger: list[tuple[str, int]]
    told: int

    @classmethod
    def of(cls, order):
        with read_only() as session:
            rows = (
                select(func.count()).select_from(model).where(column == order.id).scalar_subquery()
                for model, column in ((AuditLog, AuditLog.target_id), (OutboxEvent, OutboxEvent.aggregate_id))
            )
            told = sum(session.execute(select(*rows)).one())
        stock = [stock_of(line.product_id) for line in order.lines]
        return cls(now(order), intent_now(order), lines_now(order), stock, ledger_of(order), told)

    def same_as(self, other):
        return (
            all(getattr(self, name) == getattr(other, name) for name in ("stock", "ledger", "told"))
            and self._states() == other._states()
        )

    def _states(self):
        held = self.order
        lines = [(line.status, line.notes) for line in self.lines]
        return held.status, held.total_cents, held.balance_due_cents, self.intent.status, lines


class OrderWalk(RuleBasedStateMachine):
    """Random deeds of all actors upon one order of three lines with a promo of $30."""

    def __init__(self):
        super().__init__()
        self.undo = ExitStack()
        self.undo.enter_context(db.pinned_connection())

    def teardown(self):
        self.undo.close()

    @initialize(steps=st.integers(0, 8))
    def place(self, steps):
        """Somewhere on the straight road, so that its end is seen as often as its beginning."""
        self.agent = an_agent()
        lines = tuple(A(qty=QTY, unit_price_cents=price) for price in PRICES)
        self.order = an_order(lines=lines, promo_cents=3_000)
        self.books = Books.of(self.order)
        for _ in range(steps):
            self.go_on()

    @rule()
    def go_on(self):
        """What would be done next if nothing went wrong."""
        status = self.books.order.status
        nexts = {
            "created_pending": lambda: self.decide(Decision.ACCEPT),
            "accepted": lambda: self.fulfill(None),
            "partially_accepted": lambda: self.fulfill(None),
            "hold": self.release,
            "ready_for_dispatch": lambda: self.pick_up() if self.is_assigned() else self.claim(),
            "in_transit": self.deliver,
            "delivered": lambda: self.pay_out() if self.books.ledger else self.collect(None),
        }
        nexts.get(status, self.hold)()

    def do(self, verb):
        """Ask for something, after which the books must be right; a refusal must leave them as they were."""
        refused = True
        with suppress(StateConflict), transaction() as session:
            emit(session, *verb(session, queries.lock_order(session, self.order.id)))
            refused = False
        before, self.books = self.books, Books.of(self.order)
        if refused:
            assert self.books.same_as(before)
        if before.order.status in {*DEAD, "closed"}:
            assert self.books.order.status is before.order.status

    @rule(decision=st.sampled_from(Decision))
    def decide(self, decision):
        self.do(lambda session, order: decisions.decide(session, order, decision))

    @rule(asked=st.lists(st.tuples(st.integers(0, 2), st.sampled_from(LineDecision)), min_size=1, max_size=3))
    def decide_lines(self, asked):
        steps = [step_of(self.order.lines[n].id, decision) for n, decision in dict(asked).items()]
        self.do(lambda session, order: decisions.decide_lines(session, order, steps))

    @rule(which=st.none() | st.sets(st.integers(0, 2), min_size=1))
    def fulfill(self, which):
        ids = None if which is None else [self.order.lines[n].id for n in sorted(which)]
        self.do(lambda session, order: decisions.fulfill(session, order, ids))

    @rule()
    def hold(self):
        self.do(lambda session, order: holds.hold(session, order, reason="A label is missing."))

    @rule()
    def release(self):
        self.do(holds.release)

    @rule()
    def assign(self):
        self.do(assignment.assign_least_loaded)

    @rule()
    def claim(self):
        self.do(lambda session, order: assignment.claim(session, order, self.agent.id))

    @precondition(lambda self: self.is_assigned())
    @rule()
    def pick_up(self):
        self.do(lambda session, order: delivery.pick_up(session, order, self.assignment(session)))

    @precondition(lambda self: self.is_assigned())
    @rule()
    def deliver(self):
        self.do(lambda session, order: delivery.deliver(session, order, self.assignment(session)))

    @precondition(lambda self: self.is_assigned())
    @rule(amount_cents=st.none() | st.sampled_from([0, 1, 12_500]))
    def collect(self, amount_cents):
        def verb(session, order):
            cents = order.balance_due_cents if amount_cents is None else amount_cents
            return (payments.collect_cash(session, order, self.assignment(session), amount_cents=cents),)

        self.do(verb)

    @rule()
    def pay_out(self):
        self.do(payments.confirm_payout)

    @rule()
    def reject_payment(self):
        self.do(lambda session, order: payments.reject_payment(session, order, reason="Returned."))

    @rule()
    def reset_payment(self):
        self.do(lambda session, order: payments.reset_payment(session, order, reason="Mistyped."))

    # Ending an order is left for late, so that walks get somewhere first.
    @precondition(lambda self: self.books.told >= 6)
    @rule()
    def cancel(self):
        self.do(cancellation.cancel)

    @precondition(lambda self: self.books.told >= 6)
    @rule()
    def expire(self):
        self.do(cancellation.expire)

    def is_assigned(self):
        with read_only() as session:
            return self.assignment(session) is not None

    def assignment(self, session):
        return queries.find_open_assignment(session, self.order.id)

    @invariant()
    def the_total_is_what_stands(self):
        held, intent = self.books.order, self.books.intent
        standing = sum(line.line_total_cents for line in self.books.lines if line.status != "rejected")
        assert held.total_cents == held.subtotal_cents - held.line_discounts_cents - held.promo_discount_cents
        assert held.total_cents == standing - min(3_000, standing)
        assert intent.amount_cents == held.total_cents
        owes = intent.status not in ("settled", "paid") and held.status not in DEAD
        assert held.balance_due_cents == (held.total_cents if owes else 0)

    @invariant()
    def stock_is_reserved_for_open_lines_and_gone_once_delivered(self):
        status = self.books.order.status
        for line, stock in zip(self.books.lines, self.books.stock, strict=True):
            stands = line.status is not LineStatus.REJECTED
            assert stock == (100 - QTY if stands else 100, QTY if stands and status not in GONE else 0)

    @invariant()
    def the_ledger_agrees_with_the_payment(self):
        intent = self.books.intent
        cash = [("cash_collected", intent.amount_cents)]
        payout = [("vendor_payout", intent.amount_cents)]
        expected = {IntentStatus.SETTLED: cash, IntentStatus.PAID: cash + payout}
        assert self.books.ledger == expected.get(intent.status, [])
        assert (self.books.order.status is OrderStatus.CLOSED) == (intent.status is IntentStatus.PAID)

    @invariant()
    def the_status_fits_the_lines(self):
        status = self.books.order.status
        lines = {line.status for line in self.books.lines}
        if status in DEAD:
            assert lines == {LineStatus.REJECTED}
        elif status is OrderStatus.CREATED_PENDING:
            assert LineStatus.PENDING in lines
        else:
            assert LineStatus.PENDING not in lines
            assert lines != {LineStatus.REJECTED}
        if status in {"ready_for_dispatch", "in_transit", *GONE}:
            assert LineStatus.ACCEPTED not in lines


def test_whatever_is_asked_in_whatever_sequence_the_books_stay_right():
    walks = settings(
        max_examples=30,
        stateful_step_count=20,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(OrderWalk, settings=walks)
