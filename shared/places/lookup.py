"""From a few typed letters to an address.

A provider bills what is typed in one session together, and the session ends with the address that is
chosen (developers.google.com/maps/documentation/places/web-service/session-tokens). So whatever is asked
of the provider carries the caller's token, and a session that the provider knows of is ended there, even
when the address is known here. What was all answered from here never was a session.
"""

from dataclasses import asdict

from pydantic import ValidationError

from shared.identity.addresses import Address
from shared.integrations.maps import MapsDown, Place, PlaceIncomplete, Suggestion, map_provider
from shared.places import answers


def suggest(text: str, *, session_token: str) -> list[Suggestion]:
    """Addresses in the United States that begin like `text`. Raises MapsDown, DependencyDown."""
    text = answers.normalized(text)
    key = answers.key_of("suggest", text)
    kept = answers.find(key)
    if kept is not None:
        return [Suggestion(**one) for one in kept]
    suggestions = map_provider().suggest(text, session_token=session_token)
    answers.keep_in_session(key, [asdict(one) for one in suggestions], session_token)
    return suggestions


def resolve(place_id: str, *, session_token: str) -> Address:
    """The address behind a suggestion. Raises PlaceNotFound, PlaceNotUsable, MapsDown, DependencyDown."""
    key = answers.key_of("resolve", place_id)
    kept, session_is_open = answers.find_with_session(key, session_token)
    if kept is not None and not session_is_open:
        return Address(**kept)
    try:
        address = _address(map_provider().resolve(place_id, session_token=session_token))
    except MapsDown:
        if kept is None:
            raise
        return Address(**kept)
    answers.keep_and_end_session(key, address.model_dump(), session_token)
    return address


def _address(place: Place) -> Address:
    """Raises PlaceIncomplete for parts that are not what we take for an address."""
    try:
        return Address(
            line1=place.line1,
            line2=place.line2,
            city=place.city,
            state=place.state,
            postal_code=place.postal_code,
            lat=place.position.lat,
            lng=place.position.lng,
        )
    except ValidationError:
        raise PlaceIncomplete from None
