"""The ways an order can be brought to a buyer. Options and prices are the server's; a client names a code.

PackFinderz's own agents deliver within the state, and delivery is part of the platform's service: it
costs nothing, so that an order's total stays `subtotal - discounts`.
"""

from dataclasses import asdict, dataclass
from typing import Any

from shared.kit.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class ShippingOption:
    """One way; `price_cents` per order."""

    code: str
    label: str
    price_cents: int

    def snapshot(self) -> dict[str, Any]:
        """What is kept of it on carts and orders."""
        return asdict(self)


STANDARD = ShippingOption("agent_standard", "Delivered by a PackFinderz agent", 0)
OPTIONS = (STANDARD,)


def get_option(code: str | None) -> ShippingOption:
    """The option with this code, the standard one for none. Raises InvalidRequest."""
    if code is None:
        return STANDARD
    for option in OPTIONS:
        if option.code == code:
            return option
    raise InvalidRequest.field("shipping_line.code", "There is no such shipping option.")
