"""Orders in every state, placed over the last weeks and led through their lives by the people who would."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from infra.local.seed.acting import acting
from infra.local.seed.stores import SeededStore
from shared.catalog.models import Product, VendorPromo
from shared.catalog.promos import promo_is_live
from shared.catalog.visibility import get_buyer_place, visible_product
from shared.identity.addresses import Address
from shared.identity.models import Store
from shared.identity.permissions import Role, SystemRole
from shared.inventory.models import InventoryItem
from shared.kit import clock
from shared.kit.db import read_only, transaction
from shared.kit.outbox import emit
from shared.orders import assignment, cancellation, decisions, delivery, holds, payments, queries, windows
from shared.orders.checkout import convert
from shared.orders.decisions import Decision, LineDecision, step_of
from shared.orders.drafting import Confirmed
from shared.orders.intent import QuoteRequest, WantedItem, WantedPromo
from shared.orders.lines import lines_of
from shared.orders.models import Order, PaymentMethod
from shared.orders.quoting import quote
from shared.orders.shipping import STANDARD

CHECKOUTS = 26
_NOTES = ("Deliver to the back door, please.", "Call when you are ten minutes away.", None, None, None)


@dataclass(frozen=True)
class Cast:
    """Who acts: buyers and vendors by store, the agents and the admin."""

    buyers: Sequence[SeededStore]
    vendors: dict[UUID, SeededStore]
    agent_ids: Sequence[UUID]
    admin_id: UUID


class Life:
    """One order on its way. Each verb is done by who would do it, some hours after the one before."""

    def __init__(
        self, order_id: UUID, vendor_id: UUID, buyer: SeededStore, placed_at: datetime, cast: Cast, rng: Random
    ) -> None:
        self._order_id, self._buyer, self._at, self._cast, self._rng = order_id, buyer, placed_at, cast, rng
        self._vendor, self._agent_id = cast.vendors[vendor_id], rng.choice(cast.agent_ids)

    def accept(self) -> None:
        with self._by_vendor() as (session, order):
            emit(session, *decisions.decide(session, order, Decision.ACCEPT))

    def accept_in_part(self) -> None:
        """Reject the first line, accept the others."""
        with self._by_vendor() as (session, order):
            first, *others = lines_of(session, order)
            steps = [step_of(line, LineDecision.ACCEPT) for line in others]
            steps.append(
                step_of(first, LineDecision.REJECT if others else LineDecision.ACCEPT, "The batch was recalled.")
            )
            emit(session, *decisions.decide_lines(session, order, steps))

    def reject(self) -> None:
        with self._by_vendor() as (session, order):
            emit(session, *decisions.decide(session, order, Decision.REJECT, reason="Sold out at the harvest fair."))

    def pack(self) -> None:
        self.accept()
        with self._by_vendor() as (session, order):
            emit(session, *decisions.fulfill(session, order))

    def hold(self) -> None:
        self.accept()
        with self._by_vendor() as (session, order):
            emit(session, *holds.hold(session, order, reason="Waiting for a fresh lab report."))

    def pick_up(self) -> None:
        self.pack()
        with self._by_agent() as (session, order):
            emit(session, *assignment.claim(session, order, self._agent_id))
        with self._by_agent() as (session, order):
            _, held = queries.lock_order_of_agent(session, self._agent_id, order.id)
            emit(session, *delivery.pick_up(session, order, held))

    def deliver(self) -> None:
        self.pick_up()
        with self._by_agent() as (session, order):
            _, held = queries.lock_order_of_agent(session, self._agent_id, order.id)
            emit(session, *delivery.deliver(session, order, held, recipient_name="Front desk"))

    def collect(self) -> None:
        self.deliver()
        with self._by_agent() as (session, order):
            _, held = queries.lock_order_of_agent(session, self._agent_id, order.id)
            due_cents = order.balance_due_cents
            emit(session, payments.collect_cash(session, order, held, amount_cents=due_cents))

    def pay_out(self) -> None:
        self.collect()
        with self._doing(self._cast.admin_id, None, SystemRole.ADMIN) as (session, order):
            emit(session, *payments.confirm_payout(session, order))

    def cancel(self) -> None:
        with self._doing(self._buyer.owner_id, self._buyer.id, Role.OWNER) as (session, order):
            emit(session, *cancellation.cancel(session, order, reason="Ordered by mistake."))

    def expire(self) -> None:
        """Let both windows pass: the first ends with a reminder."""
        for _ in range(2):
            self._at += windows.PENDING_WINDOW
            with self._doing(None, None, None) as (session, order):
                emit(session, *windows.end_window(session, order))

    def wait(self) -> None:
        """The vendor has not looked at it yet."""

    def _by_vendor(self) -> AbstractContextManager[tuple[Session, Order]]:
        return self._doing(self._vendor.owner_id, self._vendor.id, Role.OWNER)

    def _by_agent(self) -> AbstractContextManager[tuple[Session, Order]]:
        return self._doing(self._agent_id, None, SystemRole.AGENT)

    @contextmanager
    def _doing(
        self, user_id: UUID | None, store_id: UUID | None, role: Role | SystemRole | None
    ) -> Iterator[tuple[Session, Order]]:
        self._at += timedelta(minutes=self._rng.randint(20, 300))
        with clock.frozen_at(self._at), acting(user_id, store_id, role), transaction() as session:
            yield session, queries.lock_order(session, self._order_id)


@dataclass(frozen=True)
class Course:
    """How far orders come, and how many days ago they were placed at least and at most."""

    lead: Callable[[Life], None]
    days_ago: tuple[int, int]


COURSES = (
    Course(Life.wait, (0, 2)),
    Course(Life.accept, (1, 3)),
    Course(Life.accept_in_part, (1, 3)),
    Course(Life.reject, (3, 20)),
    Course(Life.pack, (2, 4)),
    Course(Life.hold, (2, 5)),
    Course(Life.pick_up, (3, 5)),
    Course(Life.deliver, (4, 6)),
    Course(Life.collect, (4, 8)),
    Course(Life.pay_out, (8, 40)),
    Course(Life.pay_out, (8, 40)),
    Course(Life.cancel, (3, 20)),
    Course(Life.expire, (11, 20)),
)
"""In turn, so that every state is there whatever the lot says."""


def place_orders(cast: Cast, rng: Random) -> int:
    """Let buyers check out, and lead each order as far as its course says; how many orders there are."""
    return sum(len(_check_out(COURSES[n % len(COURSES)], cast, rng)) for n in range(CHECKOUTS))


def _check_out(course: Course, cast: Cast, rng: Random) -> list[Life]:
    buyer = rng.choice([store for store in cast.buyers if store.is_verified])
    placed_at = clock.now() - timedelta(days=rng.randint(*course.days_ago), minutes=rng.randint(60, 600))
    wanted = _intent(buyer, placed_at, rng)
    confirmed = Confirmed(_address(buyer), PaymentMethod.CASH, STANDARD, rng.choice(_NOTES))
    with clock.frozen_at(placed_at), acting(buyer.owner_id, buyer.id, Role.OWNER), transaction() as session:
        cart = quote(session, buyer.id, wanted).cart
        conversion = convert(session, buyer.id, cart["id"], confirmed)
    orders = conversion.orders if conversion else []
    lives = [Life(order["id"], order["vendor_store_id"], buyer, placed_at, cast, rng) for order in orders]
    for life in lives:
        course.lead(life)
    return lives


def _intent(buyer: SeededStore, at: datetime, rng: Random) -> QuoteRequest:
    """Some products of one to three vendors that the buyer sees, with a code where there is one."""
    with read_only() as session:
        offers = session.execute(
            select(Product.id, Product.vendor_store_id, Product.moq)
            .join(Store, Store.id == Product.vendor_store_id)
            .join(InventoryItem, InventoryItem.product_id == Product.id)
            .where(visible_product(get_buyer_place(session, buyer.id)), Product.created_at < at)
            .where(InventoryItem.available_qty >= Product.moq * 4)
            .order_by(Product.vendor_name, Product.sku)
        ).all()
        codes = session.execute(select(VendorPromo.store_id, VendorPromo.code).where(promo_is_live(at))).all()
    vendor_ids = rng.sample(list(dict.fromkeys(offer.vendor_store_id for offer in offers)), rng.randint(1, 3))
    items = [
        WantedItem(product_id=offer.id, quantity=offer.moq * rng.randint(1, 3))
        for vendor_id in vendor_ids
        for offer in rng.sample([offer for offer in offers if offer.vendor_store_id == vendor_id], rng.randint(2, 4))
    ]
    promos = [WantedPromo(vendor_store_id=store_id, code=code) for store_id, code in codes if store_id in vendor_ids]
    return QuoteRequest(items=items, vendor_promos=promos)


def _address(store: SeededStore) -> Address:
    return Address(**{name: store.row[name] for name in Address.model_fields if name in store.row})
