"""Customers: create, update, get, and search by reference id or email."""

from typing import Any

from infra.local.square.errors import invalid
from infra.local.square.state import Json, State, held, identifier

_NAMES = ("given_name", "family_name", "company_name", "email_address", "phone_number")
_FIELDS = (*_NAMES, "nickname", "address", "reference_id", "note", "birthday")


def create(state: State, body: Json) -> Json:
    """CreateCustomer: wants at least one of name, company, email and phone."""
    if not any(body.get(name) for name in _NAMES):
        raise invalid("At least one of the identifying fields must be provided.", code="MISSING_REQUIRED_PARAMETER")
    customer = {
        "id": identifier(length=26),
        "created_at": state.stamp(),
        "updated_at": state.stamp(),
        "creation_source": "THIRD_PARTY",
        "preferences": {"email_unsubscribed": False},
        "version": 0,
        **{name: body[name] for name in _FIELDS if body.get(name) is not None},
    }
    state.customers[customer["id"]] = customer
    state.announce("customer.created", "customer", customer)
    return {"customer": customer}


def update(state: State, body: Json, customer_id: str) -> Json:
    """UpdateCustomer: only what is given changes, null clears."""
    customer = held(state.customers, "Customer", customer_id)
    for name in _FIELDS:
        if name in body:
            customer[name] = body[name]
    customer["version"] += 1
    customer["updated_at"] = state.stamp()
    state.announce("customer.updated", "customer", customer)
    return {"customer": customer}


def get(state: State, _: Json, customer_id: str) -> Json:
    """RetrieveCustomer."""
    return {"customer": held(state.customers, "Customer", customer_id)}


def search(state: State, body: Json) -> Json:
    """SearchCustomers by exact reference id and email, newest last; other filters are refused."""
    filters: Json = (body.get("query") or {}).get("filter") or {}
    unknown = set(filters) - {"reference_id", "email_address"}
    if unknown:
        raise invalid("The stand-in does not know this filter.", field=f"query.filter.{unknown.pop()}")
    found = [customer for customer in state.customers.values() if _matches(customer, filters)]
    return {"customers": found[: body.get("limit") or 100]} if found else {}


def _matches(customer: Json, filters: Json) -> bool:
    return all(_same(customer.get(name), wanted.get("exact")) for name, wanted in filters.items())


def _same(value: Any, wanted: Any) -> bool:
    return isinstance(value, str) and isinstance(wanted, str) and value.lower() == wanted.lower()
