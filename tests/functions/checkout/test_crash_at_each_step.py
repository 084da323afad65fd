"""A checkout that breaks off at any of its steps leaves nothing; asked again it gives what it would have given."""

from contextlib import contextmanager

import pytest
from sqlalchemy import select

from functions.checkout import main as function
from shared.catalog.models import PromoRedemption, VendorPromo
from shared.kit.db import read_only, transaction
from shared.kit.outbox import OutboxEvent
from shared.operations.audit import AuditLog
from shared.orders import carts, checkout
from shared.orders.models import Cart, Order, OrderLine, PaymentIntent
from tests.builders.ads import some_claims
from tests.builders.carts import a_cart, checkout_of
from tests.builders.products import a_product, a_promo
from tests.builders.stores import a_buyer, a_vendor
from tests.invariants import broken_invariants
from tests.stock import stock_of

pytestmark = pytest.mark.usefixtures("committed_database")

STEPS = {
    "1 the cart is locked": (checkout, "_lock"),
    "1 vendors are looked at again": (checkout, "_groups_as_of_now"),
    "2, 4 to 7 orders, lines, intents and attribution on paper": (checkout, "drafted"),
    "3 stock is reserved": (checkout, "_reserve"),
    "4 rejected lines are taken off": (checkout, "_total"),
    "8 promos are counted": (checkout, "_redeem"),
    "2 the cart is confirmed": (carts, "confirm"),
    "4 to 7, 10 orders and audit are written": (checkout, "_write"),
    "9 the events are written": (checkout, "_announce"),
}


class Shop:
    """Two vendors; one product has run short since the quote, a code and an ad count."""

    def __init__(self):
        self.buyer, ann, bob = a_buyer(), a_vendor(), a_vendor()
        self.products = [a_product(ann, tiers={2: "5"}), a_product(ann, available_qty=3), a_product(bob)]
        a_promo(ann)
        wanted = ((product, 3) for product in self.products)
        clicked = [some_claims(self.buyer, ann), some_claims(self.buyer, self.products[2])]
        self.cart_id = a_cart(self.buyer, *wanted, promos={ann.id: "SPRING10"}, ads=clicked)
        a_rival = a_cart(a_buyer(), (self.products[1], 1))
        with transaction() as session:
            rival = session.get_one(Cart, a_rival)
            checkout.convert(session, rival.buyer_store_id, a_rival, _confirmed())

    def check_out(self, api):
        return api.as_staff_of(self.buyer).post("", checkout_of(self.cart_id), key="once")

    def picture(self):
        """All that a checkout changes, without ids and moments."""
        with read_only() as session:
            cart = session.get_one(Cart, self.cart_id)
            orders = session.scalars(select(Order).where(Order.cart_id == cart.id).order_by(Order.total_cents)).all()
            return {
                "cart": cart.status,
                "orders": [self._order(session, order) for order in orders],
                "stock": [stock_of(product.id) for product in self.products],
                "events": sorted(
                    session.scalars(
                        select(OutboxEvent.event_type).where(OutboxEvent.aggregate_id == cart.checkout_group_id)
                    )
                ),
            }

    def _order(self, session, order):
        lines = session.scalars(
            select(OrderLine).where(OrderLine.order_id == order.id).order_by(OrderLine.position)
        ).all()
        intent = session.scalars(select(PaymentIntent).where(PaymentIntent.order_id == order.id)).one()
        uses = session.scalars(select(PromoRedemption).where(PromoRedemption.order_id == order.id)).all()
        counted = session.scalar(select(VendorPromo.redeemed_count).where(VendorPromo.id == order.promo_id))
        audits = session.scalars(select(AuditLog).where(AuditLog.target_id == order.id)).all()
        return {
            "totals": (order.status, order.subtotal_cents, order.promo_discount_cents, order.total_cents),
            "owed": (order.balance_due_cents, intent.status, intent.amount_cents),
            "lines": [
                (line.status, line.rejection_reason, line.qty, line.line_total_cents, _why(line)) for line in lines
            ],
            "promo": (order.promo_code, len(uses), counted),
            "ad": _why(order),
            "audits": [(audit.action, audit.after["status"], audit.after["total_cents"]) for audit in audits],
        }


def _confirmed():
    from shared.orders.drafting import Confirmed
    from shared.orders.models import PaymentMethod
    from shared.orders.shipping import STANDARD
    from tests.builders.carts import HOME

    return Confirmed(HOME, PaymentMethod.CASH, STANDARD, None)


def _why(row):
    return row.attribution and row.attribution["reason"]


UNDISTURBED = {
    "cart": "converted",
    "orders": [
        {
            "totals": ("created_pending", 7_500, 1_463, 5_662),
            "owed": (5_662, "unpaid", 5_662),
            "lines": [
                ("pending", None, 3, 7_125, "store_fallback"),
                ("rejected", "insufficient_inventory", 3, 7_500, "store_fallback"),
            ],
            "promo": ("SPRING10", 1, 1),
            "ad": "only_candidate",
            "audits": [("order.created", "created_pending", 5_662)],
        },
        {
            "totals": ("created_pending", 7_500, 0, 7_500),
            "owed": (7_500, "unpaid", 7_500),
            "lines": [("pending", None, 3, 7_500, "only_candidate")],
            "promo": (None, 0, None),
            "ad": None,
            "audits": [("order.created", "created_pending", 7_500)],
        },
    ],
    "stock": [(97, 3), (2, 1), (97, 3)],
    "events": ["checkout_converted", "order_created"],
}


def test_without_a_crash(api):
    shop = Shop()

    assert shop.check_out(api).status == 201
    assert shop.picture() == UNDISTURBED


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_crash_at_a_step_leaves_nothing_and_the_retry_gives_what_would_have_been(api, monkeypatch, step, when):
    shop = Shop()
    untouched = shop.picture()
    place, name = STEPS[step]
    whole = getattr(place, name)

    def crash(*arguments):
        if when == "after":
            whole(*arguments)
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(place, name, crash)
        crashed = shop.check_out(api)
    assert (crashed.status, shop.picture()) == (500, untouched)

    retried = shop.check_out(api)

    assert (retried.status, shop.picture()) == (201, UNDISTURBED)
    assert broken_invariants() == []


def test_a_crash_between_commit_and_reply_is_answered_with_what_was_committed(api, monkeypatch):
    shop = Shop()

    @contextmanager
    def cut_off():
        with transaction() as session:
            yield session
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(function, "transaction", cut_off)
        crashed = shop.check_out(api)
    assert (crashed.status, shop.picture()) == (500, UNDISTURBED)

    retried = shop.check_out(api)

    assert (retried.status, shop.picture()) == (200, UNDISTURBED)
    assert len(retried.data["vendor_orders"]) == 2
