"""The catalogue: subscription plans and their variations, which carry the prices."""

from typing import Any

from infra.local.square.errors import SquareError, invalid
from infra.local.square.state import Json, State, held, identifier, required

_CADENCES = frozenset({"DAILY", "WEEKLY", "EVERY_TWO_WEEKS", "THIRTY_DAYS", "MONTHLY", "QUARTERLY", "ANNUAL"})


def upsert(state: State, body: Json) -> Json:
    """UpsertCatalogObject: an id with `#` creates, another one replaces the object at its version."""
    wanted: Json = required(body, "object")
    given_id: str = required(body, "object", "id")
    kind = required(body, "object", "type")
    data = _plan(wanted) if kind == "SUBSCRIPTION_PLAN" else _variation(state, wanted, kind)
    if given_id.startswith("#"):
        stored: Json = {"type": kind, "id": identifier(), "is_deleted": False, "present_at_all_locations": True}
        mappings = [{"client_object_id": given_id, "object_id": stored["id"]}]
    else:
        stored, mappings = held(state.catalog, "Catalog object", given_id), []
        _check_version(stored, wanted)
        _keep_prices(stored, data)
    stored.update({**data, "version": int(state.now().timestamp() * 1_000_000), "updated_at": state.stamp()})
    state.catalog[stored["id"]] = stored
    return {"catalog_object": stored, **({"id_mappings": mappings} if mappings else {})}


def get(state: State, _: Json, object_id: str) -> Json:
    """RetrieveCatalogObject."""
    return {"object": held(state.catalog, "Catalog object", object_id)}


def price_of(variation: Json) -> Json:
    """The Money that one period of a variation costs."""
    money: Json = variation["subscription_plan_variation_data"]["phases"][0]["pricing"]["price_money"]
    return money


def cadence_of(variation: Json) -> str:
    return str(variation["subscription_plan_variation_data"]["phases"][0]["cadence"])


def _plan(wanted: Json) -> Json:
    name = required(wanted, "subscription_plan_data", "name")
    return {"subscription_plan_data": {**wanted["subscription_plan_data"], "name": name}}


def _variation(state: State, wanted: Json, kind: Any) -> Json:
    if kind != "SUBSCRIPTION_PLAN_VARIATION":
        raise invalid("The stand-in does not know this type.", field="object.type")
    data = wanted.get("subscription_plan_variation_data") or {}
    required(data, "name")
    held(state.catalog, "Catalog object", required(data, "subscription_plan_id"))
    phases = required(data, "phases")
    for ordinal, phase in enumerate(phases):
        if phase.get("cadence") not in _CADENCES:
            raise invalid("Not a cadence.", code="INVALID_ENUM_VALUE", field=f"phases[{ordinal}].cadence")
        required(phase, "pricing", "price_money", "currency")
        required(phase, "pricing", "price_money", "amount")
        phase.setdefault("uid", identifier(length=16))
    return {"subscription_plan_variation_data": data}


def _check_version(stored: Json, wanted: Json) -> None:
    if wanted.get("version") != stored["version"]:
        raise SquareError(409, "INVALID_REQUEST_ERROR", "VERSION_MISMATCH", "The object has another version.")


def _keep_prices(stored: Json, data: Json) -> None:
    """Phases cannot change once made."""
    name = "subscription_plan_variation_data"
    if name in data and [_without_uid(p) for p in data[name]["phases"]] != [
        _without_uid(p) for p in stored[name]["phases"]
    ]:
        raise invalid("Phases cannot be changed.", field=f"{name}.phases")


def _without_uid(phase: Json) -> Json:
    return {name: value for name, value in phase.items() if name != "uid"}
