"""Every number, switch and time in every body is of the type that the document says, and no other passes for it."""

from collections.abc import Iterator
from functools import reduce
from typing import Any

import pytest
from pydantic import ValidationError

from tests.security.catalogue import served

BODIES = {one.route.body for one in served().values() if one.route.body}
OTHERS = {
    "integer": [True, False, "5", "", 1.5, 5.0, [5]],
    "number": [True, "35.4", [35.4]],
    "boolean": [1, 0, 1.0, "true", "on", "", [True]],
    "date": [0, 1_772_323_200, 20.5, True, "1772323200", "-1", "20.5"],
    "date-time": [0, 1_772_323_200, 20.5, True, "1772323200", "-1", "20.5"],
}
"""By type, what is of another one and could be taken for it."""
ITEM = 0
"""The step of a path into a list."""

Path = tuple[str | int, ...]


def typed(schema: dict[str, Any], defs: dict[str, Any], path: Path = ()) -> Iterator[tuple[Path, str]]:
    """The places in a schema whose type is one of those above, each with the type."""
    if "$ref" in schema:
        schema = defs[schema["$ref"].rpartition("/")[2]]
    kind = schema.get("format") or schema.get("type")
    if kind in OTHERS:
        yield path, kind
    choices = schema.get("anyOf", [])
    if {"number", "string"} <= {choice.get("type") for choice in choices}:
        return  # a decimal number may be written as text, lest it is rounded on its way
    for choice in choices:
        yield from typed(choice, defs, path)
    for name, inner in schema.get("properties", {}).items():
        yield from typed(inner, defs, (*path, name))
    if "items" in schema:
        yield from typed(schema["items"], defs, (*path, ITEM))


def places(body: Any) -> dict[Path, str]:
    """The same for a body."""
    schema = body.model_json_schema()
    return dict(typed(schema, schema.get("$defs", {})))


def holding(path: Path, value: Any) -> Any:
    """A body that has a value at a place, and nothing else."""
    return reduce(lambda inner, step: [inner] if step == ITEM else {step: inner}, reversed(path), value)


def refuses(body: Any, path: Path, value: Any) -> bool:
    try:
        body.model_validate(holding(path, value))
    except ValidationError as error:
        return any(found["loc"] == path for found in error.errors())
    return False


@pytest.mark.parametrize("body", sorted(BODIES, key=lambda body: (body.__module__, body.__name__)))
def test_a_body_takes_no_value_of_another_type(body):
    taken = [
        (path, value) for path, kind in places(body).items() for value in OTHERS[kind] if not refuses(body, path, value)
    ]

    assert taken == []


def test_every_type_and_every_depth_is_looked_at():
    found = {(body.__name__, *path): kind for body in BODIES for path, kind in places(body).items()}

    assert set(found.values()) == set(OTHERS)
    assert found["QuoteRequest", "items", ITEM, "quantity"] == "integer"
    assert found["RegisterRequest", "address", "lat"] == "number"
    assert found["RegisterRequest", "accept_tos"] == "boolean"
    assert found["FlagRequest", "rules", ITEM, "percent"] == "integer"
