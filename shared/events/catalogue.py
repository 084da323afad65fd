"""Every event type, in one place: its name, payload, version, aggregate and topics."""

from shared.events import checkout, licenses, media, orders, products, stores, users
from shared.kit.outbox import Event

_FAMILIES = (checkout, licenses, media, orders, products, stores, users)

CATALOGUE: dict[str, type[Event]] = {
    name: kind
    for name, kind in sorted(Event.known.items())
    if kind.__module__ in {family.__name__ for family in _FAMILIES} and hasattr(kind, "example")
}
