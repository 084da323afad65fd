"""Every action of buyer and vendor in every status: it moves, it was done already, or it is refused."""

import pytest

from shared.identity.permissions import Role
from shared.kit.ids import new_id
from shared.orders.models import OrderStatus
from tests.builders.orders import an_order
from tests.builders.stores import a_buyer, a_vendor
from tests.orders import everything_about, now
from tests.stock import stock_of

# What becomes of an order of two lines in each status: the next status, "done" for a success
# that changes nothing, or a dash for 422. A partially accepted order has its second line rejected;
# an order on hold was accepted. `reject_first` decides the first line alone, `reject_last` the second.
TABLE = """
    status             | accept   | reject   | reject_first       | reject_last        | fulfill            | hold | release  | cancel
    created_pending    | accepted | rejected | created_pending    | created_pending    | -                  | -    | -        | canceled
    accepted           | done     | -        | partially_accepted | partially_accepted | ready_for_dispatch | hold | -        | canceled
    partially_accepted | done     | -        | rejected           | done               | ready_for_dispatch | hold | -        | canceled
    rejected           | -        | done     | done               | done               | -                  | -    | -        | -
    ready_for_dispatch | -        | -        | -                  | -                  | done               | hold | -        | canceled
    hold               | -        | -        | -                  | -                  | -                  | done | accepted | canceled
    in_transit         | -        | -        | -                  | -                  | -                  | -    | -        | -
    delivered          | -        | -        | -                  | -                  | -                  | -    | -        | -
    closed             | -        | -        | -                  | -                  | -                  | -    | -        | -
    canceled           | -        | -        | -                  | -                  | -                  | -    | -        | done
    expired            | -        | -        | -                  | -                  | -                  | -    | -        | -
"""  # noqa: E501 - a table is read whole

# What a refusal says is allowed: the vendor's, and the buyer's.
ALLOWED_TO_VENDOR = {
    "created_pending": ["accept", "reject", "decide_lines"],
    "accepted": ["decide_lines", "fulfill", "hold"],
    "partially_accepted": ["decide_lines", "fulfill", "hold"],
    "ready_for_dispatch": ["hold"],
    "hold": ["release"],
}

_HEAD, *_ROWS = [[cell.strip() for cell in row.split("|")] for row in TABLE.strip().splitlines()]
CELLS = [(row[0], action, told) for row in _ROWS for action, told in zip(_HEAD[1:], row[1:], strict=True)]

NAMES = {"reject_first": "decide_lines", "reject_last": "decide_lines"}


def do(api, order, action):
    """Ask for the action as the side that may."""
    if action == "cancel":
        return api.as_staff_of(order.buyer).post(f"/orders/{order.id}/cancel", {})
    vendor = api.as_staff_of(order.vendor)
    if action in ("accept", "reject"):
        return vendor.post(f"/vendor/orders/{order.id}/decision", {"decision": action})
    if action in NAMES:
        line = order.lines[0 if action == "reject_first" else 1]
        asked = {"decisions": [{"line_item_id": str(line.id), "decision": "reject"}]}
        return vendor.post(f"/vendor/orders/{order.id}/line-items/decision", asked)
    body = {"reason": "The dock is closed."} if action == "hold" else {}
    return vendor.post(f"/vendor/orders/{order.id}/{action}", body)


def test_the_table_has_a_row_for_every_status():
    assert [row[0] for row in _ROWS] == [
        "created_pending",
        "accepted",
        "partially_accepted",
        "rejected",
        "ready_for_dispatch",
        "hold",
        "in_transit",
        "delivered",
        "closed",
        "canceled",
        "expired",
    ]
    assert {row[0] for row in _ROWS} == set(OrderStatus)


@pytest.mark.parametrize(("status", "action", "told"), CELLS, ids=[f"{cell[0]}-{cell[1]}" for cell in CELLS])
def test_each_action_in_each_status(api, status, action, told):
    order = an_order(OrderStatus(status))
    before = everything_about(order)

    reply = do(api, order, action)

    if told == "-":
        assert (reply.status, reply.error.code) == (422, "STATE_CONFLICT")
        assert reply.error.details == {
            "from": status,
            "action": NAMES.get(action, action),
            "allowed": [] if action == "cancel" else ALLOWED_TO_VENDOR.get(status, []),
        }
        assert everything_about(order) == before
    elif told == "done":
        assert (reply.status, reply.data["status"]) == (200, status)
        assert everything_about(order) == before
    else:
        after = everything_about(order)
        assert (reply.status, reply.data["status"]) == (200, told)
        assert now(order).status == told
        assert len(after["audit_logs"]) == 1


@pytest.mark.parametrize("action", ["accept", "reject", "reject_first", "fulfill", "hold", "release", "cancel"])
def test_asking_again_with_another_key_answers_the_same_and_does_nothing(api, action):
    begins = {"fulfill": "accepted", "hold": "accepted", "release": "hold"}
    order = an_order(OrderStatus(begins.get(action, "created_pending")))
    first = do(api, order, action)
    before = everything_about(order)

    again = do(api, order, action)

    assert (first.status, again.status) == (200, 200)
    assert again.data == first.data
    assert everything_about(order) == before


@pytest.mark.parametrize("action", ["accept", "reject", "reject_first", "fulfill", "hold", "release", "cancel"])
def test_to_every_other_store_the_order_does_not_exist(api, action):
    order = an_order()
    before = everything_about(order)

    order.buyer, order.vendor = a_buyer(), a_vendor()
    not_theirs = do(api, order, action)
    real_id, order.id = order.id, new_id()
    not_there = do(api, order, action)
    order.id = real_id

    assert (not_theirs.status, not_there.status) == (404, 404)
    assert without_request_id(not_theirs) == without_request_id(not_there)
    assert everything_about(order) == before


def without_request_id(reply):
    return {name: value for name, value in reply.json["error"].items() if name != "request_id"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("decision", {"decision": "accept"}),
        (
            "line-items/decision",
            {"decisions": [{"line_item_id": "01980000-0000-7000-8000-000000000001", "decision": "accept"}]},
        ),
        ("fulfill", {}),
        ("hold", {"reason": "No."}),
        ("release", {}),
    ],
)
def test_the_buyer_cannot_do_what_is_the_vendors(api, path, body):
    order = an_order()
    before = everything_about(order)

    reply = api.as_member(order.buyer).post(f"/vendor/orders/{order.id}/{path}", body)

    assert (reply.status, reply.error.reason) == (403, "store_type")
    assert everything_about(order) == before


@pytest.mark.parametrize("path", ["cancel", "nudge"])
def test_the_vendor_cannot_do_what_is_the_buyers(api, path):
    order = an_order()
    before = everything_about(order)

    reply = api.as_member(order.vendor).post(f"/orders/{order.id}/{path}", {})

    assert (reply.status, reply.error.reason) == (403, "store_type")
    assert everything_about(order) == before


@pytest.mark.parametrize(
    ("action", "enough", "too_little"),
    [
        ("accept", Role.OPS, Role.STAFF),
        ("reject_first", Role.OPS, Role.STAFF),
        ("hold", Role.OPS, Role.STAFF),
        ("release", Role.OPS, Role.STAFF),
        ("fulfill", Role.STAFF, Role.VIEWER),
        ("cancel", Role.OPS, Role.STAFF),
    ],
)
def test_each_action_needs_its_role(api, monkeypatch, action, enough, too_little):
    begins = {"fulfill": "accepted", "hold": "accepted", "release": "hold"}
    order = an_order(OrderStatus(begins.get(action, "created_pending")))
    before = everything_about(order)

    monkeypatch.setattr(type(api), "as_staff_of", lambda self, store: self.as_member(store, too_little))
    refused = do(api, order, action)
    untouched = everything_about(order) == before
    monkeypatch.setattr(type(api), "as_staff_of", lambda self, store: self.as_member(store, enough))
    reply = do(api, order, action)

    assert (refused.status, refused.error.code, untouched) == (403, "FORBIDDEN", True)
    assert reply.status == 200


def test_stock_follows_the_lines_and_only_once(api):
    order = an_order()
    first, second = (line.product_id for line in order.lines)
    reserved = [stock_of(first), stock_of(second)]

    do(api, order, "reject_first")
    one_back = [stock_of(first), stock_of(second)]
    do(api, order, "cancel")
    do(api, order, "cancel")

    assert reserved == [(96, 4), (98, 2)]
    assert one_back == [(100, 0), (98, 2)]
    assert [stock_of(first), stock_of(second)] == [(100, 0), (100, 0)]
