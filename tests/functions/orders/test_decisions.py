"""What deciding and packing an order does to its lines, its stock, its money, and who hears of it."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.events.orders import OrderDecided, OrderReadyForDispatch
from shared.orders.models import FulfillmentStatus, LineStatus, OrderStatus
from tests.builders.orders import A, an_agent, an_order
from tests.events import audited
from tests.orders import everything_about, line_statuses, lines_now, money_of, now
from tests.stock import stock_of

ACCEPTED, REJECTED, FULFILLED = LineStatus.ACCEPTED, LineStatus.REJECTED, LineStatus.FULFILLED
PENDING = LineStatus.PENDING


def about(order):
    return {
        "order_id": order.id,
        "order_number": order.order_number,
        "buyer_store_id": order.buyer_store_id,
        "vendor_store_id": order.vendor_store_id,
    }


def decided(order, status, accepted, rejected, total_cents):
    return OrderDecided(
        **about(order), status=status, accepted_lines=accepted, rejected_lines=rejected, total_cents=total_cents
    )


def decide(api, order, decision, **more):
    body = {"decision": decision, **more}
    return api.as_staff_of(order.vendor).post(f"/vendor/orders/{order.id}/decision", body)


def decide_lines(api, order, *decisions, **more):
    """`decisions` run along the lines; None leaves one out."""
    asked = [
        {"line_item_id": str(line.id), "decision": decision, **more}
        for line, decision in zip(order.lines, decisions, strict=False)
        if decision
    ]
    path = f"/vendor/orders/{order.id}/line-items/decision"
    return api.as_staff_of(order.vendor).post(path, {"decisions": asked})


def fulfill(api, order, *lines):
    body = {"line_item_ids": [str(line.id) for line in lines]} if lines else {}
    return api.as_staff_of(order.vendor).post(f"/vendor/orders/{order.id}/fulfill", body)


def stocks(order):
    return [stock_of(line.product_id) for line in order.lines]


def test_when_an_order_was_first_accepted_stays_whatever_comes_of_its_lines(api, freeze):
    monday = datetime(2026, 3, 2, 12, tzinfo=UTC)
    order = an_order(created_at=monday)

    freeze(monday + timedelta(hours=1))
    decide(api, order, "accept")
    freeze(monday + timedelta(hours=2))
    reply = decide_lines(api, order, "reject")

    assert (reply.status, now(order).status) == (200, OrderStatus.PARTIALLY_ACCEPTED)
    assert now(order).accepted_at == monday + timedelta(hours=1)


def test_accepting_an_order_accepts_its_pending_lines(api, events):
    order = an_order()

    reply = decide(api, order, "accept")

    assert (reply.status, reply.data["status"]) == (200, "accepted")
    assert line_statuses(order) == [ACCEPTED, ACCEPTED]
    assert money_of(order) == (18_000, 0, 18_000, 18_000)
    assert stocks(order) == [(96, 4), (98, 2)]
    assert events.emitted() == [decided(order, "accepted", 2, 0, 18_000)]
    assert audited() == [
        (
            "order.accepted",
            order.id,
            {
                "status": "accepted",
                "fulfillment_status": "pending",
                "shipping_status": "pending",
                "total_cents": 18_000,
                "balance_due_cents": 18_000,
            },
        )
    ]
    assert now(order).accepted_at is not None


def test_an_order_with_a_line_rejected_before_is_accepted_in_part(api, events):
    order = an_order(lines=(A(status=PENDING), A(status=REJECTED), A(status=PENDING)))

    reply = decide(api, order, "accept")

    assert reply.data["status"] == "partially_accepted"
    assert line_statuses(order) == [ACCEPTED, REJECTED, ACCEPTED]
    assert events.emitted() == [decided(order, "partially_accepted", 2, 1, 20_000)]


def test_rejecting_an_order_gives_everything_back(api, events):
    order = an_order(promo_cents=1_000)

    reply = decide(api, order, "reject", reason="The harvest failed.")

    assert (reply.status, reply.data["status"]) == (200, "rejected")
    assert line_statuses(order) == [REJECTED, REJECTED]
    assert money_of(order) == (0, 0, 0, 0)
    assert stocks(order) == [(100, 0), (100, 0)]
    assert [(line.rejection_reason, line.notes) for line in lines_now(order)] == [
        ("vendor_rejected", "The harvest failed."),
        ("vendor_rejected", "The harvest failed."),
    ]
    assert events.emitted() == [decided(order, "rejected", 0, 2, 0)]
    assert [(action, after["reason"]) for action, _, after in audited()] == [("order.rejected", "The harvest failed.")]
    assert now(order).accepted_at is None


def test_rejecting_a_line_takes_its_total_off_and_leaves_the_promo(api):
    order = an_order(
        lines=(A(qty=4, unit_price_cents=2_500, discount_cents=500), A(qty=2, unit_price_cents=4_000)),
        promo_cents=1_500,
    )
    before = money_of(order)

    decide_lines(api, order, None, "reject")

    assert before == (16_000, 1_500, 16_000, 16_000)
    assert money_of(order) == (8_000, 1_500, 8_000, 8_000)
    assert (now(order).subtotal_cents, now(order).line_discounts_cents) == (10_000, 500)


def test_a_promo_is_capped_at_what_remains(api):
    order = an_order(lines=(A(qty=1, unit_price_cents=900), A(qty=2, unit_price_cents=4_000)), promo_cents=2_000)

    decide_lines(api, order, None, "reject")

    assert money_of(order) == (0, 900, 0, 0)


def test_an_order_stays_pending_while_a_line_is(api, events):
    order = an_order(lines=(A(), A(), A()))

    reply = decide_lines(api, order, "accept", "reject", notes="Too wet.")

    assert (reply.status, reply.data["status"]) == (200, "created_pending")
    assert [(line.status, line.rejection_reason, line.notes) for line in lines_now(order)] == [
        (ACCEPTED, None, "Too wet."),
        (REJECTED, "vendor_rejected", "Too wet."),
        (PENDING, None, None),
    ]
    assert money_of(order) == (20_000, 0, 20_000, 20_000)
    assert events.emitted() == []
    assert [(action, after["lines"]) for action, _, after in audited()] == [
        (
            "order.lines_decided",
            [
                {"line_item_id": str(order.lines[0].id), "action": "accept"},
                {"line_item_id": str(order.lines[1].id), "action": "reject"},
            ],
        )
    ]


def test_the_last_line_decides_the_order(api, events):
    order = an_order(lines=(A(status=REJECTED), A(status=ACCEPTED), A()))

    reply = decide_lines(api, order, None, None, "accept")

    assert reply.data["status"] == "partially_accepted"
    assert events.emitted() == [decided(order, "partially_accepted", 2, 1, 20_000)]


def test_lines_rejected_after_the_order_was_accepted_are_told(api, events):
    order = an_order(OrderStatus.ACCEPTED)

    first = decide_lines(api, order, "reject")
    second = decide_lines(api, order, "reject", "reject")

    assert (first.data["status"], second.data["status"]) == ("partially_accepted", "rejected")
    assert money_of(order) == (0, 0, 0, 0)
    assert stocks(order) == [(100, 0), (100, 0)]
    assert events.emitted() == [
        decided(order, "partially_accepted", 1, 1, 8_000),
        decided(order, "rejected", 0, 2, 0),
    ]


def test_fulfilling_pending_lines_accepts_them_and_makes_the_order_ready(api, events):
    order = an_order()

    reply = decide_lines(api, order, "fulfill", "fulfill")

    held = now(order)
    assert (reply.status, reply.data["status"]) == (200, "ready_for_dispatch")
    assert line_statuses(order) == [FULFILLED, FULFILLED]
    assert held.fulfillment_status is FulfillmentStatus.FULFILLED
    assert held.accepted_at is not None
    assert held.fulfilled_at is not None
    assert events.emitted() == [decided(order, "accepted", 2, 0, 18_000), OrderReadyForDispatch(**about(order))]
    assert [action for action, _, _ in audited()] == ["order.lines_decided", "order.fulfilled"]
    assert [(entry["from_status"], entry["to_status"]) for entry in reply.data["timeline"]] == [
        ("created_pending", "accepted"),
        ("accepted", "ready_for_dispatch"),
    ]


def test_a_packed_order_is_ready_once_its_last_open_line_is_rejected(api, events):
    order = an_order(OrderStatus.ACCEPTED, lines=(A(status=FULFILLED), A(status=ACCEPTED)))

    reply = decide_lines(api, order, None, "reject")

    assert reply.data["status"] == "ready_for_dispatch"
    assert events.emitted() == [
        decided(order, "partially_accepted", 1, 1, 10_000),
        OrderReadyForDispatch(**about(order)),
    ]


def test_lines_are_decided_all_or_none(api, events):
    order = an_order(OrderStatus.ACCEPTED, lines=(A(status=ACCEPTED), A(status=FULFILLED)))
    before = everything_about(order)

    reply = decide_lines(api, order, "reject", "reject")

    assert (reply.status, reply.error.code) == (422, "STATE_CONFLICT")
    assert reply.error.details == {
        "from": "fulfilled",
        "action": "reject",
        "allowed": [],
        "line_item_id": str(order.lines[1].id),
    }
    assert everything_about(order) == before
    assert events.emitted() == []


@pytest.mark.parametrize(
    ("status", "decision", "outcome"),
    [
        (PENDING, "accept", ACCEPTED),
        (PENDING, "reject", REJECTED),
        (PENDING, "fulfill", FULFILLED),
        (ACCEPTED, "accept", "done"),
        (ACCEPTED, "reject", REJECTED),
        (ACCEPTED, "fulfill", FULFILLED),
        (REJECTED, "accept", "refused"),
        (REJECTED, "reject", "done"),
        (REJECTED, "fulfill", "refused"),
        (FULFILLED, "accept", "refused"),
        (FULFILLED, "reject", "refused"),
        (FULFILLED, "fulfill", "done"),
    ],
)
def test_each_decision_on_a_line_in_each_status(api, status, decision, outcome):
    order = an_order(lines=(A(status=status), A(status=PENDING)))
    before = everything_about(order)

    reply = decide_lines(api, order, decision)

    if outcome in ("done", "refused"):
        assert reply.status == (200 if outcome == "done" else 422)
        assert everything_about(order) == before
    else:
        assert (reply.status, line_statuses(order)) == (200, [outcome, PENDING])


def test_a_line_of_another_order_does_not_exist_in_this_one(api, events):
    order, other = an_order(), an_order()
    before = everything_about(order)
    asked = {"decisions": [{"line_item_id": str(other.lines[0].id), "decision": "accept"}]}

    reply = api.as_staff_of(order.vendor).post(f"/vendor/orders/{order.id}/line-items/decision", asked)
    packed = fulfill(api, order, other.lines[0])

    assert (reply.status, reply.error.details) == (404, {"line_item_ids": [str(other.lines[0].id)]})
    assert (packed.status, packed.error.code) == (404, "NOT_FOUND")
    assert everything_about(order) == before
    assert line_statuses(other) == [PENDING, PENDING]
    assert events.emitted() == []


@pytest.mark.parametrize(
    ("decisions", "fields"),
    [
        ([], ["decisions"]),
        ([{"line_item_id": "01980000-0000-7000-8000-000000000001", "decision": "accept"}] * 2, ["decisions"]),
        ([{"line_item_id": "1", "decision": "ship"}], ["decisions[0].line_item_id", "decisions[0].decision"]),
        (
            [{"line_item_id": f"01980000-0000-7000-8000-{n:012}", "decision": "accept"} for n in range(201)],
            ["decisions"],
        ),
    ],
    ids=["none", "one twice", "nonsense", "201"],
)
def test_odd_sets_of_decisions_are_refused(api, decisions, fields):
    order = an_order()
    before = everything_about(order)

    path = f"/vendor/orders/{order.id}/line-items/decision"
    reply = api.as_staff_of(order.vendor).post(path, {"decisions": decisions})

    assert (reply.status, reply.error.fields) == (400, fields)
    assert everything_about(order) == before


def test_packing_some_lines_tells_nobody_and_the_last_makes_the_order_ready(api, events):
    order = an_order(OrderStatus.ACCEPTED)
    first, second = order.lines

    part = fulfill(api, order, first)
    told_after_part = events.emitted()
    rest = fulfill(api, order, second, first)

    assert (part.data["status"], part.data["fulfillment_status"]) == ("accepted", "partial")
    assert told_after_part == []
    assert (rest.data["status"], rest.data["fulfillment_status"]) == ("ready_for_dispatch", "fulfilled")
    assert events.emitted() == [OrderReadyForDispatch(**about(order))]
    assert [(action, len(after["lines"])) for action, _, after in audited()] == [
        ("order.fulfilled", 1),
        ("order.fulfilled", 1),
    ]
    assert stocks(order) == [(96, 4), (98, 2)]


def test_a_rejected_line_cannot_be_packed(api, events):
    order = an_order(OrderStatus.PARTIALLY_ACCEPTED)
    before = everything_about(order)

    reply = fulfill(api, order, *order.lines)

    assert (reply.status, reply.error.details["from"]) == (422, "rejected")
    assert everything_about(order) == before
    assert events.emitted() == []


def test_packing_everything_skips_what_is_rejected(api):
    order = an_order(OrderStatus.PARTIALLY_ACCEPTED)

    reply = fulfill(api, order)

    assert reply.data["status"] == "ready_for_dispatch"
    assert line_statuses(order) == [FULFILLED, REJECTED]


def test_an_order_with_a_packed_line_cannot_be_rejected_whole(api, events):
    order = an_order(lines=(A(status=FULFILLED), A(status=PENDING)))
    before = everything_about(order)

    reply = decide(api, order, "reject")

    assert (reply.status, reply.error.details["from"]) == (422, "fulfilled")
    assert everything_about(order) == before
    assert events.emitted() == []


def test_an_order_on_hold_keeps_its_goods_and_goes_on_where_it_was(api, events):
    order = an_order(OrderStatus.PARTIALLY_ACCEPTED)
    vendor = api.as_staff_of(order.vendor)

    held = vendor.post(f"/vendor/orders/{order.id}/hold", {"reason": "The dock is closed."})
    released = vendor.post(f"/vendor/orders/{order.id}/release", {"reason": "It is open."})

    assert (held.data["status"], held.data["held_from"]) == ("hold", "partially_accepted")
    assert (released.data["status"], released.data["held_from"]) == ("partially_accepted", None)
    assert stocks(order) == [(96, 4), (100, 0)]
    assert [(action, after["status"], after["reason"]) for action, _, after in audited()] == [
        ("order.held", "hold", "The dock is closed."),
        ("order.released", "partially_accepted", "It is open."),
    ]
    assert events.emitted() == []


def test_a_ready_order_without_an_agent_is_announced_again_when_released(api, events):
    waiting, assigned = (
        an_order(OrderStatus.READY_FOR_DISPATCH),
        an_order(OrderStatus.READY_FOR_DISPATCH, agent=an_agent()),
    )

    for order in (waiting, assigned):
        vendor = api.as_staff_of(order.vendor)
        vendor.post(f"/vendor/orders/{order.id}/hold", {"reason": "A label is missing."})
        vendor.post(f"/vendor/orders/{order.id}/release", {})

    assert events.emitted() == [OrderReadyForDispatch(**about(waiting))]


def test_a_release_without_a_hold_is_refused(api):
    order = an_order(OrderStatus.ACCEPTED)
    before = everything_about(order)

    reply = api.as_staff_of(order.vendor).post(f"/vendor/orders/{order.id}/release", {})

    assert (reply.status, reply.error.details["action"]) == (422, "release")
    assert everything_about(order) == before


def test_a_hold_says_why(api):
    order = an_order(OrderStatus.ACCEPTED)

    reply = api.as_staff_of(order.vendor).post(f"/vendor/orders/{order.id}/hold", {})

    assert (reply.status, reply.error.fields) == (400, ["reason"])


@pytest.mark.parametrize(
    "act",
    [
        lambda api, order: decide(api, order, "accept"),
        lambda api, order: decide(api, order, "reject"),
        lambda api, order: decide_lines(api, order, *["reject"] * len(order.lines)),
        lambda api, order: decide_lines(api, order, *["fulfill"] * len(order.lines)),
    ],
    ids=["accept", "reject", "reject lines", "fulfill lines"],
)
def test_many_lines_cost_as_many_statements_as_one(api, statements, act):
    small, large = an_order(lines=(A(qty=1),)), an_order(lines=(A(qty=1),) * 40)

    costs = []
    for order in (small, large):
        with statements() as cost:
            assert act(api, order).status == 200
        costs.append(cost.sql)

    assert costs[0] == costs[1]


def test_a_store_decides_at_most_120_times_a_minute(api):
    order, other = an_order(), an_order()
    vendor = api.as_staff_of(order.vendor)
    path = f"/vendor/orders/{order.id}/decision"

    statuses = [vendor.post(path, {"decision": "accept"}).status for _ in range(120)]
    refused = vendor.post(f"/vendor/orders/{order.id}/line-items/decision", {"decisions": []})

    assert set(statuses) == {200}
    assert (refused.status, refused.error.code) == (429, "RATE_LIMIT_EXCEEDED")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert decide(api, other, "accept").status == 200
