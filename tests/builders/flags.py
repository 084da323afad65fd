"""Feature flags, as an operator has set them."""

from shared.kit.db import transaction
from shared.operations import flags
from shared.operations.flag_setting import FlagRequest, set_flag
from shared.operations.flags import Flag, Rule


def a_flag(name: Flag, *rules: Rule, enabled: bool | None = None) -> None:
    """Set a flag, and have it read again: on, or on where its rules say so."""
    wanted = FlagRequest(enabled=not rules if enabled is None else enabled, rules=list(rules))
    with transaction() as session:
        set_flag(session, name, wanted)
    flags.forget()
