"""Every cell of status, action and actor, through the real routes, against tables written from the specification.

A situation is a status with what else decides: whether an agent has the order, and how it is paid. What is not
written down as possible must be refused, with this code, and leave no trace.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from shared.identity.permissions import Role
from shared.kit import clock
from shared.kit.ids import new_id
from shared.media.kinds import MediaKind
from shared.orders.models import IntentStatus, OrderStatus
from tests.api import Client
from tests.builders.media import a_license, a_media
from tests.builders.orders import an_agent, an_order
from tests.builders.stores import a_buyer, a_vendor
from tests.events import Events
from tests.jobs import fire_job
from tests.orders import everything_about, intent_now, now

pytestmark = pytest.mark.usefixtures("object_storage")

# situation: status, an agent has it, payment, more of the order's columns
SITUATIONS = {
    "placed": ("created_pending", False, None, {}),
    "placed, reminded": ("created_pending", False, None, {"ttl_nudged_at": True, "last_nudged_at": True}),
    "accepted": ("accepted", False, None, {}),
    "partially accepted": ("partially_accepted", False, None, {}),
    "rejected": ("rejected", False, None, {}),
    "ready": ("ready_for_dispatch", False, None, {}),
    "ready, assigned": ("ready_for_dispatch", True, None, {}),
    "held": ("hold", False, None, {}),
    "held, assigned": ("hold", True, None, {"held_from": OrderStatus.READY_FOR_DISPATCH}),
    "on the way": ("in_transit", True, None, {}),
    "on the way, paid": ("in_transit", True, "settled", {}),
    "delivered": ("delivered", True, None, {}),
    "delivered, paid": ("delivered", True, "settled", {}),
    "delivered, failed": ("delivered", True, "failed", {}),
    "delivered, refused": ("delivered", True, "rejected", {}),
    "closed": ("closed", True, None, {}),
    "canceled": ("canceled", False, None, {}),
    "expired": ("expired", False, None, {}),
}

# Cells: `-` is 422 STATE_CONFLICT and a number another refusal; `=` is a success that changes nothing; anything else
# is the status that the order has then (`.` for the same one), and after a colon the events that are emitted.
BUYER = """
                   | cancel                  | nudge          | retry
placed             | canceled:order_canceled | .:order_nudged | -
placed, reminded   | canceled:order_canceled | 429            | -
accepted           | canceled:order_canceled | .:order_nudged | -
partially accepted | canceled:order_canceled | .:order_nudged | -
rejected           | -                       | -              | -
ready              | canceled:order_canceled | -              | -
ready, assigned    | canceled:order_canceled | -              | -
held               | canceled:order_canceled | -              | -
held, assigned     | canceled:order_canceled | -              | -
on the way         | -                       | -              | -
on the way, paid   | -                       | -              | -
delivered          | -                       | -              | -
delivered, paid    | -                       | -              | -
delivered, failed  | -                       | -              | -
delivered, refused | -                       | -              | -
closed             | -                       | -              | -
canceled           | =                       | -              | -
expired            | -                       | -              | .:order_retried
"""

VENDOR = """
                   | accept                 | reject                 | reject_line                      | fulfill
placed             | accepted:order_decided | rejected:order_decided | .                                | -
placed, reminded   | accepted:order_decided | rejected:order_decided | .                                | -
accepted           | =                      | -                      | partially_accepted:order_decided | ready_for_dispatch:order_ready_for_dispatch
partially accepted | =                      | -                      | rejected:order_decided           | ready_for_dispatch:order_ready_for_dispatch
rejected           | -                      | =                      | =                                | -
ready              | -                      | -                      | -                                | =
ready, assigned    | -                      | -                      | -                                | =
held               | -                      | -                      | -                                | -
held, assigned     | -                      | -                      | -                                | -
on the way         | -                      | -                      | -                                | -
on the way, paid   | -                      | -                      | -                                | -
delivered          | -                      | -                      | -                                | -
delivered, paid    | -                      | -                      | -                                | -
delivered, failed  | -                      | -                      | -                                | -
delivered, refused | -                      | -                      | -                                | -
closed             | -                      | -                      | -                                | -
canceled           | -                      | -                      | -                                | -
expired            | -                      | -                      | -                                | -
"""  # noqa: E501 - a table is read whole

VENDOR_TOO = """
                   | hold | release            | confirm_paid | manifest         | override
placed             | -    | -                  | .            | -                | -
placed, reminded   | -    | -                  | .            | -                | -
accepted           | hold | -                  | .            | .:media_uploaded | .
partially accepted | hold | -                  | .            | .:media_uploaded | .
rejected           | -    | -                  | -            | -                | -
ready              | hold | -                  | .            | .:media_uploaded | .
ready, assigned    | hold | -                  | .            | .:media_uploaded | .
held               | =    | accepted           | .            | -                | -
held, assigned     | =    | ready_for_dispatch | .            | -                | -
on the way         | -    | -                  | .            | .:media_uploaded | .
on the way, paid   | -    | -                  | .            | .:media_uploaded | .
delivered          | -    | -                  | .            | -                | .
delivered, paid    | -    | -                  | .            | -                | .
delivered, failed  | -    | -                  | .            | -                | .
delivered, refused | -    | -                  | .            | -                | .
closed             | -    | -                  | .            | -                | .
canceled           | -    | -                  | -            | -                | -
expired            | -    | -                  | -            | -                | -
"""

AGENT = """
                   | claim            | pickup                      | deliver                   | cash             | wrong_cash
placed             | -                | 404                         | 404                       | 404              | 404
placed, reminded   | -                | 404                         | 404                       | 404              | 404
accepted           | -                | 404                         | 404                       | 404              | 404
partially accepted | -                | 404                         | 404                       | 404              | 404
rejected           | -                | 404                         | 404                       | 404              | 404
ready              | .:order_assigned | 404                         | 404                       | 404              | 404
ready, assigned    | =                | in_transit:order_in_transit | -                         | -                | -
held               | -                | 404                         | 404                       | 404              | 404
held, assigned     | =                | -                           | -                         | -                | -
on the way         | =                | =                           | delivered:order_delivered | .:cash_collected | 422:payment_failed
on the way, paid   | =                | =                           | delivered:order_delivered | -                | -
delivered          | =                | -                           | =                         | .:cash_collected | 422:payment_failed
delivered, paid    | =                | -                           | =                         | -                | -
delivered, failed  | =                | -                           | =                         | .:cash_collected | 422:payment_failed
delivered, refused | =                | -                           | =                         | -                | -
closed             | =                | -                           | -                         | -                | -
canceled           | -                | 404                         | 404                       | 404              | 404
expired            | -                | 404                         | 404                       | 404              | 404
"""  # noqa: E501 - a table is read whole

ADMIN = """
                   | payout            | assign           | refuse_payment     | reset_payment | look
placed             | -                 | -                | .:payment_rejected | -             | =
placed, reminded   | -                 | -                | .:payment_rejected | -             | =
accepted           | -                 | -                | .:payment_rejected | -             | =
partially accepted | -                 | -                | .:payment_rejected | -             | =
rejected           | -                 | -                | -                  | -             | =
ready              | -                 | .:order_assigned | .:payment_rejected | -             | =
ready, assigned    | -                 | .:order_assigned | .:payment_rejected | -             | =
held               | -                 | -                | .:payment_rejected | -             | =
held, assigned     | -                 | -                | .:payment_rejected | -             | =
on the way         | -                 | .:order_assigned | .:payment_rejected | -             | =
on the way, paid   | -                 | .:order_assigned | -                  | -             | =
delivered          | -                 | .:order_assigned | .:payment_rejected | -             | =
delivered, paid    | closed:order_paid | .:order_assigned | -                  | -             | =
delivered, failed  | -                 | .:order_assigned | .:payment_rejected | .             | =
delivered, refused | -                 | .:order_assigned | =                  | .             | =
closed             | =                 | -                | -                  | -             | =
canceled           | -                 | -                | -                  | -             | =
expired            | -                 | -                | -                  | -             | =
"""

# The hour strikes a week after the order was placed.
SCHEDULER = """
                   | strike
placed             | .:order_pending_nudge
placed, reminded   | expired:order_expired
accepted           | =
partially accepted | =
rejected           | =
ready              | =
ready, assigned    | =
held               | =
held, assigned     | =
on the way         | =
on the way, paid   | =
delivered          | =
delivered, paid    | =
delivered, failed  | =
delivered, refused | =
closed             | =
canceled           | =
expired            | =
"""

# An agent who has not got the order may take one that nobody has; the rest does not exist for them.
OTHER_AGENTS_CLAIM = {"ready": ".:order_assigned", "ready, assigned": "409"}

# Whoever is not the one for whom the action is: the routes are of one kind of caller, the orders of two stores.
OTHERS = {
    "buyer": {"vendor": 403, "other buyer": 404, "other vendor": 403, "agent": 403, "other agent": 403, "admin": 403},
    "vendor": {"buyer": 403, "other buyer": 403, "other vendor": 404, "agent": 403, "other agent": 403, "admin": 403},
    "agent": {"buyer": 403, "vendor": 403, "other buyer": 403, "other vendor": 403, "other agent": 404, "admin": 403},
    "admin": {
        "buyer": 403,
        "vendor": 403,
        "other buyer": 403,
        "other vendor": 403,
        "agent": 403,
        "other agent": 403,
    },
}
CODES = {
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    409: "CONFLICT",
    422: "STATE_CONFLICT",
    429: "RATE_LIMIT_EXCEEDED",
}


@dataclass(frozen=True)
class Cell:
    """What becomes of one action by one actor in one situation."""

    situation: str
    side: str
    action: str
    actor: str
    told: str

    @property
    def refusal(self) -> int | None:
        """The status of a refusal that changes nothing."""
        if self.told == "-":
            return 422
        return int(self.told) if self.told.isdecimal() else None

    def __str__(self) -> str:
        return f"{self.situation}: {self.actor} {self.action}"


def cells_of(table: str, side: str, actor: str | None = None) -> list[Cell]:
    """The cells of a table, each for the actor whose side it is."""
    head, *rows = ([cell.strip() for cell in row.split("|")] for row in table.strip("\n").splitlines())
    assert [row[0] for row in rows] == list(SITUATIONS)
    return [
        Cell(row[0], side, action, actor or side, told)
        for row in rows
        for action, told in zip(head[1:], row[1:], strict=True)
    ]


OWN = [
    cell
    for table, side in (
        (BUYER, "buyer"),
        (VENDOR, "vendor"),
        (VENDOR_TOO, "vendor"),
        (AGENT, "agent"),
        (ADMIN, "admin"),
    )
    for cell in cells_of(table, side)
]


def _of_others(own: Cell) -> list[Cell]:
    told = dict(OTHERS[own.side])
    if own.action == "claim":
        told["other agent"] = OTHER_AGENTS_CLAIM.get(own.situation, "-")
    return [Cell(own.situation, own.side, own.action, actor, str(refusal)) for actor, refusal in told.items()]


CELLS = [*OWN, *(cell for own in OWN for cell in _of_others(own)), *cells_of(SCHEDULER, "scheduler")]
ALLOWED = [cell for cell in CELLS if cell.refusal is None]
REFUSED = [cell for cell in CELLS if cell.refusal is not None]


class Scene:
    """An order in a situation, and everybody who might do something to it."""

    def __init__(self, situation: str) -> None:
        status, assigned, payment, more = SITUATIONS[situation]
        ago = clock.now() - timedelta(days=7)
        self.agent, self.other_agent = an_agent(), an_agent()
        self.order = an_order(
            OrderStatus(status),
            agent=self.agent if assigned else None,
            payment=payment and IntentStatus(payment),
            created_at=ago,
            **{name: clock.now() if value is True else value for name, value in more.items()}
            | ({"pending_until": ago + timedelta(days=5)} if status == "created_pending" else {}),
        )
        a_license(self.order.vendor)
        a_license(self.order.buyer)
        self.paper = a_media(self.order.vendor, MediaKind.MANIFEST, uploaded_by=new_id())
        self.others = {"other buyer": a_buyer(), "other vendor": a_vendor()}

    def trace(self) -> Any:
        """All that could have changed."""
        return everything_about(self.order), Events().types(), _orders()

    def do(self, cell: Cell) -> Any:
        """Let the actor ask for the action."""
        if cell.side == "scheduler":
            from functions.cron_order_ttl.main import main

            return fire_job(main)
        return getattr(self, f"_{cell.side}")(self._caller(cell), cell.action)

    def _caller(self, cell: Cell) -> Client:
        client = Client.of(_main("orders" if cell.side in ("buyer", "vendor") else _FUNCTIONS[cell.side]))
        stores = {"buyer": self.order.buyer, "vendor": self.order.vendor, **self.others}
        if cell.actor in stores:
            return client.as_member(stores[cell.actor], Role.OWNER)
        if cell.actor == "admin":
            return client.as_admin()
        return client.as_agent(self.agent if cell.actor == "agent" else self.other_agent)

    def _buyer(self, caller: Client, action: str) -> Any:
        return caller.post(f"/api/v1/orders/{self.order.id}/{action}", {} if action == "cancel" else None)

    def _vendor(self, caller: Client, action: str) -> Any:
        place, paper = f"/api/v1/vendor/orders/{self.order.id}", f"/api/v1/orders/{self.order.id}/manifest"
        if action == "manifest":
            return caller.post(paper)
        if action == "override":
            return caller.put(paper, {"media_id": str(self.paper.id)})
        if action in ("accept", "reject"):
            return caller.post(f"{place}/decision", {"decision": action})
        if action == "reject_line":
            decisions = [{"line_item_id": str(self.order.lines[0].id), "decision": "reject"}]
            return caller.post(f"{place}/line-items/decision", {"decisions": decisions})
        bodies = {"hold": {"reason": "The dock is closed."}, "confirm_paid": None}
        return caller.post(f"{place}/{action.replace('_', '-')}", bodies.get(action, {}))

    def _agent(self, caller: Client, action: str) -> Any:
        place = f"/api/v1/agent/orders/{self.order.id}"
        if action in ("cash", "wrong_cash"):
            due_cents = now(self.order).balance_due_cents
            return caller.post(f"{place}/cash-collected", {"amount_cents": due_cents + (action == "wrong_cash")})
        return caller.post(f"{place}/{action}", {} if action == "deliver" else None)

    def _admin(self, caller: Client, action: str) -> Any:
        place = f"/api/v1/admin/orders/{self.order.id}"
        if action == "look":
            return caller.get(place)
        if action == "payout":
            return caller.post(f"{place}/confirm-payout")
        if action == "assign":
            return caller.post(f"{place}/assign-agent", {"agent_user_id": str(self.other_agent.id)})
        verb = {"refuse_payment": "reject", "reset_payment": "reset"}[action]
        return caller.post(f"{place}/payment/{verb}", {"reason": "Returned by the bank."})


_FUNCTIONS = {"agent": "agent", "admin": "payouts"}


def _main(function: str) -> Any:
    from importlib import import_module

    return import_module(f"functions.{function}.main").main


def _orders() -> int:
    from sqlalchemy import func, select

    from shared.kit.db import read_only
    from shared.orders.models import Order

    with read_only() as session:
        return session.scalar(select(func.count()).select_from(Order)) or 0


def test_every_status_every_action_and_every_actor_has_its_cell():
    assert {status for status, *_ in SITUATIONS.values()} == set(OrderStatus)
    assert len(CELLS) == len({str(cell) + cell.side for cell in CELLS}) == len(SITUATIONS) * (22 * 7 + 1)
    assert len(ALLOWED) + len(REFUSED) == len(CELLS)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_what_is_refused_is_told_so_and_leaves_no_trace(situation):
    scene = Scene(situation)
    before = scene.trace()

    for cell in REFUSED:
        if cell.situation == situation:
            reply = scene.do(cell)
            assert (reply.status, reply.error.code) == (cell.refusal, CODES[cell.refusal]), (str(cell), reply.json)
        if cell.situation == situation and cell.actor in ("admin", cell.side):
            assert scene.trace() == before, str(cell)

    assert scene.trace() == before


@pytest.mark.parametrize("cell", ALLOWED, ids=str)
def test_what_is_allowed_happens_once(cell):
    scene = Scene(cell.situation)
    before, status = scene.trace(), scene.order.status

    reply = scene.do(cell)

    after, events = scene.trace(), Events().types()
    told, _, emitted = cell.told.partition(":")
    failed = told == "422"
    if cell.side != "scheduler":
        assert reply.status == {"422": 422}.get(told, {"nudge": 202, "retry": 201}.get(cell.action, 200)), reply.json
    if told == "=":
        assert after == before
        return
    assert after[0]["audit_logs"] != before[0]["audit_logs"]
    assert now(scene.order).status == (status if told == "." or failed else told)
    assert events == ([emitted] if emitted else [])

    # Once more, by another key: the same success, or what the next one is told; in no case a second effect.
    again = scene.do(cell)
    if cell.side != "scheduler":
        assert again.status in {reply.status, 422, 429}
    if not failed:
        assert scene.trace() == after


def test_a_failed_payment_keeps_its_reason_until_the_right_amount_comes():
    scene = Scene("delivered")
    wrong, right = (Cell("delivered", "agent", action, "agent", "") for action in ("wrong_cash", "cash"))

    refused, failed = scene.do(wrong), intent_now(scene.order)
    collected, settled = scene.do(right), intent_now(scene.order)

    assert (refused.status, failed.status, failed.failure_reason) == (422, IntentStatus.FAILED, "amount_mismatch")
    assert (collected.status, settled.status) == (200, IntentStatus.SETTLED)
    assert Events().types() == ["payment_failed", "cash_collected"]
