"""One order in full, as each of its two stores sees it."""

from datetime import UTC, datetime

import pytest

from shared.identity.permissions import Role
from shared.orders.models import IntentStatus, OrderStatus
from tests.builders.orders import A, an_agent, an_order
from tests.builders.stores import a_buyer, a_vendor

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_an_order_tells_lines_payment_stores_and_agent(api):
    buyer = a_buyer(dba_name="Mesa Dispensary", phone="+14055550111", email="orders@mesa.example", slug="mesa")
    order = an_order(
        OrderStatus.DELIVERED,
        buyer=buyer,
        lines=(A(qty=4, unit_price_cents=2_500, discount_cents=500),),
        promo_cents=500,
        payment=IntentStatus.SETTLED,
        agent=an_agent(first_name="Sam", last_name="Ortiz", phone="+14055550122"),
        created_at=NOON,
        buyer_notes="Ring twice.",
    )
    (line,) = order.lines

    reply = api.as_member(order.buyer, Role.VIEWER).get(f"/orders/{order.id}")

    told = reply.data
    assert reply.status == 200
    assert told["buyer"] == {
        "id": str(buyer.id),
        "name": "Mesa Dispensary",
        "slug": "mesa",
        "phone": "+14055550111",
        "email": "orders@mesa.example",
        "logo_media_id": None,
        "line1": buyer.line1,
        "line2": None,
        "city": "Oklahoma City",
        "state": "OK",
        "postal_code": "73102",
        "country": "US",
        "lat": 35.4689,
        "lng": -97.5164,
    }
    assert (told["vendor"]["id"], told["vendor"]["name"]) == (str(order.vendor.id), order.vendor.company_name)
    assert told["payment_intent"] == {
        "id": str(order.intent.id),
        "method": "cash",
        "status": "settled",
        "amount_cents": 9_000,
        "failure_reason": None,
        "cash_collected_at": "2026-03-02T12:00:00Z",
        "vendor_paid_at": None,
    }
    assert told["assignment"] == {
        "agent_user_id": str(order.agent.id),
        "agent_name": "Sam Ortiz",
        "agent_phone": "+14055550122",
        "assigned_at": "2026-03-02T12:00:00Z",
        "picked_up_at": "2026-03-02T12:00:00Z",
        "delivered_at": "2026-03-02T12:00:00Z",
        "cash_collected_at": "2026-03-02T12:00:00Z",
    }
    assert told["lines"] == [
        {
            "id": str(line.id),
            "product_id": str(line.product_id),
            "position": 0,
            "status": "fulfilled",
            "rejection_reason": None,
            "notes": None,
            "title": line.title,
            "sku": line.sku,
            "category": "flower",
            "strain": "Blue Dream",
            "classification": "hybrid",
            "unit": "eighth",
            "thumbnail_url": None,
            "thc_percent": "21.50",
            "cbd_percent": "0.10",
            "moq": 1,
            "max_qty": None,
            "qty": 4,
            "unit_price_cents": 2_500,
            "tier_min_qty": None,
            "tier_percent": None,
            "line_subtotal_cents": 10_000,
            "line_discount_cents": 500,
            "line_total_cents": 9_500,
            "warnings": [],
        }
    ]
    assert {name: told[name] for name in ("subtotal_cents", "total_cents", "balance_due_cents", "buyer_notes")} == {
        "subtotal_cents": 10_000,
        "total_cents": 9_000,
        "balance_due_cents": 0,
        "buyer_notes": "Ring twice.",
    }
    assert told["shipping_address"]["line1"] == buyer.line1


def test_both_sides_see_the_same_order(api):
    order = an_order(OrderStatus.ACCEPTED)

    seen = [api.as_member(store).get(f"/orders/{order.id}") for store in (order.buyer, order.vendor)]

    assert [reply.status for reply in seen] == [200, 200]
    assert seen[0].data == seen[1].data


def test_the_timeline_tells_sides_and_not_people(api, freeze):
    freeze(NOON)
    order = an_order(created_at=NOON)
    member = api.as_member(order.vendor, Role.ADMIN)
    member.post(f"/vendor/orders/{order.id}/decision", {"decision": "accept"})
    member.post(f"/vendor/orders/{order.id}/hold", {"reason": "A label is missing."})
    api.as_staff_of(order.buyer).post(f"/orders/{order.id}/cancel", {"reason": "Too late."})

    timeline = api.as_member(order.buyer).get(f"/orders/{order.id}").data["timeline"]

    at = "2026-03-02T12:00:00Z"
    assert timeline == [
        {
            "action": "order.accepted",
            "by": "vendor",
            "at": at,
            "from_status": "created_pending",
            "to_status": "accepted",
            "reason": None,
        },
        {
            "action": "order.held",
            "by": "vendor",
            "at": at,
            "from_status": "accepted",
            "to_status": "hold",
            "reason": "A label is missing.",
        },
        {
            "action": "order.canceled",
            "by": "buyer",
            "at": at,
            "from_status": "hold",
            "to_status": "canceled",
            "reason": "Too late.",
        },
    ]


@pytest.mark.parametrize("stranger", [a_buyer, a_vendor])
def test_other_stores_orders_do_not_exist(api, stranger):
    order = an_order()

    reply = api.as_member(stranger()).get(f"/orders/{order.id}")

    assert (reply.status, reply.error.code) == (404, "NOT_FOUND")
    assert api.as_member(order.buyer).get("/orders/not-an-id").status == 404


def test_an_order_is_four_statements_at_most_however_many_lines(api, statements):
    small, large = an_order(lines=(A(qty=1),)), an_order(lines=(A(qty=1),) * 40, agent=an_agent())

    costs = []
    for order in (small, large):
        with statements() as cost:
            reply = api.as_member(order.vendor).get(f"/orders/{order.id}")
        costs.append((cost.sql, len(reply.data["lines"])))

    assert costs == [(3, 1), (3, 40)]
