"""Books with many orders: of twenty buyers with twenty vendors, a minute apart, most of them closed long ago.

The newest wait for their vendors or are on their way; among the closed ones there are canceled and expired ones.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from shared.identity.models import Store
from shared.kit.db import transaction
from shared.orders.models import Order, OrderLine, OrderStatus, PaymentIntent
from tests.builders.orders import an_agent, an_order
from tests.builders.stores import a_buyer, a_vendor

BUYERS = VENDORS = 20
_AT_ONCE = 50_000

# Shares of a thousand, the newest orders first; n counts from the newest.
_STATUS = """
    CASE WHEN n * 1000 / :size < 2 THEN 'created_pending' WHEN n * 1000 / :size < 4 THEN 'accepted'
         WHEN n * 1000 / :size < 5 THEN 'ready_for_dispatch' WHEN n * 1000 / :size < 6 THEN 'in_transit'
         WHEN n * 1000 / :size < 8 THEN 'delivered'
         WHEN mod(n, 101) = 0 THEN 'expired' WHEN mod(n, 53) = 0 THEN 'canceled' WHEN mod(n, 67) = 0 THEN 'rejected'
         ELSE 'closed' END
"""
_PAYMENT = """
    CASE WHEN made.status = 'closed' THEN 'paid'
         WHEN made.status = 'delivered' AND mod(made.order_number, 2) = 0 THEN 'settled'
         WHEN mod(made.order_number, 97) = 0 THEN 'failed' ELSE 'unpaid' END
"""


def fill(size: int) -> None:
    """Orders with two lines and a payment each; then statistics, as autovacuum would have them."""
    buyers = [a_buyer(company_name=f"Mesa Dispensary {n} LLC") for n in range(BUYERS)]
    vendors = [a_vendor(company_name=f"Prairie Growers {n} LLC") for n in range(VENDORS)]
    pattern = an_order(OrderStatus.CREATED_PENDING, buyer=buyers[0], vendor=vendors[0], agent=an_agent())
    for first in range(0, size, _AT_ONCE):
        _copy(pattern, buyers, vendors, first, min(_AT_ONCE, size - first), size)
    with transaction() as session:
        session.execute(text("SET LOCAL statement_timeout = 0"))
        session.execute(text("ANALYZE"))


def _copy(pattern: Order, buyers: Sequence[Store], vendors: Sequence[Store], first: int, rows: int, size: int) -> None:
    order = {
        "id": "gen_random_uuid()",
        "order_number": "nextval('order_number_seq')",
        "checkout_group_id": "gen_random_uuid()",
        "buyer_store_id": "(CAST(:buyers AS uuid[]))[1 + mod(n, :stores)]",
        "vendor_store_id": "(CAST(:vendors AS uuid[]))[1 + mod(n / :stores, :stores)]",
        "status": f"CAST({_STATUS} AS order_status)",
        "created_at": "vendor_orders.created_at - n * interval '1 minute'",
        "delivered_at": "vendor_orders.created_at - n * interval '1 minute'",
    }
    of_order = {"id": "gen_random_uuid()", "order_id": "made.id", "created_at": "made.created_at"}
    payment = of_order | {"status": f"CAST({_PAYMENT} AS intent_status)"}
    series = "generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n"
    copied = text(
        f"""
        WITH made AS ({_copied(Order, order, series, "id = :order_id")} RETURNING *),
             lines AS ({_copied(OrderLine, of_order, "made", "order_id = :order_id")})
        {_copied(PaymentIntent, payment, "made", "order_id = :order_id")}
        """
    )
    given = {
        "order_id": pattern.id,
        "buyers": _array(buyers),
        "vendors": _array(vendors),
        "stores": BUYERS,
        "first": first,
        "last": first + rows - 1,
        "size": size,
    }
    with transaction() as session:
        session.execute(text("SET LOCAL statement_timeout = 0"))
        session.execute(copied, given)


def _array(stores: Sequence[Store]) -> str:
    return f"{{{','.join(str(store.id) for store in stores)}}}"


def _copied(model: Any, fresh: dict[str, str], source: str, condition: str) -> str:
    """INSERT copies of a table's rows, one for each row of `source`, with some columns computed."""
    table = model.__tablename__
    names = [column.name for column in model.__table__.columns]
    values = ", ".join(fresh.get(name, f"{table}.{name}") for name in names)
    chosen = f"SELECT {values} FROM {table}, {source} WHERE {table}.{condition}"  # noqa: S608 - names of our models
    return f"INSERT INTO {table} ({', '.join(names)}) {chosen}"
