"""Where an address is, for those who gave none."""

from dataclasses import asdict

from shared.identity.addresses import Address, WrittenAddress
from shared.integrations.maps import Envelope, Position, map_provider
from shared.kit.errors import InvalidRequest
from shared.places import answers


class AddressNotFound(InvalidRequest):
    """No map shows it; `details` names the field of the request that it stood in."""

    def __init__(self, field: str) -> None:
        message = "This address cannot be found; correct it, or choose one of the suggestions."
        super().__init__(details={"reason": "address_not_found", "fields": [{"path": field, "message": message}]})


def locate(written: WrittenAddress, *, field: str) -> Address:
    """The address with its position: the given one, else the map's. Calls the outside: not for transactions.

    Raises AddressNotFound, MapsDown, DependencyDown.
    """
    position = written.position or _look_up(written, field)
    return Address(**written.model_dump(exclude={"lat", "lng"}), lat=position[0], lng=position[1])


def _look_up(written: WrittenAddress, field: str) -> tuple[float, float]:
    envelope = Envelope(written.line1, written.city, written.state, written.postal_code)
    key = answers.key_of("geocode", *(answers.normalized(part) for part in asdict(envelope).values()))
    kept = answers.find(key)
    position = Position(**kept) if kept is not None else map_provider().geocode(envelope)
    if position is None:
        raise AddressNotFound(field)
    if kept is None:
        answers.keep(key, asdict(position))
    return position.lat, position.lng
