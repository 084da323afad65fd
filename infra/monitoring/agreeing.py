"""Whether what is there is as it is wanted: it may say more, as services add fields of their own."""

import json
from typing import Any


def told_by(message: Any) -> Any:
    """A message of one of Google's clients as JSON has it, with every field that has a default."""
    text = type(message).to_json(
        message,
        always_print_fields_with_no_presence=True,
        preserving_proto_field_name=False,
        use_integers_for_enums=False,
    )
    return json.loads(text)


def agrees(there: Any, wanted: Any) -> bool:
    """Whether all that is wanted is there."""
    if isinstance(wanted, dict):
        return isinstance(there, dict) and all(agrees(there.get(name), value) for name, value in wanted.items())
    if isinstance(wanted, list):
        same_length = isinstance(there, list) and len(there) == len(wanted)
        return same_length and all(agrees(*pair) for pair in zip(there, wanted, strict=True))
    return bool(there == wanted)
