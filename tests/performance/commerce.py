"""Quote and checkout of ten lines over three vendors: against the bare driver, and under several clients."""

import http.client
import json
import os
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from infra.local.services import Servers
from shared.identity.models import Store
from shared.identity.permissions import Role
from shared.kit import db
from tests.api import Client, sign_in
from tests.builders.carts import a_cart, checkout_of
from tests.builders.products import a_product
from tests.builders.stores import a_buyer, a_vendor
from tests.performance.commerce_serving import serving
from tests.performance.driver import BareDriver, recorded
from tests.performance.table import Figure, milliseconds, show, timed
from tests.performance.world import fresh_database

LINES, VENDORS = 10, 3


def run(running: Servers, *, rounds: int = 60, orders: int = 400) -> None:
    """Print the table. `rounds` checkouts against the driver; `orders` for each number of clients."""
    unlimited()
    with fresh_database(running, "commerce") as url:
        sellers = [a_vendor() for _ in range(VENDORS)]
        products = [
            a_product(sellers[n % VENDORS], available_qty=10_000_000, tiers={2: "5"}) for n in range(LINES * 30)
        ]
        figures = [_against_the_driver(url, products, rounds)]
        figures += measure_load(products, orders=orders)
    show(f"Commerce: {LINES} lines over {VENDORS} vendors", figures)


def unlimited() -> None:
    """No rate limit stands in the way of a benchmark, here or in the servers that it starts."""
    for limit in ("CHECKOUT", "CART_QUOTE", "DEFAULT"):
        os.environ[f"PF_LIMIT_{limit}"] = "1000000/minute"


def _basket(products: list[Any], n: int) -> list[tuple[Any, int]]:
    """Ten products over three vendors; neighbours share some, as shoppers do."""
    start = (n * 7) % (len(products) - LINES)
    return [(product, 2) for product in products[start : start + LINES]]


def _against_the_driver(url: str, products: list[Any], rounds: int) -> Figure:
    """Our checkout beside the very statements of other checkouts, recorded, undone, and sent bare."""
    from functions.checkout.main import main

    api = Client.of(main, "/api/v1/checkout")
    buyers = [a_buyer() for _ in range(2 * rounds)]
    bodies = [checkout_of(a_cart(store, *_basket(products, n))) for n, store in enumerate(buyers)]
    callers = [api.as_staff_of(store) for store in buyers]
    with db.pinned_connection():
        scripts = []
        for caller, body in list(zip(callers, bodies, strict=True))[rounds:]:
            with recorded() as script:
                assert caller.post("", body, key=body["cart_id"]).status == 201
            scripts.append(script)
    driver = BareDriver(url)
    ours, bare = [], []
    # In turns, so that a change of the machine's speed meets both.
    for caller, body, script in zip(callers, bodies, scripts, strict=False):
        ours.append(timed(lambda: caller.post("", body)))  # noqa: B023 - called at once
        bare.append(timed(lambda: driver.run(script)))  # noqa: B023 - called at once
    driver.close()
    ratio = statistics.median(ours) / statistics.median(bare)
    what = f"checkout, whole request in process ({len(scripts[-1])} statements)"
    return Figure(what, milliseconds(ours), milliseconds(bare), f"{ratio:.2f}", "≤ 2.0")


def measure_load(products: list[Any], *, orders: int, clients: Sequence[int] = (1, 4, 8)) -> list[Figure]:
    """Orders per second over HTTP for each number of clients."""
    figures = []
    with serving() as served:
        port = served.port
        _drive(port, products, clients=4, orders=40)
        for count in clients:
            seconds, samples = _drive(port, products, clients=count, orders=orders)
            goal = "p50 ≤ 25 ms" if count == 1 else "≥ 65 orders/s"
            figures.append(
                Figure(
                    f"quote + checkout over HTTP, {count} client{'s' * (count > 1)}",
                    f"{orders / seconds:.0f} orders/s, {milliseconds(samples)}",
                    goal=goal,
                )
            )
    return figures


def _drive(port: int, products: list[Any], *, clients: int, orders: int) -> tuple[float, list[float]]:
    """Place orders from so many clients at once: how long it took, and how long each order did, in seconds."""
    shares = [[(a_buyer(), _basket(products, n)) for n in range(k, orders, clients)] for k in range(clients)]
    tokens = [
        [sign_in(user_id=store.id, store_id=store.id, store_type=store.type, role=Role.OWNER) for store, _ in share]
        for share in shares
    ]
    started = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        samples = [sample for some in pool.map(_shop, [port] * clients, shares, tokens) for sample in some]
    return time.perf_counter() - started, samples


def _shop(port: int, share: list[tuple[Store, list[tuple[Any, int]]]], tokens: list[str]) -> list[float]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    samples = []
    for (_, basket), token in zip(share, tokens, strict=True):
        started = time.perf_counter()
        items = [{"product_id": str(product.id), "quantity": qty} for product, qty in basket]
        cart = _post(connection, "/api/v1/cart", token, {"items": items}, 200)
        _post(connection, "/api/v1/checkout", token, checkout_of(cart["id"]), 201)
        samples.append(time.perf_counter() - started)
    connection.close()
    return samples


def _post(connection: http.client.HTTPConnection, path: str, token: str, body: Any, wanted: int) -> Any:
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "Idempotency-Key": os.urandom(8).hex(),
    }
    connection.request("POST", path, json.dumps(body), headers)
    answer = connection.getresponse()
    told = json.loads(answer.read())
    assert answer.status == wanted, told
    return told["data"]
