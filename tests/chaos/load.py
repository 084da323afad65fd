"""The load: writers who commit events all the time, and what they know to be committed."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.exc import DBAPIError

from shared.events.checkout import CheckoutConverted
from shared.events.orders import OrderInTransit, OrderReadyForDispatch
from shared.identity.models import Store, User
from shared.identity.permissions import StoreType, SystemRole
from shared.kit import clock
from shared.kit.db import transaction, violated_constraint
from shared.kit.ids import new_id
from shared.kit.outbox import Event, emit
from shared.orders.models import Order, OrderStatus
from shared.orders.windows import PENDING_WINDOW
from tests.builders.orders import A, an_agent, an_order
from tests.builders.products import a_product
from tests.builders.stores import a_member, a_user
from tests.world import a_licensed, a_paid_subscription

WRITERS = 3


@dataclass(frozen=True)
class World:
    """Two stores with a member each, an admin, agents; orders that travel, wait to be packed off, or are overdue."""

    buyer: Store
    vendor: Store
    agent: User
    travelling: Sequence[UUID]
    ready: Sequence[Order]
    overdue: Sequence[Order]


def a_world(*, orders: int) -> World:
    buyer, vendor, agent = a_licensed(StoreType.BUYER), a_licensed(StoreType.VENDOR), an_agent()
    a_paid_subscription(vendor)
    for store in (buyer, vendor):
        a_member(store)
    a_user(system_role=SystemRole.ADMIN)
    an_agent()
    line = A(qty=1, product=a_product(vendor, available_qty=10_000))

    def some(status: OrderStatus, **fields: object) -> list[Order]:
        return [an_order(status, buyer=buyer, vendor=vendor, lines=(line,), **fields) for _ in range(orders)]

    overdue = some(OrderStatus.CREATED_PENDING, created_at=clock.now() - PENDING_WINDOW)
    travelling = [new_id() for _ in range(orders)]
    return World(buyer, vendor, agent, travelling, some(OrderStatus.READY_FOR_DISPATCH), overdue)


@dataclass
class Written:
    """What the writers were told is committed: checkouts once each, travels counted by order."""

    checkouts: set[UUID] = field(default_factory=set)
    travels: Counter[UUID] = field(default_factory=Counter)
    ready: set[UUID] = field(default_factory=set)
    unknown: int = 0


class Load:
    """Writers that commit up to `per_s` events in a second, at odd moments, until told to finish.

    They outlive a lost database, and hold back while more is on its way than this machine can carry.
    """

    def __init__(self, world: World, *, per_s: float, seed: int, holds_back: Callable[[], bool]) -> None:
        self.written = Written()
        self._holds_back = holds_back
        self._world = world
        self._pause_s = WRITERS / per_s
        self._lock = threading.Lock()
        self._over, self._rests = threading.Event(), threading.Event()
        self._ready = list(world.ready)
        self._writers = [
            threading.Thread(target=self._write, args=(random.Random(f"{seed}-{number}"),), daemon=True)
            for number in range(WRITERS)
        ]

    def start(self) -> None:
        for writer in self._writers:
            writer.start()

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Begin nothing new within the block."""
        self._rests.set()
        yield
        self._rests.clear()

    def finish(self) -> None:
        """Wait until everything that was begun is written."""
        self._over.set()
        for writer in self._writers:
            writer.join()

    def _write(self, chance: random.Random) -> None:
        while not self._over.wait(chance.uniform(0, 2) * self._pause_s):
            if not (self._rests.is_set() or self._holds_back()):
                self._commit(self._next(chance))

    def _next(self, chance: random.Random) -> Event:
        with self._lock:
            if self._ready and chance.random() < 0.1:
                return self._packed(self._ready.pop())
        if chance.random() < 0.2:
            return self._travel(chance.choice(self._world.travelling))
        return a_checkout(self._world.buyer)

    def _commit(self, event: Event) -> None:
        """Write until the database has it. Whether it has, nobody knows when the connection is lost in a commit."""
        while True:
            try:
                write_once(event)
                break
            except Exception:
                self.written.unknown += 1
                time.sleep(0.2)
        with self._lock:
            self._note(event)

    def _note(self, event: Event) -> None:
        if isinstance(event, CheckoutConverted):
            self.written.checkouts.add(event.aggregate_id)
        elif isinstance(event, OrderInTransit):
            self.written.travels[event.aggregate_id] += 1
        else:
            self.written.ready.add(event.aggregate_id)

    def _travel(self, order_id: UUID) -> OrderInTransit:
        world = self._world
        return OrderInTransit(
            order_id=order_id,
            order_number=1001,
            buyer_store_id=world.buyer.id,
            vendor_store_id=world.vendor.id,
            agent_user_id=world.agent.id,
        )

    def _packed(self, order: Order) -> OrderReadyForDispatch:
        return OrderReadyForDispatch(
            order_id=order.id,
            order_number=order.order_number,
            buyer_store_id=order.buyer_store_id,
            vendor_store_id=order.vendor_store_id,
        )


def write_once(event: Event) -> None:
    """Write an event; one that can be written only once may have been committed by an attempt that seemed to fail."""
    try:
        with transaction() as session:
            emit(session, event)
    except DBAPIError as error:
        if violated_constraint(error) != "uq_outbox_events_dedupe_key":
            raise


def a_checkout(buyer: Store) -> CheckoutConverted:
    """An event that can be written only once, about something that nothing else is about."""
    return CheckoutConverted.model_validate(
        {**CheckoutConverted.example, "checkout_group_id": new_id(), "buyer_store_id": buyer.id}
    )
