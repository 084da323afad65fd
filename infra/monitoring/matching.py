"""Whether a log entry matches a filter, for the part of Cloud Logging's language that our filters are written in.

Comparisons with = and >=, of text in quotes, of numbers, or of one of several in parentheses; joined by AND.
https://cloud.google.com/logging/docs/view/logging-query-language
"""

import re
from typing import Any

_COMPARISON = re.compile(
    r'(?P<field>[a-zA-Z_.]+)(?P<operator>=|>=)(?P<value>"[^"]*"|[0-9.]+|\((?:"[^"]*"(?: OR )?)+\))'
)


class NotOurFilter(ValueError):
    """A filter that says more than this understands."""


def matches(filter_: str, entry: dict[str, Any]) -> bool:
    """Whether the entry is one that the filter finds. Raises NotOurFilter."""
    return all(_holds(comparison, entry) for comparison in filter_.split(" AND "))


def _holds(comparison: str, entry: dict[str, Any]) -> bool:
    found = _COMPARISON.fullmatch(comparison)
    if found is None:
        raise NotOurFilter(comparison)
    value = _field(entry, found["field"])
    if found["operator"] == "=":
        return value in re.findall(r'"([^"]*)"', found["value"])
    return isinstance(value, int | float) and value >= float(found["value"])


def _field(entry: dict[str, Any], path: str) -> Any:
    held: Any = entry
    for step in path.split("."):
        held = held.get(step) if isinstance(held, dict) else None
    return held
