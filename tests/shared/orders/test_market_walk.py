"""A stateful walk over a whole market: buyers, vendors, agents, admins and time do what they please.

After each step shelves, orders, lines, balances, payments, ledger and events are as the model in `market.py` says;
after each walk the invariant checker finds nothing.
"""

from collections import defaultdict
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal

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

from shared.catalog.models import PromoRedemption
from shared.events.checkout import CheckoutConverted, OrderCreated
from shared.events.orders import VendorOrderEvent
from shared.kit import clock, db
from shared.kit.db import read_only, transaction
from shared.kit.errors import ApiError
from shared.kit.outbox import OutboxEvent, emit
from shared.orders import (
    assignment,
    cancellation,
    checkout,
    decisions,
    delivery,
    holds,
    nudges,
    payments,
    queries,
    quoting,
    retries,
)
from shared.orders.decisions import Decision, LineDecision, step_of
from shared.orders.drafting import Confirmed
from shared.orders.intent import QuoteRequest
from shared.orders.models import LedgerEvent, Order, OrderLine, PaymentIntent, PaymentMethod
from shared.orders.shipping import OPTIONS
from tests.builders.carts import HOME
from tests.builders.orders import an_agent
from tests.builders.products import a_product, a_promo
from tests.builders.stores import a_buyer, a_vendor
from tests.invariants import broken_invariants
from tests.jobs import fire_job
from tests.shared.orders import market
from tests.shared.orders.market import PRICES, SHELF, Books, InCart
from tests.stock import stock_of

pytestmark = pytest.mark.usefixtures("committed_database")

BUYERS, AGENTS, NOON = 3, 2, datetime(2026, 3, 2, 18, tzinfo=UTC)
CONFIRMED = Confirmed(HOME, PaymentMethod.CASH, OPTIONS[0], None)
a_buyers_place, an_agents_place = st.integers(0, BUYERS - 1), st.integers(0, AGENTS - 1)
a_basket = st.dictionaries(st.integers(0, len(PRICES) - 1), st.integers(1, 4), min_size=1)
# Whoever has the order, more often than anybody.
somebody = st.none() | st.none() | an_agents_place
an_order = st.integers(0, 99)
a_walk = st.tuples(a_buyers_place, a_basket, st.booleans(), st.integers(0, 6))


class Market(RuleBasedStateMachine):
    """Three buyers, two agents, and two vendors with two products each, nine units on each shelf."""

    def __init__(self):
        super().__init__()
        self.undo = ExitStack()
        self.undo.enter_context(db.pinned_connection())
        self.undo.enter_context(clock.frozen_at(NOON))
        self.model = Books()
        self.products = []

    def teardown(self):
        try:
            assert broken_invariants() == []
        finally:
            self.undo.close()

    @initialize(shopping=st.lists(a_walk, min_size=2, max_size=5))
    def open(self, shopping):
        """A market that has been open for a while: orders stand at every place of the straight road."""
        vendors = [a_vendor(), a_vendor()]
        self.vendor_ids = [vendor.id for vendor in vendors]
        tiers = {market.TIER_PRODUCT: {market.TIER_QTY: str(market.TIER_PERCENT)}}
        self.products = [
            a_product(vendors[market.VENDOR_OF[n]], price_cents=price, available_qty=SHELF, tiers=tiers.get(n))
            for n, price in enumerate(PRICES)
        ]
        limits = {"max_redemptions": market.PROMO_USES, "per_buyer_limit": market.PROMO_USES_EACH}
        a_promo(vendors[0], value=Decimal(market.PROMO_PERCENT), **limits)
        self.buyers, self.agents = [a_buyer() for _ in range(BUYERS)], [an_agent() for _ in range(AGENTS)]
        for buyer, basket, with_code, steps in shopping:
            already = len(self.model.orders)
            self.quote(buyer, basket, with_code)
            self.check_out(buyer)
            for which in range(already, len(self.model.orders)):
                for _ in range(steps):
                    self.walk_on(which)

    # Buyers

    @rule(buyer=a_buyers_place, basket=a_basket, with_code=st.booleans())
    def quote(self, buyer, basket, with_code):
        items = [{"product_id": self.products[n].id, "quantity": qty} for n, qty in basket.items()]
        codes = [{"vendor_store_id": self.vendor_ids[0], "code": "SPRING10"}] if with_code else []
        with transaction() as session:
            request = QuoteRequest(items=items, vendor_promos=codes)
            made = quoting.quote(session, self.buyers[buyer].id, request)

        free = self.model.free
        expected = [(n, min(qty, free[n])) for n, qty in basket.items() if free[n]]
        is_at_vendor = any(market.VENDOR_OF[n] == 0 for n in basket)
        with_promo = with_code and is_at_vendor and self.model.may_use_code(buyer)
        cart = InCart(made.cart["id"], expected, clock.now() + market.QUOTE_LASTS, with_promo)
        assert [item["qty"] for item in made.items if item["status"] == "ok"] == [qty for _, qty in expected]
        assert made.cart["total_cents"] == cart.total_cents
        self.model.carts[buyer] = cart

    @precondition(lambda self: self.model.carts)
    @rule(buyer=a_buyers_place)
    def check_out(self, buyer):
        cart = self.model.carts.get(buyer)
        if cart is None:
            return
        refusal = self._refusal(buyer, cart)
        if cart.converted:
            assert self._convert(buyer, cart) is None
        elif refusal:
            with pytest.raises(refusal):
                self._convert(buyer, cart)
        else:
            conversion = self._convert(buyer, cart)
            cart.converted = True
            self.model.conversions += 1
            # All parts see the shelves as they were: no product is in two of them.
            for order in conversion.orders:
                vendor = self.vendor_ids.index(order["vendor_store_id"])
                self.model.place(buyer, cart, vendor, order["id"], clock.now())

    def _refusal(self, buyer, cart):
        if clock.now() >= cart.valid_until:
            return checkout.QuoteExpired
        if not cart.items:
            return checkout.NothingOrderable
        if not self.model.sellable(cart.items):
            return checkout.OutOfStock
        return checkout.PromoNoLongerApplies if self.model.code_is_used_up(buyer, cart) else None

    def _convert(self, buyer, cart):
        with transaction() as session:
            return checkout.convert(session, self.buyers[buyer].id, cart.id, CONFIRMED)

    @precondition(lambda self: self.model.orders)
    @rule(which=an_order)
    def nudge(self, which):
        placed = self._placed(which)
        self._do(placed, lambda session, order: nudges.nudge(session, order)[:1])
        self.model.nudge(placed, clock.now())

    @precondition(lambda self: self.model.orders)
    @rule(which=an_order)
    def cancel(self, which):
        placed = self._placed(which)
        self._do(placed, cancellation.cancel)
        self.model.cancel(placed)

    @precondition(lambda self: any(placed.status == "expired" for placed in self.model.orders))
    @rule(which=an_order)
    def retry(self, which):
        placed = self._placed(which, "expired")
        if placed.retried_as or self.model.sellable(placed.expired_lines):
            with transaction() as session:
                order_id, happened = retries.retry(session, queries.lock_order(session, placed.id))
                emit(session, *happened)
            if placed.retried_as:
                assert order_id == placed.retried_as
            else:
                self.model.place_again(placed, order_id, clock.now())
        else:
            with pytest.raises(checkout.OutOfStock), transaction() as session:
                retries.retry(session, queries.lock_order(session, placed.id))

    @precondition(lambda self: any(placed.status == "created_pending" for placed in self.model.orders))
    @rule(which=an_order)
    def leave_unanswered(self, which):
        """Both windows of a placed order pass, and the buyer asks for it again."""
        placed = self._placed(which, "created_pending")
        for _ in range(2):
            self.wait(market.WINDOW)
        if placed.status == "expired":
            self.retry([other for other in self.model.orders if other.status == "expired"].index(placed))

    # Vendors

    @precondition(lambda self: self.model.orders)
    @rule(which=an_order)
    def walk_on(self, which):
        """What would be done next if nothing went wrong."""
        placed = self._placed(which)
        holder = placed.agent or 0
        nexts = {
            "created_pending": lambda: self.decide(which, Decision.ACCEPT),
            "accepted": lambda: self.fulfill(which),
            "partially_accepted": lambda: self.fulfill(which),
            "hold": lambda: self.put_aside(which, False),
            "ready_for_dispatch": lambda: (
                self.find_agent(which) if placed.agent is None else self.bring(which, holder, "pick_up")
            ),
            "in_transit": lambda: self.bring(which, holder, "deliver"),
            "delivered": lambda: self.pay_out(which) if placed.payment == "settled" else self.collect(which, holder, 0),
        }
        if placed.status in nexts:
            nexts[placed.status]()

    @precondition(lambda self: self.model.orders)
    @rule(which=an_order, decision=st.sampled_from(Decision))
    def decide(self, which, decision):
        placed = self._placed(which)
        self._do(placed, lambda session, order: decisions.decide(session, order, decision))
        getattr(self.model, decision)(placed)

    @precondition(lambda self: self.model.orders)
    @rule(which=an_order, position=st.integers(0, 1), decision=st.sampled_from(LineDecision))
    def decide_line(self, which, position, decision):
        placed = self._placed(which)
        position %= len(placed.lines)
        self._do(
            placed,
            lambda session, order: decisions.decide_lines(
                session, order, [step_of(_line_ids(session, order)[position], decision)]
            ),
        )
        self.model.decide_line(placed, placed.lines[position], decision)

    @precondition(lambda self: self.model.orders)
    @rule(which=an_order)
    def fulfill(self, which):
        placed = self._placed(which)
        self._do(placed, decisions.fulfill)
        self.model.fulfill(placed)

    @precondition(lambda self: self.model.orders)
    @rule(which=an_order, hold=st.booleans())
    def put_aside(self, which, hold):
        placed = self._placed(which)
        if hold:
            self._do(placed, lambda session, order: holds.hold(session, order, reason="A label is missing."))
            self.model.hold(placed)
        else:
            self._do(placed, holds.release)
            self.model.release(placed)

    # Agents, admins and time

    @precondition(lambda self: self.model.orders)
    @rule(which=an_order)
    def find_agent(self, which):
        placed = self._placed(which)
        waits, least = self.model.waits_for_agent(placed), self.model.least_loaded(AGENTS)
        self._do(placed, assignment.assign_least_loaded)
        if waits:
            with read_only() as session:
                found = queries.find_open_assignment(session, placed.id)
            agent = next(n for n, user in enumerate(self.agents) if user.id == found.agent_user_id)
            assert agent in least
            self.model.assigned(placed, agent)

    @precondition(lambda self: self.model.orders)
    @rule(which=an_order, agent=an_agents_place)
    def claim(self, which, agent):
        placed = self._placed(which)
        self._do(placed, lambda session, order: assignment.claim(session, order, self.agents[agent].id))
        if self.model.waits_for_agent(placed):
            self.model.assigned(placed, agent)

    @precondition(lambda self: self.model.orders)
    @rule(which=an_order, agent=an_agents_place)
    def reassign(self, which, agent):
        placed = self._placed(which)
        self._do(placed, lambda session, order: assignment.reassign(session, order, self.agents[agent].id))
        self.model.reassign(placed, agent)

    @precondition(lambda self: self.model.orders)
    @rule(which=an_order, agent=somebody, verb=st.sampled_from(["pick_up", "deliver"]))
    def bring(self, which, agent, verb):
        placed = self._placed(which)
        agent = (placed.agent or 0) if agent is None else agent
        self._as_agent(placed, agent, lambda session, order, held: getattr(delivery, verb)(session, order, held))
        getattr(self.model, verb)(placed, agent)

    @precondition(lambda self: self.model.orders)
    @rule(which=an_order, agent=somebody, short_cents=st.sampled_from([0, 1]))
    def collect(self, which, agent, short_cents):
        placed = self._placed(which)
        agent = (placed.agent or 0) if agent is None else agent
        cents = placed.balance_cents - short_cents
        self._as_agent(
            placed,
            agent,
            lambda session, order, held: (payments.collect_cash(session, order, held, amount_cents=cents),),
        )
        self.model.collect(placed, agent, cents)

    @precondition(lambda self: self.model.orders)
    @rule(which=an_order)
    def pay_out(self, which):
        placed = self._placed(which)
        self._do(placed, payments.confirm_payout)
        self.model.pay_out(placed)

    @precondition(lambda self: self.model.orders)
    @rule(which=an_order, verb=st.sampled_from(["reject_payment", "reset_payment"]))
    def mend_payment(self, which, verb):
        placed = self._placed(which)
        self._do(placed, lambda session, order: getattr(payments, verb)(session, order, reason="Returned."))
        (self.model.refuse_payment if verb == "reject_payment" else self.model.reset_payment)(placed)

    @rule(passed=st.sampled_from([timedelta(minutes=16), timedelta(hours=13), market.WINDOW]))
    def wait(self, passed):
        """Time passes, and the hour strikes for all orders that are due."""
        from functions.cron_order_ttl.main import main

        self.undo.enter_context(clock.frozen_at(clock.now() + passed))
        done = fire_job(main)
        self.model.strike(clock.now())
        assert (done["skipped"], done["failed"]) == (0, 0)

    def _placed(self, which, status=None):
        chosen = [placed for placed in self.model.orders if status in (None, placed.status)]
        return chosen[which % len(chosen)]

    def _do(self, placed, verb):
        """Ask for something, which may be refused."""
        with suppress(ApiError), transaction() as session:
            emit(session, *verb(session, queries.lock_order(session, placed.id)))

    def _as_agent(self, placed, agent, verb):
        with suppress(ApiError), transaction() as session:
            order, held = queries.lock_order_of_agent(session, self.agents[agent].id, placed.id)
            emit(session, *verb(session, order, held))

    @invariant()
    def shelves_are_as_the_model_says(self):
        model = self.model
        assert [stock_of(product.id) for product in self.products] == list(zip(model.free, model.held, strict=True))[
            : len(self.products)
        ]

    @invariant()
    def orders_and_money_are_as_the_model_says(self):
        with read_only() as session:
            columns = (Order.status, Order.total_cents, Order.balance_due_cents)
            intents = (PaymentIntent.status, PaymentIntent.amount_cents)
            joined = select(Order.id, *columns, *intents).join(PaymentIntent, PaymentIntent.order_id == Order.id)
            found = {row[0]: tuple(row[1:]) for row in session.execute(joined)}
        assert found == {
            placed.id: (placed.status, placed.total_cents, placed.balance_cents, placed.payment, placed.total_cents)
            for placed in self.model.orders
        }

    @invariant()
    def lines_are_as_the_model_says(self):
        found = _grouped(select(OrderLine.order_id, OrderLine.status).order_by(OrderLine.position))
        assert found == {placed.id: [(line.status,) for line in placed.lines] for placed in self.model.orders}

    @invariant()
    def the_ledger_is_as_the_model_says(self):
        found = _grouped(
            select(LedgerEvent.order_id, LedgerEvent.type, LedgerEvent.amount_cents).order_by(
                LedgerEvent.created_at, LedgerEvent.type
            )
        )
        assert found == {placed.id: placed.ledger for placed in self.model.orders if placed.ledger}

    @invariant()
    def what_is_told_is_as_the_model_says(self):
        of_orders = OutboxEvent.aggregate_type == VendorOrderEvent.aggregate
        told = select(OutboxEvent.aggregate_id, OutboxEvent.event_type).where(of_orders).order_by(OutboxEvent.sequence)
        expected = {placed.id: [(kind,) for kind in placed.told] for placed in self.model.orders if placed.told}
        assert _grouped(told) == expected

    @invariant()
    def each_conversion_was_told_once_and_each_code_counted_once(self):
        with read_only() as session:
            kinds = select(OutboxEvent.event_type, func.count()).where(OutboxEvent.aggregate_type == "checkout_group")
            told = dict(session.execute(kinds.group_by(OutboxEvent.event_type)).all())
            uses = session.scalar(select(func.count()).select_from(PromoRedemption))
        both = (OrderCreated.event_type(), CheckoutConverted.event_type())
        assert told == (dict.fromkeys(both, self.model.conversions) if self.model.conversions else {})
        assert uses == self.model.uses.total()


def _line_ids(session, order):
    return list(
        session.scalars(select(OrderLine.id).where(OrderLine.order_id == order.id).order_by(OrderLine.position))
    )


def _grouped(statement):
    """By the first column, the others of each row as a tuple."""
    found = defaultdict(list)
    with read_only() as session:
        for first, *rest in session.execute(statement):
            found[first].append(tuple(rest))
    return dict(found)


def test_whatever_buyers_vendors_agents_and_admins_do_shelves_and_books_stay_right():
    walks = settings(
        max_examples=25,
        stateful_step_count=30,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Market, settings=walks)
