"""An agent takes an order from the queue, picks it up, and brings it."""

import pytest

from shared.events.orders import OrderAssigned, OrderDelivered, OrderInTransit
from shared.kit.ids import new_id
from shared.media.kinds import MediaKind
from shared.media.models import EntityType, MediaStatus
from shared.orders.models import LineStatus, OrderStatus, ShippingStatus
from tests.builders.media import a_media
from tests.builders.orders import A, an_agent, an_order
from tests.builders.stores import a_user
from tests.events import audited
from tests.media import users_of
from tests.orders import assignments_now, everything_about, money_of, now
from tests.stock import stock_of

# What becomes of an assigned order: the next status, "done" for a success that changes nothing, a dash for 422.
TABLE = """
    status             | pickup     | deliver
    created_pending    | -          | -
    accepted           | -          | -
    partially_accepted | -          | -
    rejected           | -          | -
    ready_for_dispatch | in_transit | -
    hold               | -          | -
    in_transit         | done       | delivered
    delivered          | -          | done
    closed             | -          | -
    canceled           | -          | -
    expired            | -          | -
"""
ALLOWED = {"ready_for_dispatch": ["pickup"], "in_transit": ["deliver"]}

_HEAD, *_ROWS = [[cell.strip() for cell in row.split("|")] for row in TABLE.strip().splitlines()]
CELLS = [(row[0], action, told) for row in _ROWS for action, told in zip(_HEAD[1:], row[1:], strict=True)]


def about(order):
    return {
        "order_id": order.id,
        "order_number": order.order_number,
        "buyer_store_id": order.buyer_store_id,
        "vendor_store_id": order.vendor_store_id,
    }


def test_the_table_has_a_row_for_every_status():
    assert {row[0] for row in _ROWS} == set(OrderStatus)


@pytest.mark.parametrize(("status", "action", "told"), CELLS, ids=[f"{cell[0]}-{cell[1]}" for cell in CELLS])
def test_each_action_in_each_status(api, status, action, told):
    order = an_order(OrderStatus(status), agent=an_agent())
    before = everything_about(order)

    reply = api.as_agent(order.agent).post(f"/{order.id}/{action}", {})

    if told == "-":
        assert (reply.status, reply.error.code) == (422, "STATE_CONFLICT")
        assert reply.error.details == {"from": status, "action": action, "allowed": ALLOWED.get(status, [])}
        assert everything_about(order) == before
    elif told == "done":
        assert (reply.status, reply.data["status"]) == (200, status)
        assert everything_about(order) == before
    else:
        assert (reply.status, reply.data["status"], now(order).status) == (200, told, told)


def test_picking_up_puts_the_order_on_its_way(api, events):
    order = an_order(OrderStatus.READY_FOR_DISPATCH, agent=an_agent())

    reply = api.as_agent(order.agent).post(f"/{order.id}/pickup")

    (assignment,) = assignments_now(order)
    assert (reply.data["status"], reply.data["shipping_status"]) == ("in_transit", "in_transit")
    assert assignment.picked_up_at is not None
    assert [stock_of(line.product_id) for line in order.lines] == [(96, 4), (98, 2)]
    assert events.emitted() == [OrderInTransit(**about(order), agent_user_id=order.agent.id)]
    assert [(action, after["status"]) for action, _, after in audited()] == [("order.picked_up", "in_transit")]


def test_delivering_consumes_the_stock_of_what_was_brought(api, events):
    order = an_order(OrderStatus.IN_TRANSIT, lines=(A(qty=4), A(qty=2, status=LineStatus.REJECTED)))
    picture = a_media(order.buyer, MediaKind.OTHER)
    signature = picture.id

    reply = api.as_agent(order.agent).post(
        f"/{order.id}/deliver", {"signature_media_id": str(signature), "recipient_name": "Rosa Diaz"}
    )

    held = now(order)
    (assignment,) = assignments_now(order)
    assert (reply.data["status"], reply.data["recipient_name"]) == ("delivered", "Rosa Diaz")
    assert (held.shipping_status, held.signature_media_id) == (ShippingStatus.DELIVERED, signature)
    assert users_of(picture) == [(EntityType.ORDER_SIGNATURE, order.id)]
    assert held.delivered_at is not None
    assert assignment.delivered_at is not None
    assert [stock_of(line.product_id) for line in order.lines] == [(96, 0), (100, 0)]
    assert money_of(order) == (10_000, 0, 10_000, 10_000)
    assert events.emitted() == [OrderDelivered(**about(order), agent_user_id=order.agent.id)]
    assert [(action, after["status"]) for action, _, after in audited()] == [("order.delivered", "delivered")]


@pytest.mark.parametrize(
    "made",
    [
        lambda _: new_id(),
        lambda _: a_media(None, MediaKind.OTHER).id,
        lambda order: a_media(order.buyer, MediaKind.OTHER, status=MediaStatus.PENDING).id,
        lambda order: a_media(order.buyer, MediaKind.PRODUCT).id,
    ],
    ids=["unknown", "another store's", "not uploaded", "for everybody to see"],
)
def test_a_signature_is_a_private_file_of_the_buyers_or_the_vendors(api, events, made):
    order = an_order(OrderStatus.IN_TRANSIT)
    media_id = made(order)
    before = everything_about(order)

    reply = api.as_agent(order.agent).post(f"/{order.id}/deliver", {"signature_media_id": str(media_id)})

    assert (reply.status, reply.error.fields) == (400, ["signature_media_id"])
    assert (everything_about(order), events.types()) == (before, [])


def test_delivered_twice_with_two_keys_consumes_once(api, events):
    order = an_order(OrderStatus.IN_TRANSIT)
    caller = api.as_agent(order.agent)

    first = caller.post(f"/{order.id}/deliver", {"recipient_name": "Rosa Diaz"})
    again = caller.post(f"/{order.id}/deliver", {"recipient_name": "Someone else"})

    assert (first.status, again.status) == (200, 200)
    assert again.data == first.data
    assert [stock_of(line.product_id) for line in order.lines] == [(96, 0), (98, 0)]
    assert events.types() == ["order_delivered"]


def test_delivering_many_lines_costs_as_many_statements_as_one(api, statements):
    small = an_order(OrderStatus.IN_TRANSIT, lines=(A(qty=1),))
    large = an_order(OrderStatus.IN_TRANSIT, lines=(A(qty=1),) * 40)

    costs = []
    for order in (small, large):
        with statements() as cost:
            assert api.as_agent(order.agent).post(f"/{order.id}/deliver", {}).status == 200
        costs.append(cost.sql)

    assert costs[0] == costs[1]


def test_the_queue_holds_what_is_ready_and_has_no_agent_oldest_first(api):
    oldest, youngest = an_order(OrderStatus.READY_FOR_DISPATCH), an_order(OrderStatus.READY_FOR_DISPATCH)
    an_order(OrderStatus.READY_FOR_DISPATCH, agent=an_agent())
    an_order(OrderStatus.ACCEPTED)
    an_order(OrderStatus.HOLD)

    reply = api.as_agent().get("/queue")

    assert [row["id"] for row in reply.json["data"]] == [str(oldest.id), str(youngest.id)]
    row = reply.json["data"][0]
    assert (row["status"], row["balance_due_cents"], row["payment_status"]) == ("ready_for_dispatch", 18_000, "unpaid")
    assert (row["vendor"]["line1"], row["shipping_address"]["line1"]) == (oldest.vendor.line1, oldest.buyer.line1)
    assert row["counts"] == {"lines": 2, "pending": 0, "accepted": 0, "rejected": 0, "fulfilled": 2, "units": 6}


def test_the_queue_comes_in_pages_of_one_statement(api, statements):
    ids = [str(an_order(OrderStatus.READY_FOR_DISPATCH).id) for _ in range(3)]
    caller = api.as_agent()

    with statements() as cost:
        first = caller.get("/queue", limit=2)
    second = caller.get("/queue", limit=2, cursor=first.page["next"])

    assert [row["id"] for page in (first, second) for row in page.json["data"]] == ids
    assert (cost.sql, second.page["next"]) == (1, None)


def test_claiming_takes_an_order_from_the_queue(api, events):
    order, agent = an_order(OrderStatus.READY_FOR_DISPATCH), an_agent()
    caller = api.as_agent(agent)

    reply = caller.post(f"/{order.id}/claim")
    again = caller.post(f"/{order.id}/claim")

    (assignment,) = assignments_now(order)
    assert (reply.status, reply.data["shipping_status"]) == (200, "dispatched")
    assert reply.data["assignment"]["agent_user_id"] == str(agent.id)
    assert (assignment.agent_user_id, assignment.assigned_by, assignment.closed_at) == (agent.id, str(agent.id), None)
    assert (again.status, again.data) == (200, reply.data)
    assert caller.get("/queue").json["data"] == []
    assert events.emitted() == [OrderAssigned(**about(order), agent_user_id=agent.id)]
    assert [(action, after["agent_user_id"]) for action, _, after in audited()] == [("order.claimed", str(agent.id))]


def test_an_order_that_another_agent_has_cannot_be_claimed(api):
    order = an_order(OrderStatus.READY_FOR_DISPATCH, agent=an_agent())
    before = everything_about(order)

    reply = api.as_agent(an_agent()).post(f"/{order.id}/claim")

    assert (reply.status, reply.error.code, reply.error.reason) == (409, "CONFLICT", "already_assigned")
    assert everything_about(order) == before


@pytest.mark.parametrize("status", [status for status in OrderStatus if status != "ready_for_dispatch"])
def test_only_a_ready_order_can_be_claimed(api, status):
    order = an_order(status)
    before = everything_about(order)

    reply = api.as_agent(an_agent()).post(f"/{order.id}/claim")

    assert (reply.status, reply.error.details) == (422, {"from": status, "action": "claim", "allowed": []})
    assert everything_about(order) == before


def test_an_agent_sees_only_the_own_orders_latest_first(api, statements):
    agent = an_agent()
    first = an_order(OrderStatus.DELIVERED, agent=agent)
    second = an_order(OrderStatus.READY_FOR_DISPATCH, agent=agent)
    foreign = an_order(OrderStatus.IN_TRANSIT)
    caller = api.as_agent(agent)

    with statements() as cost:
        listed = caller.get("")
    on_the_way = caller.get("", status="ready_for_dispatch,in_transit")

    assert [row["id"] for row in listed.json["data"]] == [str(second.id), str(first.id)]
    assert [row["id"] for row in on_the_way.json["data"]] == [str(second.id)]
    assert (listed.json["data"][0]["picked_up_at"], listed.json["data"][1]["delivered_at"] is None) == (None, False)
    assert cost.sql == 1
    assert caller.get(f"/{first.id}").data["id"] == str(first.id)
    assert caller.get(f"/{foreign.id}").status == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [("pickup", None), ("deliver", {}), ("cash-collected", {"amount_cents": 18_000})],
)
def test_orders_of_other_agents_do_not_exist(api, path, body):
    order = an_order(OrderStatus.IN_TRANSIT)
    before = everything_about(order)

    reply = api.as_agent(an_agent()).post(f"/{order.id}/{path}", body)
    unknown = api.as_agent(an_agent()).post(f"/{new_id()}/{path}", body)

    assert (reply.status, reply.error.code, reply.error.message) == (404, "NOT_FOUND", unknown.error.message)
    assert everything_about(order) == before


@pytest.mark.parametrize("path", ["claim", "pickup", "deliver", "cash-collected"])
def test_only_agents_may(api, path):
    order = an_order(OrderStatus.READY_FOR_DISPATCH)
    before = everything_about(order)
    callers = (api.as_staff_of(order.vendor), api.as_staff_of(order.buyer), api.as_admin(), api.as_user(a_user()))

    statuses = [caller.post(f"/{order.id}/{path}", {}).status for caller in callers]

    assert statuses == [403, 403, 403, 403]
    assert api.post(f"/{order.id}/{path}", {}).status == 401
    assert everything_about(order) == before
