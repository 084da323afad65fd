"""Subscriptions: billed in advance from their start day, ended at the end of a paid period.

Time passes when somebody asks: `catch_up` starts, bills and ends whatever has become due since.
"""

from datetime import date, timedelta
from uuid import uuid4

from infra.local.square.billing import bill
from infra.local.square.catalog import cadence_of, price_of
from infra.local.square.errors import invalid
from infra.local.square.state import ZONE, Json, State, held, identifier, required

_DAYS = {"DAILY": 1, "WEEKLY": 7, "EVERY_TWO_WEEKS": 14, "THIRTY_DAYS": 30}
_MONTHS = {"MONTHLY": 1, "QUARTERLY": 3, "ANNUAL": 12}


def create(state: State, body: Json) -> Json:
    """CreateSubscription: starts now, or waits as PENDING for its start date."""
    location_id = required(body, "location_id")
    customer_id: str = required(body, "customer_id")
    variation_id: str = required(body, "plan_variation_id")
    held(state.customers, "Customer", customer_id, "customer_id")
    variation = held(state.catalog, "Plan variation", variation_id, "plan_variation_id")
    if variation["type"] != "SUBSCRIPTION_PLAN_VARIATION":
        raise invalid("Not a plan variation.", field="plan_variation_id")
    card_id = body.get("card_id")
    if card_id:
        _check_card(state, card_id, customer_id)
    subscription: Json = {
        "id": str(uuid4()),
        "location_id": location_id,
        "customer_id": customer_id,
        "plan_variation_id": variation_id,
        "start_date": _start(state, body).isoformat(),
        "status": "PENDING",
        "version": 1,
        "created_at": state.stamp(),
        "timezone": body.get("timezone") or str(ZONE),
        "source": body.get("source") or {"name": "Stand-in"},
        "invoice_ids": [],
        **({"card_id": card_id} if card_id else {}),
    }
    state.subscriptions[subscription["id"]] = subscription
    state.announce("subscription.created", "subscription", subscription)
    _catch_up_one(state, subscription)
    return {"subscription": subscription}


def get(state: State, _: Json, subscription_id: str) -> Json:
    """RetrieveSubscription."""
    return {"subscription": held(state.subscriptions, "Subscription", subscription_id)}


def search(state: State, body: Json) -> Json:
    """SearchSubscriptions by customers and locations, oldest first."""
    filters: Json = (body.get("query") or {}).get("filter") or {}
    found = [
        subscription
        for subscription in state.subscriptions.values()
        if subscription["customer_id"] in (filters.get("customer_ids") or [subscription["customer_id"]])
        and subscription["location_id"] in (filters.get("location_ids") or [subscription["location_id"]])
    ]
    return {"subscriptions": found} if found else {}


def update(state: State, body: Json, subscription_id: str) -> Json:
    """UpdateSubscription: another card."""
    subscription = held(state.subscriptions, "Subscription", subscription_id)
    wanted: Json = required(body, "subscription")
    if wanted.get("version") not in (None, subscription["version"]):
        raise invalid("The subscription has another version.", code="VERSION_MISMATCH", field="subscription.version")
    if "card_id" in wanted:
        _check_card(state, wanted["card_id"], subscription["customer_id"])
        subscription["card_id"] = wanted["card_id"]
    _changed(state, subscription)
    return {"subscription": subscription}


def cancel(state: State, _: Json, subscription_id: str) -> Json:
    """CancelSubscription: schedules the end with the period that is charged."""
    subscription = held(state.subscriptions, "Subscription", subscription_id)
    if subscription.get("canceled_date"):
        raise invalid("The subscription already has a pending cancel date.")
    if subscription["status"] not in {"ACTIVE", "PENDING"}:
        raise invalid(f"A subscription in state {subscription['status']} cannot be canceled.")
    end = subscription.get("charged_through_date") or subscription["start_date"]
    subscription["canceled_date"] = end
    _changed(state, subscription)
    action = {"id": identifier(), "type": "CANCEL", "effective_date": end}
    return {"subscription": subscription, "actions": [action]}


def catch_up(state: State) -> None:
    """Let everything happen that has become due."""
    for subscription in state.subscriptions.values():
        _catch_up_one(state, subscription)


def _catch_up_one(state: State, subscription: Json) -> None:
    today = state.today()
    while subscription["status"] in {"PENDING", "ACTIVE"}:
        ends = subscription.get("canceled_date")
        if ends and date.fromisoformat(ends) < today:
            subscription["status"] = "CANCELED"
            _changed(state, subscription)
            return
        due = _next_start(subscription)
        if due > today or (ends and due >= date.fromisoformat(ends)):
            return
        _bill_from(state, subscription, due)


def _bill_from(state: State, subscription: Json, start: date) -> None:
    variation = state.catalog[subscription["plan_variation_id"]]
    invoice = bill(state, subscription, price_of(variation))
    subscription["status"] = "ACTIVE"
    subscription["invoice_ids"].insert(0, invoice["id"])
    subscription["charged_through_date"] = _end_of(start, cadence_of(variation)).isoformat()
    _changed(state, subscription)


def _next_start(subscription: Json) -> date:
    """The first day that is not invoiced yet."""
    charged_through = subscription.get("charged_through_date")
    if charged_through is None:
        return date.fromisoformat(subscription["start_date"])
    return date.fromisoformat(charged_through) + timedelta(days=1)


def _end_of(start: date, cadence: str) -> date:
    """The last day of a period that begins on `start`."""
    if cadence in _DAYS:
        return start + timedelta(days=_DAYS[cadence] - 1)
    months = start.month - 1 + _MONTHS[cadence]
    year, month = start.year + months // 12, months % 12 + 1
    following = date(year + month // 12, month % 12 + 1, 1)
    return date(year, month, min(start.day, (following - timedelta(days=1)).day)) - timedelta(days=1)


def _start(state: State, body: Json) -> date:
    if not body.get("start_date"):
        return state.today()
    try:
        start = date.fromisoformat(body["start_date"])
    except ValueError:
        raise invalid("Not a date.", code="INVALID_DATE", field="start_date") from None
    if start < state.today():
        raise invalid("The start date is in the past.", code="INVALID_DATE", field="start_date")
    return start


def _check_card(state: State, card_id: str, customer_id: str) -> None:
    card = held(state.cards, "Card", card_id, "card_id")
    if card["customer_id"] != customer_id or not card["enabled"]:
        raise invalid("The card is not an enabled card of the customer.", code="INVALID_CARD", field="card_id")


def _changed(state: State, subscription: Json) -> None:
    subscription["version"] += 1
    state.announce("subscription.updated", "subscription", subscription)
