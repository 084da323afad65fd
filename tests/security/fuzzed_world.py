"""A marketplace for fuzzing, the people who live in it, and the ids of what is there."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import text

from shared.identity.models import User
from shared.identity.permissions import SystemRole
from shared.kit.db import read_only
from shared.notifications.recipients import Recipient
from shared.orders.models import OrderStatus
from tests.api import Client
from tests.builders.carts import a_cart
from tests.builders.dead_letters import a_dead_letter
from tests.builders.notifications import a_notification
from tests.builders.orders import an_agent, an_order
from tests.builders.people import a_person
from tests.builders.products import a_product, a_promo
from tests.builders.stores import a_member
from tests.world import World, a_world

CALLERS = ("stranger", "buyer", "vendor", "admin", "agent")
TABLES = {
    "agent_id": "users",
    "group_or_cart_id": "cart_records",
    "letter_id": "outbox_dlq",
    "license_id": "licenses",
    "media_id": "media",
    "notification_id": "notifications",
    "order_id": "vendor_orders",
    "payment_method_id": "payment_methods",
    "plan_id": "billing_plans",
    "product_id": "products",
    "promo_id": "vendor_promos",
    "store_id": "stores",
    "store_id_or_slug": "stores",
    "user_id": "users",
    "line_item_id": "order_line_items",
}
"""Where the things are that paths and bodies name by id."""


@dataclass(frozen=True)
class Inhabited:
    """The world, who is who, and the ids in it by what a path calls them."""

    world: World
    people: Mapping[str, User]
    ids: Mapping[str, list[str]]

    def calling_as(self, caller: str, client: Client) -> Client:
        """One of `CALLERS`, freshly signed in."""
        if caller == "stranger":
            return client.anonymously()
        if caller in ("buyer", "vendor"):
            return client.as_member(getattr(self.world, caller), user_id=self.people[caller].id)
        return client.as_user(self.people[caller])


def settle() -> Inhabited:
    """Build all of it."""
    world = a_world()
    product = a_product(world.vendor)
    a_promo(world.vendor)
    a_cart(world.buyer, (product, 2))
    a_dead_letter()
    people = {"admin": a_person(system_role=SystemRole.ADMIN), "agent": an_agent()}
    for status in (OrderStatus.READY_FOR_DISPATCH, OrderStatus.IN_TRANSIT):
        an_order(status, buyer=world.buyer, vendor=world.vendor, agent=people["agent"])
    for side in ("buyer", "vendor"):
        store = getattr(world, side)
        people[side] = a_member(store, user=a_person())
        a_notification(Recipient(store_id=store.id))
    return Inhabited(world, people, _ids())


def _ids() -> dict[str, list[str]]:
    with read_only() as session:
        return {
            name: [str(id_) for id_ in session.scalars(text(f"SELECT id FROM {table} ORDER BY id LIMIT 20"))]  # noqa: S608
            for name, table in TABLES.items()
        }
