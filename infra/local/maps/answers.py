"""Spots in the shapes in which Google tells them.

Shapes: developers.google.com/maps/documentation/geocoding/requests-geocoding#GeocodingResponses
and …/documentation/places/web-service/autocomplete#PlaceAutocompletePrediction
"""

from typing import Any

from infra.local.maps.atlas import Spot

Json = dict[str, Any]

_VIEWPORT_DEGREES = 0.00135


def prediction(spot: Spot, text: str) -> Json:
    """What might be meant by `text`."""
    main, rest = spot.line, ", ".join(_behind(spot))
    matched = [{"length": _common(text, main), "offset": 0}]
    return {
        "description": f"{main}, {rest}",
        "matched_substrings": matched,
        "place_id": spot.id,
        "reference": spot.id,
        "structured_formatting": {
            "main_text": main,
            "main_text_matched_substrings": matched,
            "secondary_text": rest,
        },
        "terms": _terms([main, *_behind(spot)]),
        "types": [*_types(spot), "geocode"],
    }


def details(spot: Spot, fields: frozenset[str]) -> Json:
    """Of a place what was asked for."""
    whole = {
        "address_component": ("address_components", _components(spot)),
        "formatted_address": ("formatted_address", _formatted(spot)),
        "geometry/location": ("geometry", {"location": _location(spot)}),
        "geometry": ("geometry", {"location": _location(spot), "viewport": _viewport(spot)}),
        "place_id": ("place_id", spot.id),
        "type": ("types", _types(spot)),
    }
    return dict(value for field, value in whole.items() if field in fields)


DETAILS_FIELDS = frozenset(
    {"address_component", "formatted_address", "geometry/location", "geometry", "place_id", "type"}
)


def geocoded(spot: Spot, *, partial: bool) -> Json:
    """Where a spot is; `partial` says that it is not all of what was asked."""
    precision = "ROOFTOP" if spot.number else "GEOMETRIC_CENTER" if spot.street else "APPROXIMATE"
    result: Json = {
        "address_components": _components(spot),
        "formatted_address": _formatted(spot),
        "geometry": {"location": _location(spot), "location_type": precision, "viewport": _viewport(spot)},
        "place_id": spot.id,
        "types": _types(spot),
    }
    return result | ({"partial_match": True} if partial else {})


def _components(spot: Spot) -> list[Json]:
    """From the smallest to the largest, without those that the place has not."""
    town = spot.town
    told = (
        (spot.unit, spot.unit, ["subpremise"]),
        (spot.number, spot.number, ["street_number"]),
        (spot.street, spot.street, ["route"]),
        (town.name, town.name, ["locality", "political"]),
        (town.county, town.county, ["administrative_area_level_2", "political"]),
        (town.state[1], town.state[0], ["administrative_area_level_1", "political"]),
        (town.country[1], town.country[0], ["country", "political"]),
        (spot.postal_code, spot.postal_code, ["postal_code"]),
    )
    return [{"long_name": long, "short_name": short, "types": types} for long, short, types in told if long]


def _formatted(spot: Spot) -> str:
    town = spot.town
    state = " ".join(part for part in (town.state[0], spot.postal_code) if part)
    return ", ".join(part for part in (spot.line, town.name, state, _country(spot)) if part)


def _behind(spot: Spot) -> list[str]:
    return [spot.town.name, spot.town.state[0], _country(spot)]


def _country(spot: Spot) -> str:
    return "USA" if spot.town.country[0] == "US" else spot.town.country[1]


def _types(spot: Spot) -> list[str]:
    if spot.unit:
        return ["subpremise"]
    if spot.number:
        return ["street_address"]
    return ["route"] if spot.street else ["locality", "political"]


def _location(spot: Spot) -> Json:
    lat, lng = spot.position
    return {"lat": lat, "lng": lng}


def _viewport(spot: Spot) -> Json:
    lat, lng = spot.position
    return {
        "northeast": {"lat": lat + _VIEWPORT_DEGREES, "lng": lng + _VIEWPORT_DEGREES},
        "southwest": {"lat": lat - _VIEWPORT_DEGREES, "lng": lng - _VIEWPORT_DEGREES},
    }


def _terms(parts: list[str]) -> list[Json]:
    offsets = [sum(len(before) + 2 for before in parts[:n]) for n in range(len(parts))]
    return [{"offset": offset, "value": part} for offset, part in zip(offsets, parts, strict=True)]


def _common(text: str, main: str) -> int:
    """How far both begin alike."""
    pairs = zip(text.casefold(), main.casefold(), strict=False)
    return next((n for n, (one, other) in enumerate(pairs) if one != other), min(len(text), len(main)))
