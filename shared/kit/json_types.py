"""A value in a JSON body has the type that the document says: `true` and "5" are no integers, and 1 is no `true`.

Pydantic's strict mode as a whole is made for Python objects and would refuse ids and enums as JSON writes them. So
only the types that JSON itself tells apart are made strict, wherever in a model they stand. Times are text: a
number would be read as seconds since 1970.
"""

import re
from collections.abc import Callable
from typing import Any

from pydantic_core import PydanticCustomError, PydanticKnownError, core_schema

_STRICT = frozenset({"int", "float", "bool"})
_TIMES = frozenset({"date", "datetime"})
_NO_SCHEMAS = frozenset({"default", "metadata", "serialization"})
"""Where a schema holds something else than further schemas."""

_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


def strict(schema: Any) -> Any:
    """A core schema of Pydantic's, or a part of one, that takes JSON's types as they are."""
    if isinstance(schema, list | tuple):
        return type(schema)(strict(part) for part in schema)
    if not isinstance(schema, dict):
        return schema
    # Where a dictionary is no schema but has schemas by name, one of the names may be `type`.
    kind = schema["type"] if isinstance(schema.get("type"), str) else None
    if kind in _STRICT:
        return schema | {"strict": True}
    if kind in _TIMES:
        return core_schema.no_info_before_validator_function(_as_text, schema)
    if kind == "literal":
        return core_schema.no_info_before_validator_function(_of_type_of(schema["expected"]), schema)
    return {name: part if kind and name in _NO_SCHEMAS else strict(part) for name, part in schema.items()}


def _as_text(value: Any) -> Any:
    if isinstance(value, int | float) or (isinstance(value, str) and not _DATE.match(value)):
        raise PydanticCustomError("time_as_text", "Input should be written like 2026-03-01 or 2026-03-01T12:00:00Z")
    return value


def _of_type_of(expected: list[Any]) -> Callable[[Any], Any]:
    """Python takes 1 for True and 1.0 for 1."""
    types = {type(one) for one in expected}

    def check(value: Any) -> Any:
        if isinstance(value, int | float) and type(value) not in types:
            raise PydanticKnownError("literal_error", {"expected": " or ".join(map(repr, expected))})
        return value

    return check
