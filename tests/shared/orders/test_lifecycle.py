"""The tables of the order's and the line's life, against the specification written out once more."""

import ast
import re
from itertools import product
from pathlib import Path

import pytest

from infra.local.paths import CHECKOUT
from shared.kit.errors import StateConflict
from shared.orders.lifecycle import (
    LINES,
    ORDERS,
    Action,
    LineAction,
    fulfillment_of,
    is_done,
    move,
    status_at_checkout,
    status_of_decided,
)
from shared.orders.machine import Actor
from shared.orders.models import FulfillmentStatus, LineStatus, Order, OrderStatus
from shared.orders.payments import INTENTS

# from | by | action | to, as in "Orders, delivery, money"
SPECIFIED = """
    -                  | checkout  | create         | created_pending rejected
    created_pending    | vendor    | accept         | accepted partially_accepted
    created_pending    | vendor    | reject         | rejected
    created_pending    | vendor    | decide_lines   | created_pending accepted partially_accepted rejected
    accepted           | vendor    | decide_lines   | accepted partially_accepted rejected
    partially_accepted | vendor    | decide_lines   | partially_accepted rejected
    accepted           | vendor    | fulfill        | accepted ready_for_dispatch
    partially_accepted | vendor    | fulfill        | partially_accepted ready_for_dispatch
    accepted           | vendor    | hold           | hold
    partially_accepted | vendor    | hold           | hold
    ready_for_dispatch | vendor    | hold           | hold
    hold               | vendor    | release        | accepted partially_accepted ready_for_dispatch
    ready_for_dispatch | agent     | pickup         | in_transit
    in_transit         | agent     | deliver        | delivered
    delivered          | admin     | confirm_payout | closed
    created_pending    | buyer     | cancel         | canceled
    accepted           | buyer     | cancel         | canceled
    partially_accepted | buyer     | cancel         | canceled
    ready_for_dispatch | buyer     | cancel         | canceled
    hold               | buyer     | cancel         | canceled
    created_pending    | scheduler | expire         | expired
"""

SPECIFIED_LINES = """
    -         | checkout  | reserve | pending rejected
    pending   | vendor    | accept  | accepted
    pending   | vendor    | reject  | rejected
    pending   | vendor    | fulfill | fulfilled
    accepted  | vendor    | reject  | rejected
    accepted  | vendor    | fulfill | fulfilled
    pending   | buyer     | cancel  | rejected
    accepted  | buyer     | cancel  | rejected
    fulfilled | buyer     | cancel  | rejected
    pending   | scheduler | expire  | rejected
    accepted  | scheduler | expire  | rejected
    fulfilled | scheduler | expire  | rejected
"""

SPECIFIED_PAYMENTS = """
    -        | checkout | create         | unpaid pending
    unpaid   | agent    | collect_cash   | settled
    pending  | agent    | collect_cash   | settled
    failed   | agent    | collect_cash   | settled
    unpaid   | agent    | fail           | failed
    pending  | agent    | fail           | failed
    failed   | agent    | fail           | failed
    unpaid   | admin    | reject_payment | rejected
    pending  | admin    | reject_payment | rejected
    failed   | admin    | reject_payment | rejected
    failed   | admin    | reset_payment  | unpaid
    rejected | admin    | reset_payment  | unpaid
    settled  | admin    | confirm_payout | paid
"""


def rows(table):
    """(from, by, action) → the set of outcomes."""
    cells = [[cell.strip() for cell in row.split("|")] for row in table.strip().splitlines()]
    return {(source, by, action): set(outcomes.split()) for source, by, action, outcomes in cells}


@pytest.mark.parametrize(
    ("machine", "statuses", "actions", "table"),
    [
        (ORDERS, OrderStatus, Action, SPECIFIED),
        (LINES, LineStatus, LineAction, SPECIFIED_LINES),
        (INTENTS, type(INTENTS.moves[1].source), type(INTENTS.moves[1].action), SPECIFIED_PAYMENTS),
    ],
    ids=["order", "line", "payment"],
)
def test_every_cell_of_status_actor_and_action_is_as_specified(machine, statuses, actions, table):
    specified = rows(table)
    cells = list(product([None, *statuses], Actor, actions))

    found = {
        (source or "-", by, action): set(machine.outcomes(source, by, action))
        for source, by, action in cells
        if machine.outcomes(source, by, action)
    }

    assert len(cells) == (len(statuses) + 1) * 6 * len(actions)
    assert found == specified


CELLS = list(product(OrderStatus, [actor for actor in Actor if actor is not Actor.CHECKOUT], Action, OrderStatus))


def test_an_order_moves_to_what_is_specified_and_nowhere_else():
    specified = rows(SPECIFIED)

    moved, refused = 0, 0
    for source, by, action, to in CELLS:
        order = Order(status=source)
        if to in specified.get((source, by, action), set()):
            move(order, by, action, to)
            assert order.status is to
            moved += 1
        else:
            with pytest.raises(StateConflict) as refusal:
                move(order, by, action, to)
            assert order.status is source
            assert refusal.value.details == {
                "from": source,
                "action": action,
                "allowed": [step for (start, who, step) in specified if (start, who) == (source, by)],
            }
            refused += 1

    assert (moved, refused) == (31, 11 * 5 * 12 * 11 - 31)


@pytest.mark.parametrize(
    ("action", "actor", "done_in"),
    [
        (Action.ACCEPT, Actor.VENDOR, {"accepted", "partially_accepted"}),
        (Action.REJECT, Actor.VENDOR, {"rejected"}),
        (Action.DECIDE_LINES, Actor.VENDOR, {"rejected"}),
        (Action.FULFILL, Actor.VENDOR, {"ready_for_dispatch"}),
        (Action.HOLD, Actor.VENDOR, {"hold"}),
        (Action.RELEASE, Actor.VENDOR, set()),
        (Action.PICKUP, Actor.AGENT, {"in_transit"}),
        (Action.DELIVER, Actor.AGENT, {"delivered"}),
        (Action.CONFIRM_PAYOUT, Actor.ADMIN, {"closed"}),
        (Action.CANCEL, Actor.BUYER, {"canceled"}),
        (Action.EXPIRE, Actor.SCHEDULER, {"expired"}),
    ],
)
def test_an_action_is_done_where_it_leads_and_cannot_start_again(action, actor, done_in):
    assert {status for status in OrderStatus if is_done(Order(status=status), actor, action)} == done_in


def test_a_release_is_done_only_where_the_order_was_held_from():
    released = Order(status=OrderStatus.ACCEPTED, held_from=OrderStatus.ACCEPTED)
    moved_on = Order(status=OrderStatus.READY_FOR_DISPATCH, held_from=OrderStatus.ACCEPTED)

    assert is_done(released, Actor.VENDOR, Action.RELEASE)
    assert not is_done(moved_on, Actor.VENDOR, Action.RELEASE)


@pytest.mark.parametrize(
    ("lines", "status", "fulfillment"),
    [
        ("pending pending", "created_pending", "pending"),
        ("pending accepted", "created_pending", "pending"),
        ("pending rejected", "created_pending", "pending"),
        ("pending fulfilled", "created_pending", "partial"),
        ("accepted accepted", "accepted", "pending"),
        ("accepted rejected", "partially_accepted", "pending"),
        ("accepted fulfilled", "accepted", "partial"),
        ("accepted fulfilled rejected", "partially_accepted", "partial"),
        ("fulfilled fulfilled", "accepted", "fulfilled"),
        ("fulfilled rejected", "partially_accepted", "fulfilled"),
        ("rejected rejected", "rejected", "pending"),
    ],
)
def test_an_order_is_what_its_lines_are(lines, status, fulfillment):
    held = [LineStatus(line) for line in lines.split()]

    assert status_of_decided(held) is OrderStatus(status)
    assert fulfillment_of(held) is FulfillmentStatus(fulfillment)


def test_an_order_none_of_whose_lines_got_stock_begins_rejected():
    assert status_at_checkout([LineStatus.REJECTED, LineStatus.PENDING]) is OrderStatus.CREATED_PENDING
    assert status_at_checkout([LineStatus.REJECTED]) is OrderStatus.REJECTED


@pytest.mark.parametrize(
    ("machine", "table", "finals"),
    [
        (ORDERS, SPECIFIED, {"rejected", "closed", "canceled", "expired"}),
        (LINES, SPECIFIED_LINES, {"rejected"}),
        (INTENTS, SPECIFIED_PAYMENTS, {"paid"}),
    ],
    ids=["order", "line", "payment"],
)
def test_the_diagram_shows_every_move_once(machine, table, finals):
    head, *arrows = machine.diagram().splitlines()

    told = [re.fullmatch(r"    (\S+) --> (\S+)(?:: (.+))?", arrow).groups() for arrow in arrows]
    moves = {
        (source, outcome, f"{by} {action.replace('_', ' ')}")
        for (source, by, action), outcomes in rows(table).items()
        for outcome in outcomes
    }

    assert head == "stateDiagram-v2"
    assert {
        (source.replace("[*]", "-"), outcome, label)
        for source, outcome, labels in told
        if labels
        for label in labels.split(", ")
    } == moves
    assert {source for source, outcome, labels in told if labels is None} == finals


def test_only_the_tables_modules_assign_a_status():
    allowed = {"lifecycle.py": "order", "payments.py": "intent"}
    folders = [CHECKOUT / "shared/orders", *(CHECKOUT / "functions" / name for name in ("orders", "agent", "payouts"))]

    assigned = {
        (file.name, ast.unparse(target))
        for folder in folders
        for file in folder.glob("*.py")
        for target in _targets(file)
        if isinstance(target, ast.Attribute) and target.attr == "status"
    }

    assert assigned == {(name, f"{noun}.status") for name, noun in allowed.items()}


def _targets(file: Path):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Assign):
            yield from node.targets
        elif isinstance(node, ast.AnnAssign | ast.AugAssign):
            yield node.target
