"""Lists of a store's orders, as pages and as a file, and one in full, from either side."""

from uuid import UUID

from shared.identity.callers import MemberCaller, member
from shared.identity.permissions import Permission
from shared.kit.db import read_only
from shared.kit.errors import InvalidRequest, NotFound
from shared.kit.http import Api
from shared.kit.http.answers import Download
from shared.kit.pagination import Page
from shared.media.storage import find_link
from shared.orders.details import OrderResponse, get_order_of
from shared.orders.export import ExportQuery, write_orders
from shared.orders.listing import OrderRowResponse, Side, StoreOrdersQuery, list_orders_of

api = Api("orders", prefix="/api/v1/orders")


@api.get(allow=member(Permission.ORDERS_READ), raises=(InvalidRequest,))
def list_orders(caller: MemberCaller, query: StoreOrdersQuery) -> Page[OrderRowResponse]:
    """The store's orders, newest first, as buyer or as vendor."""
    with read_only() as session:
        return list_orders_of(session, caller.store_id, query, default=Side(caller.store_type))


@api.get("/export", allow=member(Permission.ORDERS_READ), raises=(InvalidRequest,))
def export(caller: MemberCaller, query: ExportQuery) -> Download:
    """The store's orders of a period as a file, CSV or JSON, streamed."""
    pieces = write_orders(caller.store_id, query, default=Side(caller.store_type))
    return Download(pieces, query.content_type, f"orders.{query.format}")


@api.get("/<uuid:order_id>", allow=member(Permission.ORDERS_READ), raises=(NotFound,))
def get_order(caller: MemberCaller, order_id: UUID) -> OrderResponse:
    """One order with its lines, payment, both stores, agent, manifest and timeline."""
    with read_only() as session:
        return get_order_of(session, caller.store_id, order_id, link=find_link)
