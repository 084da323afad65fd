"""Commerce as it grows: more lines and vendors in a cart, more clients at once, more orders in the books.

`PF_BENCH_ORDERS=10000,100000,1000000` names other sizes of the books.
"""

import os
import statistics
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from infra.local.services import Servers
from shared.identity.models import Store
from shared.kit import db
from shared.kit.db import transaction
from shared.orders.models import Order, OrderLine, PaymentIntent
from tests.api import Answer, Client
from tests.builders.carts import a_cart, checkout_of
from tests.builders.orders import an_order
from tests.builders.products import a_product
from tests.builders.stores import a_buyer, a_vendor
from tests.performance.commerce import measure_load, unlimited
from tests.performance.driver import BareDriver, Statement, recorded
from tests.performance.table import Figure, milliseconds, show, timed
from tests.performance.world import fresh_database

LINES, VENDORS, CLIENTS = (1, 10, 50, 200), (1, 3, 20), (1, 4, 8, 16)
ROUNDS, ORDERS = 12, 200
BUYERS, DEEP_PAGE = 20, 10


def run(running: Servers) -> None:
    """Print a table for carts, one for clients, and one for each size of the books."""
    unlimited()
    with fresh_database(running, "commerce_growth") as url:
        sellers = [a_vendor() for _ in range(max(VENDORS))]
        shelves = {
            count: [a_product(sellers[n % count], available_qty=10_000_000) for n in range(max(LINES))]
            for count in VENDORS
        }
        carts = [(lines, count) for lines in LINES for count in VENDORS if count <= lines]
        show("Carts", [figure for lines, count in carts for figure in _cart(url, shelves[count][:lines], count)])
        show("Clients: 10 lines over 3 vendors", measure_load(shelves[3], orders=ORDERS, clients=CLIENTS))
    for size in [int(part) for part in os.environ.get("PF_BENCH_ORDERS", "10000,100000").split(",")]:
        with fresh_database(running, f"orders_{size}") as url:
            show(f"Orders: {size:,} in the books, {size // BUYERS:,} of the buyer", _books(url, size))


def _cart(url: str, products: Sequence[Any], vendors: int) -> list[Figure]:
    """Quote and checkout of these products, each beside the statements of another's, sent bare."""
    from functions.cart.main import main as cart
    from functions.checkout.main import main as checkout

    quotes, checkouts = Client.of(cart, "/api/v1/cart"), Client.of(checkout, "/api/v1/checkout")
    wanted = [{"product_id": str(product.id), "quantity": 1} for product in products]
    buyers = [a_buyer() for _ in range(2 * ROUNDS)]
    asking = [_post(quotes.as_staff_of(store), {"items": wanted}, 200) for store in buyers]
    figures = [_beside(url, f"quote, lines {len(products)}, vendors {vendors}", asking)]
    bodies = [checkout_of(a_cart(store, *((product, 1) for product in products))) for store in buyers]
    buying = [_post(checkouts.as_staff_of(store), body, 201) for store, body in zip(buyers, bodies, strict=True)]
    return [*figures, _beside(url, f"checkout, lines {len(products)}, vendors {vendors}", buying)]


def _post(caller: Client, body: Any, wanted: int) -> Callable[[], None]:
    def send() -> None:
        answer = caller.post("", body)
        assert answer.status == wanted, answer.json

    return send


def _beside(url: str, what: str, acts: Sequence[Callable[[], None]]) -> Figure:
    """The first half of the acts as they are; the others recorded, undone, and sent by the bare driver."""
    scripts: list[list[Statement]] = []
    with db.pinned_connection():
        for act in acts[ROUNDS:]:
            with recorded() as script:
                act()
            scripts.append(script)
    return _in_turns(url, what, acts[:ROUNDS], scripts)


def _in_turns(
    url: str, what: str, acts: Sequence[Callable[[], object]], scripts: Sequence[list[Statement]], goal: str = ""
) -> Figure:
    driver = BareDriver(url)
    ours, bare = [], []
    for act, script in zip(acts, scripts, strict=True):
        ours.append(timed(act))
        bare.append(timed(lambda: driver.run(script)))  # noqa: B023 - called at once
    driver.close()
    ratio = statistics.median(ours) / statistics.median(bare)
    told = f"{what} ({len(scripts[-1])} statements)"
    return Figure(told, milliseconds(ours), milliseconds(bare), f"{ratio:.2f}", goal)


def _books(url: str, size: int) -> list[Figure]:
    from functions.orders.main import main

    buyers = [a_buyer() for _ in range(BUYERS)]
    order = an_order(buyer=buyers[0])
    _fill(order, buyers, size)
    api = Client.of(main, "/api/v1/orders")
    caller = api.as_staff_of(buyers[0])
    deep = None
    for _ in range(DEEP_PAGE - 1):
        deep = caller.get("", **({"cursor": deep} if deep else {})).page["next"]
    reads: list[tuple[str, Callable[[], Answer]]] = [
        ("first page", lambda: caller.get("")),
        (f"page {DEEP_PAGE}", lambda: caller.get("", cursor=deep)),
        ("pending orders", lambda: caller.get("", status="created_pending")),
        ("the vendor's first page", lambda: api.as_staff_of(order.vendor).get("")),
        ("one order", lambda: caller.get(f"/{order.id}")),
    ]
    return [_read(url, what, read) for what, read in reads]


def _read(url: str, what: str, read: Callable[[], Answer]) -> Figure:
    with recorded() as script:
        answer = read()
    assert answer.status == 200, answer.json
    return _in_turns(url, what, [read] * ROUNDS * 3, [script] * ROUNDS * 3)


def _fill(order: Order, buyers: Sequence[Store], size: int) -> None:
    """Copies of an order with its lines and payment, spread over the buyers and over time."""
    fresh = {
        "id": "gen_random_uuid()",
        "order_number": "nextval('order_number_seq')",
        "checkout_group_id": "gen_random_uuid()",
        "buyer_store_id": "(CAST(:buyers AS uuid[]))[1 + mod(n, :count)]",
        "created_at": "vendor_orders.created_at - n * interval '1 minute'",
    }
    of_order = {"id": "gen_random_uuid()", "order_id": "made.id"}
    copy = text(
        f"""
        WITH made AS ({_copied(Order, fresh, "generate_series(1, :rows) AS n", "id = :order_id")} RETURNING id),
             lines AS ({_copied(OrderLine, of_order, "made", "order_id = :order_id")})
        {_copied(PaymentIntent, of_order, "made", "order_id = :order_id")}
        """
    )
    ids: list[UUID] = [store.id for store in buyers]
    given = {"order_id": order.id, "buyers": f"{{{','.join(map(str, ids))}}}", "count": len(ids)}
    for first in range(0, size, 50_000):
        with transaction() as session:
            session.execute(text("SET LOCAL statement_timeout = 0"))
            session.execute(copy, {**given, "rows": min(50_000, size - first)})
    with transaction() as session:
        session.execute(text("ANALYZE"))


def _copied(model: Any, fresh: dict[str, str], source: str, condition: str) -> str:
    """INSERT copies of a table's rows, one for each row of `source`, with some columns computed."""
    table = model.__tablename__
    names = [column.name for column in model.__table__.columns]
    values = ", ".join(fresh.get(name, f"{table}.{name}") for name in names)
    chosen = f"SELECT {values} FROM {table}, {source} WHERE {table}.{condition}"  # noqa: S608 - names of our models
    return f"INSERT INTO {table} ({', '.join(names)}) {chosen}"
