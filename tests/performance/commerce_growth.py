"""Commerce as it grows: more lines and vendors in a cart, more clients at once."""

from collections.abc import Callable, Sequence
from typing import Any

from infra.local.services import Servers
from shared.kit import db
from tests.api import Client
from tests.builders.carts import a_cart, checkout_of
from tests.builders.products import a_product
from tests.builders.stores import a_buyer, a_vendor
from tests.performance.commerce import measure_load, unlimited
from tests.performance.driver import Statement, in_turns, recorded
from tests.performance.table import Figure, show
from tests.performance.world import fresh_database

LINES, VENDORS, CLIENTS = (1, 10, 50, 200), (1, 3, 20), (1, 4, 8, 16)
ROUNDS, ORDERS = 12, 200


def run(running: Servers) -> None:
    """Print a table for carts and one for clients."""
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
    return in_turns(url, what, acts[:ROUNDS], scripts)
