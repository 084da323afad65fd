"""Lists of orders, and one order, as the books grow: what both sides, agents and admins read.

`PF_BENCH_ORDERS=10000` names other sizes of the books, which are made once and kept under `.local/bench`. A plan
that reads a table from end to end is told; once the books are large, it ends the run.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from sqlalchemy import select

from infra.local.services import Servers
from shared.identity.models import Store
from shared.kit.db import read_only
from shared.orders.models import Order
from tests.api import Answer, Client
from tests.performance import books
from tests.performance.commerce import unlimited
from tests.performance.driver import BareDriver, Statement, in_turns, recorded
from tests.performance.kept import kept_cluster, kept_database
from tests.performance.table import Figure, show

SIZES, ROUNDS, DEEP_PAGE = "10000,100000,1000000", 15, 20
# Below that, reading a table whole may well be the best plan.
LARGE = 100_000
_WHOLE = "reads whole"
TABLES = {"vendor_orders", "order_line_items", "payment_intents"}


def run(_: Servers) -> None:
    """Print a table for each size of the books."""
    unlimited()
    with kept_cluster() as server:
        for size in [int(part) for part in os.environ.get("PF_BENCH_ORDERS", SIZES).split(",")]:
            with kept_database(server, f"orders_{size}", partial(books.fill, size), made_from=[books]) as url:
                figures = _books(url)
                show(f"Orders: {size:,} in the books, {size // books.BUYERS:,} of the buyer", figures)
                scanning = [figure.what for figure in figures if _WHOLE in figure.what]
                assert size < LARGE or not scanning, scanning


def _books(url: str) -> list[Figure]:
    """What both sides, agents and admins read, each beside its own statements sent bare."""
    from functions.agent.main import main as agents
    from functions.orders.main import main as orders
    from functions.payouts.main import main as payouts

    with read_only() as session:
        order = session.scalars(select(Order).order_by(Order.created_at.desc(), Order.id).limit(1)).one()
        buyer, vendor = (session.get_one(Store, id_) for id_ in (order.buyer_store_id, order.vendor_store_id))
    api = Client.of(orders, "/api/v1/orders")
    of_buyer, of_vendor = api.as_staff_of(buyer), api.as_staff_of(vendor)
    admin, agent = (
        Client.of(payouts, "/api/v1/admin/orders").as_admin(),
        Client.of(agents, "/api/v1/agent/orders").as_agent(),
    )
    deep = _deep_cursor(of_buyer)
    reads: list[tuple[str, Callable[[], Answer]]] = [
        ("buyer: first page", lambda: of_buyer.get("")),
        (f"buyer: page {DEEP_PAGE}", lambda: of_buyer.get("", cursor=deep)),
        ("buyer: to be placed again", lambda: of_buyer.get("", actionable="true")),
        ("buyer: canceled", lambda: of_buyer.get("", status="canceled")),
        ("buyer: failed payments", lambda: of_buyer.get("", payment_status="failed")),
        ("buyer: one number", lambda: of_buyer.get("", q=str(order.order_number))),
        ("buyer: one vendor's name", lambda: of_buyer.get("", q="Growers 7 ")),
        ("buyer: a name that nobody has", lambda: of_buyer.get("", q="Nobody")),
        ("buyer: first page with the total", lambda: of_buyer.get("", include_total="true")),
        ("vendor: first page", lambda: of_vendor.get("")),
        ("vendor: to be done", lambda: of_vendor.get("", actionable="true")),
        ("admin: first page", lambda: admin.get("")),
        ("admin: expired", lambda: admin.get("", status="expired")),
        ("admin: one number", lambda: admin.get("", q=str(order.order_number))),
        ("admin: to be paid out", lambda: admin.get("/payouts")),
        ("agent: queue", lambda: agent.get("/queue")),
        ("one order", lambda: of_buyer.get(f"/{order.id}")),
    ]
    return [_read(url, what, read) for what, read in reads]


def _deep_cursor(caller: Client) -> str:
    """The cursor of a page far down the list."""
    cursor = None
    for _ in range((DEEP_PAGE - 1) // 4):
        cursor = caller.get("", limit=100, **({"cursor": cursor} if cursor else {})).page["next"] or cursor
    assert cursor
    return cursor


def _read(url: str, what: str, read: Callable[[], Answer]) -> Figure:
    with recorded() as script:
        answer = read()
    assert answer.status == 200, answer.json
    scanned = _scanned(url, script)
    told = f"{what}, {_WHOLE} {', '.join(sorted(scanned))}" if scanned else what
    return in_turns(url, told, [read] * ROUNDS, [script] * ROUNDS)


def _scanned(url: str, script: Sequence[Statement]) -> set[str]:
    """The large tables that these statements read from end to end."""
    driver = BareDriver(url)
    plans = [driver.plan(statement) for statement in script]
    driver.close()
    return {table for plan in plans for table in _sequential(plan) if table in TABLES}


def _sequential(plan: dict[str, Any]) -> Iterator[str]:
    if plan["Node Type"] == "Seq Scan":
        yield plan["Relation Name"]
    for inner in plan.get("Plans", ()):
        yield from _sequential(inner)
