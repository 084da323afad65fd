"""Every event type, in one place: its name, payload, version, aggregate and topics."""

from shared.events import checkout, licenses, media, orders, products, stores, users
from shared.kit import dead_letters
from shared.kit.outbox import Event

# The kit tells of what it gave up on itself.
_FAMILIES = (checkout, dead_letters, licenses, media, orders, products, stores, users)

CATALOGUE: dict[str, type[Event]] = {
    name: kind
    for name, kind in sorted(Event.known.items())
    if kind.__module__ in {family.__name__ for family in _FAMILIES} and hasattr(kind, "example")
}
