"""What belongs to another store or person answers exactly as what does not exist."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from shared.billing.models import PaymentMethod
from shared.identity.models import Store
from shared.identity.permissions import Role, StoreType
from shared.kit.db import transaction
from shared.kit.ids import new_id
from shared.notifications.recipients import Recipient
from shared.orders.models import OrderStatus
from tests.api import Answer, Client
from tests.builders.media import a_license, a_media
from tests.builders.notifications import a_notification
from tests.builders.orders import an_agent, an_order
from tests.builders.products import a_product, a_promo
from tests.builders.reviews import a_review
from tests.builders.stores import a_buyer, a_member, a_store, a_vendor
from tests.security.catalogue import Served, served
from tests.security.specification import RULES, Rule
from tests.security.untouched import untouched


def a_payment_method() -> UUID:
    card = PaymentMethod(
        id=new_id(),
        store_id=a_vendor().id,
        square_card_id="ccof:theirs",
        brand="VISA",
        last4="1111",
        exp_month=1,
        exp_year=2030,
        fingerprint="theirs",
        is_default=True,
    )
    with transaction() as session:
        session.add(card)
    return card.id


THEIRS: dict[str, Callable[[], UUID]] = {
    "order_id": lambda: an_order().id,
    "group_or_cart_id": lambda: an_order().checkout_group_id,
    "product_id": lambda: a_product().id,
    "promo_id": lambda: a_promo(a_vendor()).id,
    "media_id": lambda: a_media().id,
    "license_id": lambda: a_license().id,
    "payment_method_id": a_payment_method,
    "user_id": lambda: a_member(a_buyer(), Role.STAFF).id,
    "review_id": lambda: a_review(a_buyer(), a_vendor()).id,
    "notification_id": lambda: a_notification(Recipient(store_id=a_buyer().id)).id,
}
"""Something of others, by the variable of a path that names it."""

SHARED = {
    "GET /api/v1/products/{product_id}": "what is on sale is for every buyer to see",
    "GET /api/v1/products/{product_id}/reviews": "what buyers think of what is on sale is for every buyer to see",
    "GET /api/v1/stores/vendors/{store_id_or_slug}": "who sells to a buyer is for every such buyer to see",
    "GET /api/v1/stores/{store_id}": "a store's public face",
    "GET /api/v1/stores/{store_id}/orders": "the caller's own orders, by the store with which they were made",
    "GET /api/v1/stores/{store_id}/products": "what is on sale is for every buyer to see",
    "GET /api/v1/stores/{store_id}/reviews": "what buyers think of a vendor is for every buyer to see",
    "GET /api/v1/vendor/billing/plans/{plan_id}": "plans are the platform's",
    "POST /api/v1/agent/orders/{order_id}/claim": "an order without an agent is for any agent to take",
}
"""Routes whose ids are nobody's own, and why."""

OWNED = {
    route: rule
    for route, rule in RULES.items()
    if "{" in route and rule.kind not in ("admin", "anyone") and route not in SHARED
}


def callers_of(rule: Rule) -> list[Callable[[Client], Client]]:
    """Those who may call the route for something of their own, each with a store that is there."""
    if rule.kind == "agent":
        return [lambda client: client.as_agent()]
    kinds = rule.store_types or ("buyer", "vendor")
    return [lambda client, kind=kind: _owner(client, a_store(StoreType(kind))) for kind in kinds]


def _owner(client: Client, store: Store) -> Client:
    return client.as_member(store, user_id=a_member(store).id)


def call(one: Served, caller: Client, id_: UUID) -> tuple[int, str]:
    """The answer's status and body, without what differs by nature."""
    path = one.path
    for variable in one.variables:
        path = path.replace(f"{{{variable}}}", str(id_))
    body: Any = one.route.body.example if one.route.body else None
    answer: Answer = caller.send(one.route.method, path, body=body, headers={"Idempotency-Key": f"for-{id_}"})
    told = answer.json
    told["error"].pop("request_id")
    return answer.status, json.dumps(told, sort_keys=True).replace(str(id_), "ID")


@pytest.mark.parametrize("route", OWNED)
def test_what_is_anothers_answers_as_what_is_not_there(route):
    rule, one = RULES[route], served()[route]
    assert len(one.variables) == 1, "say here which of its variables are whose"

    for as_somebody in callers_of(rule):
        theirs = THEIRS[one.variables[0]]()
        caller = as_somebody(one.client)
        with untouched():
            foreign = call(one, caller, theirs)
            unknown = call(one, caller, new_id())

        assert foreign == unknown
        assert foreign[0] == 404


@pytest.mark.parametrize("route", [route for route, rule in OWNED.items() if rule.kind == "agent"])
@pytest.mark.parametrize("status", [OrderStatus.READY_FOR_DISPATCH, OrderStatus.IN_TRANSIT])
def test_the_order_of_another_agent_is_not_there(route, status):
    one = served()[route]
    theirs = an_order(status, agent=an_agent()).id
    caller = one.client.as_agent()

    with untouched():
        foreign = call(one, caller, theirs)
        unknown = call(one, caller, new_id())

    assert foreign == unknown
    assert foreign[0] == 404


def test_what_is_shared_is_still_served():
    assert set(SHARED) <= set(RULES)
